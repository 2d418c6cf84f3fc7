"""Where a DLMS meter keeps what the rig asks of it: OBIS codes, and what its image is called. Only checks; no I/O.

The defaults are those of the Blue Book and of common companion profiles. A file (`rig.dlms-profile/1`, TOML) says
otherwise for one product; what it does not name keeps its default.
"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from rig.errors import InputError, Where
from rig.toml_file import did_you_mean, read_toml, validate

_OBIS = r"^([0-9]{1,3})-([0-9]{1,3}):([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\*([0-9]{1,3})$"


def _obis(value: str) -> str:
    match = re.fullmatch(_OBIS, value)
    if match is None or any(int(part) > 255 for part in match.groups()):
        raise ValueError(f"{value!r} is no OBIS code like 1-0:0.2.0*255")
    return value


Obis = Annotated[str, AfterValidator(_obis), WithJsonSchema({"type": "string", "pattern": _OBIS})]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Place(_Table):
    """One attribute: by default the value of a data object (class 1, attribute 2)."""

    obis: Obis
    class_id: Annotated[int, Field(ge=1, le=65_535)] = 1
    attribute: Annotated[int, Field(ge=1, le=127)] = 2


class Identity(_Table):
    """Who it is. Without `maker` it is the first three letters of the logical device name (its FLAG code)."""

    maker: Place | None = None
    model: Place | None = None
    serial: Place | None = Place(obis="0-0:96.1.0*255")
    device_name: Place = Place(obis="0-0:42.0.0*255")


class Image(_Table):
    """`identifier`: what the image is called when its transfer begins: its SHA-256, or this text.

    `signature`: what the meter must show as the image's signature before it is activated; `any` is not looked at.
    `verify_s`: how long its verification may take.
    """

    obis: Obis = "0-0:44.0.0*255"
    identifier: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")] = "sha256"
    signature: Literal["sha256", "any"] = "any"
    verify_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 600.0
    schedule: Obis = "0-0:15.0.2*255"


class Log(_Table):
    """A profile generic object. `value_at`: the column that holds a duration (s) or a code; `time_at` that of its time.

    A power failure's time is that of its end.
    """

    obis: Obis
    time_at: Annotated[int, Field(ge=0, le=31)] = 0
    value_at: Annotated[int, Field(ge=0, le=31)] = 1


class Uptime(Place):
    """`scale`: seconds of one unit."""

    class_id: Annotated[int, Field(ge=1, le=65_535)] = 3
    scale: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 1.0


class Profile(_Table):
    """The whole file. `false` for a log says that the meter has none worth reading."""

    schema_: Literal["rig.dlms-profile/1"] = Field(default="rig.dlms-profile/1", alias="schema")
    name: Annotated[str, Field(min_length=1, max_length=100)] = "Blue Book"
    manual: Annotated[str, Field(max_length=1000)] = ""
    identity: Identity = Identity()
    version: Place = Place(obis="1-0:0.2.0*255")
    image: Image = Image()
    clock: Place = Place(obis="0-0:1.0.0*255", class_id=8)
    power_failures: Log | Literal[False] = Log(obis="1-0:99.97.0*255")
    events: Log | Literal[False] = Log(obis="0-0:99.98.0*255")
    uptime: Uptime | None = None


def load_profile(name_or_path: str | None, key: str) -> Profile:
    """A packaged profile by name, or one of the lab's own by path (ending in .toml); None = the defaults.

    `key`: where the name stands, in the file that names it. Raises InputError.
    """
    if name_or_path is None:
        return Profile()
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
    else:
        known = names()
        if name_or_path not in known:
            hint = did_you_mean(name_or_path, known)
            where = Where(
                key=key, found=repr(name_or_path), expected=f"one of {', '.join(known)}, or a path to a .toml"
            )
            raise InputError(f"no DLMS profile of this name{hint}", where)
        path = _packaged() / f"{name_or_path}.toml"
    data, text = read_toml(path)
    return validate(Profile, data, text, str(path))


def names() -> list[str]:
    """The profiles that the package carries."""
    return sorted(path.stem for path in _packaged().glob("*.toml"))


def _packaged() -> Path:
    return Path(str(resources.files("rig.meters.dlms"))) / "profiles"
