"""Credentials of a meter: from the environment, or from a file that only its owner reads. Never from a bench file.

`RIG_METER_<NAME>` first, then the file: TOML, `name = "value"` lines, mode 0600. A value is never part of a message,
and has no readable form but `Secret.reveal`, which only a driver calls. `Credentials.hide` strikes values out of
foreign texts (a plug-in's exception).
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from rig.errors import InputError, Where

PREFIX = "RIG_METER_"
_STRUCK_OUT = "***"
_LONGEST_BYTES = 65_536


class Secret:
    """A value that shows itself to nobody by accident: not in a message, a log, a traceback with locals, a pickle."""

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"

    def __reduce__(self) -> str:
        raise TypeError("a secret stays in its process")

    def reveal(self) -> str:
        """The value: for a driver that sends it, and for nothing else."""
        return self._value


class Credentials:
    """What is known by name. `file` None: only the environment."""

    def __init__(self, file: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        """Raises InputError for a file that is missing, readable by others, or no such TOML."""
        self._file = file
        found = os.environ if environment is None else environment
        self._values = {} if file is None else read_private(file)
        self._values |= {key[len(PREFIX) :].lower(): found[key] for key in found if key.startswith(PREFIX)}

    def get(self, name: str) -> Secret:
        """The credential `name` (lower case). Raises InputError that says where it could come from."""
        if name not in self._values:
            places = f"the environment variable {variable(name)}"
            if self._file is not None:
                places += f", or '{name}' in that file"
            else:
                places += ", or credentials_file in the bench file's [meter]"
            file = None if self._file is None else str(self._file)
            raise InputError(f"the meter's profile needs the credential '{name}'", Where(file, expected=places))
        return Secret(name, self._values[name])

    def hide(self, text: str) -> str:
        """`text` without any value of these credentials."""
        for value in sorted(self._values.values(), key=len, reverse=True):
            if value:
                text = text.replace(value, _STRUCK_OUT)
        return text


def variable(name: str) -> str:
    """The environment variable of a credential."""
    return PREFIX + name.upper()


def read_private(file: Path) -> dict[str, str]:
    """`name = "value"` lines of a file that only its owner reads. Raises InputError; never tells a value."""
    where = Where(file=str(file))
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError("is no plain file", where)
            mode = stat.S_IMODE(status.st_mode)
            if mode & 0o077:
                raise InputError(
                    "others may read the credentials; say: chmod 600",
                    Where(str(file), found=f"{mode:04o}", expected="0600"),
                )
            data = stream.read(_LONGEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"the credentials cannot be read: {error.strerror}", where) from None
    if len(data) > _LONGEST_BYTES:
        raise InputError("too long for a file of credentials", where)
    return _parsed(data, str(file))


def _parsed(data: bytes, file: str) -> dict[str, str]:
    """A parser's own words may hold a piece of a value: none of them is told."""
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise InputError("not valid TOML", Where(file=file, expected='lines such as name = "value"')) from None
    for name, value in table.items():
        if not isinstance(value, str):
            raise InputError("a credential is text in quotes", Where(file=file, key=name))
    return {name.lower(): value for name, value in table.items()}
