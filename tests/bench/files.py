"""A good bench file for tests, and how to spoil one line of it."""

from __future__ import annotations

import tomllib
from string import Template

from rig.bench.config import BenchConfig, check_bench
from rig.twin.bench import template

FILE = "bench.toml"
ADDRESSES = {
    "supply": "TCPIP::192.0.2.10::5555::SOCKET",
    "oscilloscope": "TCPIP::192.0.2.11::5555::SOCKET",
    "modbus": "192.0.2.12:502",
}
GOOD = Template(template("twin")).substitute(ADDRESSES)


def checked(text: str = GOOD) -> BenchConfig:
    return check_bench(tomllib.loads(text), text, FILE)


def spoilt(table: str, old: str, new: str, text: str = GOOD) -> tuple[str, int]:
    """The good file with `old` replaced by `new` in the first `table` that has it, and the line of that (from 1)."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if line.strip() not in (f"[{table}]", f"[[{table}]]"):
            continue
        for number in range(start + 1, len(lines)):
            if lines[number].startswith("["):
                break
            if old in lines[number]:
                lines[number] = lines[number].replace(old, new)
                return "\n".join(lines) + "\n", number + 1
    raise AssertionError(f"[{table}] has no {old!r}")
