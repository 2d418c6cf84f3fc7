"""TOML files that people write: read them, find the line of a key, and check them against a pydantic model.

Every fault becomes one `InputError` with file, key, line, what was found and what was expected. Knows no schema of the
rig: bench files, plans, profiles and fixture manifests bring their own models. pydantic is imported only when a file is
checked. The line index follows TOML 1.0; where it and `tomllib` do not agree on a text, no line is told.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from rig.errors import InputError, Where

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

Key = tuple[str | int, ...]
"""The way to a value: names of tables and keys, and positions in arrays counted from 0."""

Model = TypeVar("Model", bound="BaseModel")


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """The content of a TOML file, and its text. Raises InputError, with the line where the TOML is malformed."""
    text = read_text(path)
    try:
        return tomllib.loads(text), text
    except RecursionError as error:
        raise InputError("nested too deeply", Where(file=str(path))) from error
    except ValueError as error:  # TOMLDecodeError is one; so is an integer of thousands of digits
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        reason = str(error)[: place.start()] if place else str(error)
        last_line = text.rstrip().count("\n") + 1
        where = Where(file=str(path), line=None if place is None else int(place[1] or last_line))
        raise InputError(f"not valid TOML: {reason}", where) from error


def read_text(path: Path) -> str:
    """The text of a file that people write. Raises InputError."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise InputError("no such file", Where(file=str(path))) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", Where(file=str(path))) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{error.object[error.start]:02x} at offset {error.start}"
        raise InputError("not a text file", Where(str(path), line=line, found=found, expected="UTF-8")) from error


def line_of(text: str, path: Key) -> int | None:
    """The line (from 1) on which the value at `path` is written; None when `path` is not there or the line is unsure.

    A table is at its header, or where a dotted key first names it; an array of tables at its first header.
    """
    try:
        data = tomllib.loads(text)
        lines = _Index(text).lines
    except (ValueError, RecursionError, _UnsureError):
        return None
    return lines.get(path) if lines.keys() == set(_paths(data)) else None


def validate(
    model: type[Model], data: dict[str, Any], text: str, file: str, line: Callable[[Key], int | None] | None = None
) -> Model:
    """`data` as an instance of `model`. The first fault is raised as an InputError that names its key and line.

    A misspelt key is told before the missing key that follows from it. A missing key is told at its table's line.
    `line` finds lines where `text` is not TOML.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = [_Fault(model, data, details) for details in error.errors(include_url=False)]
    fault = next((f for f in faults if f.near_miss()), faults[0])
    written = fault.path[:-1] if fault.missing else fault.path
    at = line(written) if line is not None else line_of(text, written)
    where = Where(file, key=dotted(fault.path) or None, line=at, found=fault.found(), expected=fault.expected())
    raise InputError(fault.message(), where)


def dotted(path: Key) -> str:
    """A path as people write it: `relay[2].pin`; positions count from 0."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if re.fullmatch(r"[\w-]+", part) else repr(part))
    return text


def did_you_mean(word: str, known: list[str]) -> str:
    """`; did you mean 'x'?` with the nearest of `known`, or nothing when none is near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


# -- the line index ----------------------------------------------------------------------------------------------------


class _UnsureError(Exception):
    """The text is not what the index understands."""


_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""")
_STRING = re.compile(
    r"""
      "{3} (?:\\[\s\S]|[^\\])*? "{3} "{0,2}
    | '{3} [\s\S]*? '{3} '{0,2}
    | " (?:\\.|[^"\\\n])* "
    | ' [^'\n]* '
    """,
    re.VERBOSE,
)
_SCALAR = re.compile(r"[^\s,\]\[{}#=\"'][^,\]}#\n]*")


class _Index:
    """The line of every value of one valid TOML text."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Key, int] = {}
        self._text = text
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._tables: dict[Key, int] = {}  # arrays of tables: how many headers so far
        table: Key = ()
        while self._skip(_BLANK) < len(text):
            table = self._header() if text[self._at] == "[" else self._pair(table)

    def _line(self) -> int:
        return bisect_right(self._starts, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise _UnsureError
        self._at = match.end()
        return self._at

    def _next_is(self, mark: str) -> bool:
        found = self._text.startswith(mark, self._at)
        self._at += len(mark) if found else 0
        return found

    def _need(self, mark: str) -> None:
        if not self._next_is(mark):
            raise _UnsureError

    def _names(self) -> list[str]:
        """A key, dotted or not."""
        names = []
        while True:
            start = self._skip(_SPACE)
            raw = self._text[start : self._skip(_KEY)]
            names.append(str(tomllib.loads(f"key = {raw}")["key"]) if raw[0] in "\"'" else raw)
            self._skip(_SPACE)
            if not self._next_is("."):
                return names

    def _header(self) -> Key:
        line = self._line()
        array = self._next_is("[[")
        if not array:
            self._need("[")
        names = self._names()
        self._need("]]" if array else "]")
        table = self._walk((), names[:-1], line)
        table = (*table, names[-1])
        if array:
            self.lines.setdefault(table, line)
            position = self._tables.get(table, 0)
            self._tables[table] = position + 1
            table = (*table, position)
        self.lines[table] = line
        return table

    def _walk(self, table: Key, names: list[str], line: int) -> Key:
        """Down through tables that need no header of their own; an array of tables is entered at its last table."""
        for name in names:
            table = (*table, name)
            self.lines.setdefault(table, line)
            if table in self._tables:
                table = (*table, self._tables[table] - 1)
        return table

    def _pair(self, table: Key) -> Key:
        line = self._line()
        names = self._names()
        self._need("=")
        self._skip(_SPACE)
        self._value((*self._walk(table, names[:-1], line), names[-1]), line)
        return table

    def _value(self, path: Key, line: int) -> None:
        self.lines[path] = line
        if self._next_is("["):
            position = 0
            while self._skip(_BLANK) >= 0 and not self._next_is("]"):
                self._value((*path, position), self._line())
                position += 1
                self._skip(_BLANK)
                self._next_is(",")
        elif self._next_is("{"):
            while self._skip(_BLANK) >= 0 and not self._next_is("}"):
                self._pair(path)
                self._skip(_BLANK)
                self._next_is(",")
        else:
            self._skip(_STRING if self._text.startswith(('"', "'"), self._at) else _SCALAR)


def _paths(data: Any, path: Key = ()) -> Iterator[Key]:
    if path:
        yield path
    rows: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in rows:
        yield from _paths(value, (*path, name))


# -- what a model found wrong ------------------------------------------------------------------------------------------

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "list_type": "an array",
    "tuple_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "literal_error": "{expected}",
    "union_tag_invalid": "{expected_tags}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "text like {pattern}",
}
"""pydantic's error type: what was expected, in words; the braces are filled from the error's context."""

_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text in quotes",
    dict: "a table",
    list: "an array",
    tuple: "an array",
}


class _Fault:
    """One pydantic error, in words."""

    def __init__(self, model: type[BaseModel], data: dict[str, Any], details: ErrorDetails) -> None:
        self._type = details["type"]
        self._details = details
        self._context: dict[str, Any] = details.get("ctx", {})
        self.missing = self._type in {"missing", "union_tag_not_found"}
        self.path = _written(data, details["loc"], keep_last=self._type == "missing")
        if self._type in {"union_tag_invalid", "union_tag_not_found"}:
            self.path = (*self.path, self._context["discriminator"].strip("'"))
        self._models = _models_at(model, self.path[:-1], data) if self.path else []

    def near_miss(self) -> str:
        if self._type != "extra_forbidden":
            return ""
        return did_you_mean(str(self.path[-1]), self._known_keys())

    def message(self) -> str:
        if self._type == "extra_forbidden":
            return f"unknown key{self.near_miss()}"
        if self.missing:
            return "missing key"
        if self._type == "value_error":
            return str(self._context["error"])
        if self._type.endswith("_type"):
            return "wrong type"
        return "not allowed" if self._type in _EXPECTED else self._details["msg"]

    def found(self) -> str | None:
        if self.missing or self._type in {"extra_forbidden", "value_error"}:
            return None
        return _shown(self._context["tag"] if self._type == "union_tag_invalid" else self._details["input"])

    def expected(self) -> str | None:
        if self._type == "extra_forbidden":
            return f"one of: {', '.join(self._known_keys())}" if self._models and not self.near_miss() else None
        if self.missing:
            kinds = [_kind(m.model_fields[n].annotation) for m, n in self._fields(self.path[-1])]
            return " or ".join(kind for kind in dict.fromkeys(kinds) if kind) or None
        template = _EXPECTED.get(self._type)
        return template.format(**self._context) if template else None

    def _fields(self, key: str | int) -> Iterator[tuple[type[BaseModel], str]]:
        for model in self._models:
            for name, field in model.model_fields.items():
                if key in {name, field.alias}:
                    yield model, name

    def _known_keys(self) -> list[str]:
        return list(dict.fromkeys(f.alias or name for m in self._models for name, f in m.model_fields.items()))


def _written(data: Any, loc: tuple[int | str, ...], *, keep_last: bool) -> Key:
    """The parts of a pydantic location that are keys of the file: union tags and names of validators are left out."""
    path: Key = ()
    for number, part in enumerate(loc, start=1):
        here = (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and 0 <= part < len(data)
        )
        if here:
            data = data[part]
        if here or (keep_last and number == len(loc)):
            path = (*path, part)
    return path


def _models_at(model: type[BaseModel], path: Key, data: Any) -> list[type[BaseModel]]:
    """The models that may stand at `path`: several where a field is a union that nothing written there decides."""
    models, here = [model], data
    for part in path:
        here = here[part]
        fields = [f for m in models for name, f in m.model_fields.items() if part in {name, f.alias}]
        if fields:
            models = [m for f in fields for m in _models_in(f.annotation)]
        models = [m for m in models if _agrees(m, here)] or models
    return models


def _agrees(model: type[BaseModel], table: Any) -> bool:
    """Whether what is written allows this model: each choice that the table makes is one of the model's."""
    from typing import Literal

    choices = {f.alias or n: get_args(f.annotation) for n, f in model.model_fields.items()
               if get_origin(f.annotation) is Literal}  # fmt: skip
    return not isinstance(table, dict) or all(table[key] in c for key, c in choices.items() if key in table)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    from pydantic import BaseModel

    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _kind(annotation: Any) -> str | None:
    """What a person writes for a field of this type; None where it has no plain name."""
    from typing import Literal

    if get_origin(annotation) is Literal:
        return " or ".join(repr(choice) for choice in get_args(annotation))
    plain = get_origin(annotation) or annotation
    if any(True for _ in _models_in(annotation)) and plain not in _KINDS:
        return "a table"
    return _KINDS.get(plain)


def _shown(value: Any) -> str:
    """A value of a TOML file, short enough for one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    text = repr(value) if isinstance(value, str | int | float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
