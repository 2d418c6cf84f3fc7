"""JSON into frozen dataclasses, strictly: no unknown key, no missing key, no other type, no infinite number.

The guardian must trust nothing that it is told, and cannot afford the library that the bench file is checked with.
"""

from __future__ import annotations

import functools
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

from rig.errors import InputError, Where

_T = TypeVar("_T")


def from_json(kind: type[_T], value: Any, key: str = "") -> _T:
    """`value` as a `kind`. Raises InputError with the key, what was found and what was expected."""
    found: _T = _decoded(kind, value, key)
    return found


def to_json(value: Any) -> Any:
    """What `from_json` reads back."""
    if is_dataclass(value):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [to_json(v) for v in value]
    if isinstance(value, Mapping):
        return {k: to_json(v) for k, v in value.items()}
    return value


def _decoded(kind: Any, value: Any, key: str) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in inner:
            return None
        (kind,) = (k for k in inner if k is not type(None))
        return _decoded(kind, value, key)
    if origin is tuple:
        rows = _of(list, value, key, "an array")
        if inner[-1] is not Ellipsis and len(rows) != len(inner):
            raise _wrong(key, f"{len(rows)} entries", f"{len(inner)}")
        kinds = [inner[0]] * len(rows) if inner[-1] is Ellipsis else list(inner)
        return tuple(_decoded(k, v, f"{key}[{n}]") for n, (k, v) in enumerate(zip(kinds, rows, strict=True)))
    if origin is Mapping:
        return {k: _decoded(inner[1], v, f"{key}.{k}") for k, v in _of(dict, value, key, "an object").items()}
    if is_dataclass(kind):
        return _object(kind, _of(dict, value, key, "an object"), key)
    if kind is float:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        raise _wrong(key, repr(value), "a finite number")
    if kind is int and isinstance(value, bool):
        raise _wrong(key, repr(value), "int")
    if issubclass(kind, Enum):
        if value not in [member.value for member in kind]:
            raise _wrong(key, repr(value), " or ".join(str(member.value) for member in kind))
        return kind(value)
    return _of(kind, value, key, kind.__name__)


def _object(kind: Any, value: dict[str, Any], key: str) -> Any:
    hints = _hints(kind)
    unknown, missing = value.keys() - hints.keys(), hints.keys() - value.keys()
    if unknown or missing:
        raise _wrong(key, ", ".join(sorted(unknown)) or "nothing", ", ".join(sorted(missing)) or "no such key")
    try:
        return kind(**{name: _decoded(hints[name], value[name], f"{key}.{name}".lstrip(".")) for name in hints})
    except ValueError as error:
        raise InputError(str(error), Where(key=key)) from None


@functools.cache
def _hints(kind: type) -> Mapping[str, Any]:
    """Found once for each kind: that takes longer than all the rest."""
    return typing.get_type_hints(kind)


def _of(kind: type, value: Any, key: str, expected: str) -> Any:
    if not isinstance(value, kind):
        raise _wrong(key, repr(value), expected)
    return value


def _wrong(key: str, found: str, expected: str) -> InputError:
    return InputError("the guardian cannot be led like this", Where(key=key, found=found[:200], expected=expected))
