"""Options that several verbs have, each in one wording, and the numbers that people type. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_bench(verb: argparse.ArgumentParser, more: str = "") -> None:
    """`more`: what this verb says of it beyond its form."""
    text = f"bench by name, or a bench file (default: twin){more}"
    verb.add_argument("--bench", default="twin", metavar="NAME|FILE", help=text)


def add_out(verb: argparse.ArgumentParser, text: str = "where the evidence goes") -> None:
    verb.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help=f"{text} (default: runs)")


def add_seed(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--seed", type=int, default=0, metavar="N", help="the twin's noise (default: 0)")


def add_fault(verb: argparse.ArgumentParser, when: str, metavar: str = "NAME[@S]") -> None:
    text = f"a fault of the twin{when} (may be given more than once; an unknown name lists all)"
    verb.add_argument("--fault", action="append", default=[], metavar=metavar, help=text)


def add_comparison(verb: argparse.ArgumentParser, default: str | None) -> None:
    shown = default or "the bench file's"
    text = f"which lengths fail: ge: the limit and longer, gt: longer only (default: {shown})"
    verb.add_argument("--comparison", choices=("ge", "gt"), default=default, help=text)


def add_json(verb: argparse.ArgumentParser, schema: str) -> None:
    text = f"print one object ({schema}), and nothing else, on stdout"
    verb.add_argument("--json", action="store_true", help=text)


def a_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a number: {text!r}") from None
