"""A bench file as TOML text, for programs that write one. Opens nothing; a comment on top is all the prose it has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from rig.bench.config import BenchConfig


def bench_text(config: BenchConfig, comment: str) -> str:
    """The whole file: `comment` (its lines without the mark) first, then every key that has a value."""
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    return "\n".join([*lines, *_tables(config.model_dump(by_alias=True, exclude_none=True))]) + "\n"


def _tables(data: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key} = {_value(value)}" for key, value in data.items() if not _is_table(value))
    for name, value in data.items():
        for table in [value] if isinstance(value, dict) else value if _is_table(value) else []:
            yield ""
            yield f"[{name}]" if isinstance(value, dict) else f"[[{name}]]"
            yield from (f"{key} = {_value(each)}" for key, each in table.items())


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value))


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)  # TOML takes JSON's strings, whole numbers and booleans as they are
