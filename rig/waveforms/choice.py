"""Which channel, which dialect: by name, with the nearest names where there is no such one. Knows no file format."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from rig.errors import InputError, Where
from rig.waveforms.layout import Column


def choose(file: str, columns: Sequence[Column], name: str | None) -> tuple[Column, tuple[str, ...]]:
    """The channel called `name`, or the only one in volts. Raises `InputError` naming those that there are."""
    volts = [column for column in columns if column.per_volt is not None]
    if name is None:
        if len(volts) == 1:
            others = [f"{column.name} ({column.unit})" for column in columns if column is not volts[0]]
            return volts[0], (f"{volts[0].name} taken, the only voltage beside {', '.join(others)}",) if others else ()
        if not volts:
            found = ", ".join(f"{column.name} in {column.unit}" for column in columns) or "none"
            raise InputError("no channel in volts", Where(file, "--channel", found=found))
        raise InputError(
            "several channels, none chosen",
            Where(file, "--channel", expected=f"one of {', '.join(c.name for c in volts)}"),
        )
    exact = [column for column in columns if column.name == name]
    alike = exact or [column for column in columns if column.name.lower() == name.strip().lower()]
    if len(alike) != 1:
        raise _none_such(file, "channel", name, [column.name for column in columns])
    if alike[0].per_volt is None:
        raise InputError("not a voltage", Where(file, "--channel", found=f"{alike[0].name} in {alike[0].unit}"))
    return alike[0], ()


def unknown_dialect(file: str, name: str, names: Sequence[str]) -> InputError:
    return _none_such(file, "dialect", name, names)


def _none_such(file: str, key: str, name: str, names: Sequence[str]) -> InputError:
    by_lower = {known.lower(): known for known in names}
    near = [by_lower[known] for known in get_close_matches(name.lower(), list(by_lower), 3, 0.5)]
    expected = f"{' or '.join(near)} (there are {', '.join(names)})" if near else f"one of {', '.join(names)}"
    return InputError(f"no such {key}", Where(file, f"--{key}", found=repr(name), expected=expected))
