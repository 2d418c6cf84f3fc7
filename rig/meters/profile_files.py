"""Where profiles of meters are: packaged ones by name, a lab's own by path. Knows no protocol and no key but two."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from rig.errors import InputError, Where
from rig.toml_file import did_you_mean, line_of


def find(name_or_path: str, key: str | None = None) -> Path:
    """The file of a packaged profile by name, or of one of the lab's own by path (ending in .toml). Raises InputError.

    `key`: where the name stands, in the file that names it.
    """
    if name_or_path.endswith(".toml"):
        return Path(name_or_path)
    known = names()
    if name_or_path not in known:
        hint = did_you_mean(name_or_path, known)
        raise InputError(f"no meter profile '{name_or_path}' (known: {', '.join(known)}){hint}", Where(key=key))
    return _packaged() / f"{name_or_path}.toml"


def names(protocol: str | None = None) -> list[str]:
    """The profiles that the package carries: all, or those of one protocol."""
    paths = sorted(_packaged().glob("*.toml"))
    return [path.stem for path in paths if protocol is None or protocol_of(path) == protocol]


def require_protocol(data: Mapping[str, object], protocol: str, text: str, file: str) -> None:
    """Raises InputError for a profile (parsed from `text`) that is for another protocol; Modbus need not be said."""
    found = data.get("protocol", "modbus")
    if found != protocol:
        where = Where(file, "protocol", line_of(text, ("protocol",)), repr(found)[:100], repr(protocol))
        raise InputError("a profile for another protocol than the driver's", where)


def protocol_of(path: Path) -> str:
    """What a good profile is for; Modbus where it does not say."""
    return str(tomllib.loads(path.read_text(encoding="utf-8")).get("protocol", "modbus"))


def _packaged() -> Path:
    return Path(str(resources.files("rig.meters"))) / "profiles"
