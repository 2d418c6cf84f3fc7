"""A meter's Modbus profile, `rig.profile/1`: which registers tell what, and which writes activate. Only checks.

Packaged profiles are named; others are given by path. Registers count from 0.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rig.errors import InputError
from rig.meters.port import ImageState
from rig.toml_file import did_you_mean, read_toml, validate

Register = Annotated[int, Field(ge=0, le=0xFFFF)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Text(_Table):
    """ASCII text, two characters a register, padded with zeros."""

    register_: Register = Field(alias="register")
    words: Annotated[int, Field(ge=1, le=125)]


class Identity(_Table):
    maker: Text
    model: Text
    serial: Text


class Version(_Table):
    """One register for each part of the version, most significant first."""

    register_: Register = Field(alias="register")
    words: Annotated[int, Field(ge=1, le=4)]


class Image(_Table):
    """Transfer by file records (function 21), verification and activation by writes of the image's SHA-256."""

    state_register: Register
    states: list[Literal["none", "transferring", "verifying", "verified", "rejected", "activating", "activated",
                         "activation failed"]]  # fmt: skip
    first_file: Annotated[int, Field(ge=1, le=0xFFFF)] = 1
    registers_a_file: Annotated[int, Field(ge=1, le=10_000)] = 10_000
    words_a_record: Annotated[int, Field(ge=1, le=121)] = 100
    verify_register: Register
    verify_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    activate_register: Register

    def state(self, code: int) -> ImageState | None:
        return ImageState(self.states[code]) if 0 <= code < len(self.states) else None


class Uptime(_Table):
    """Unsigned 32 bit, high word first, in units of `unit_s` seconds."""

    register_: Register = Field(alias="register")
    unit_s: Annotated[float, Field(gt=0, le=3600)] = 1.0


class Profile(_Table):
    schema_: Literal["rig.profile/1"] = Field(alias="schema")
    name: str
    manual: str
    identity: Identity
    version: Version
    image: Image
    uptime: Uptime | None = None


def load_profile(name_or_path: str) -> Profile:
    """A packaged profile by name, or one of the lab's own by path (ending in .toml). Raises InputError."""
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
    else:
        folder = Path(str(resources.files("rig.meters"))) / "profiles"
        known = sorted(p.stem for p in folder.glob("*.toml"))
        if name_or_path not in known:
            hint = did_you_mean(name_or_path, known)
            raise InputError(f"no meter profile '{name_or_path}' (known: {', '.join(known)}){hint}")
        path = folder / f"{name_or_path}.toml"
    data, text = read_toml(path)
    return validate(Profile, data, text, str(path))
