"""A meter's profile for IEC 62056-21, `rig.profile/1` with `protocol = "iec62056-21"`: which commands tell and do what.

Only checks. A text is what stands between STX and ETX, e.g. `0.2.0()`. In it `{offset}`, `{data}`, `{sha256}` and
`{size}` stand for what is sent of an image, and a credential's name in braces for its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rig.meters.profile_files import find, require_protocol
from rig.meters.profile_tables import Delay, Identity, Plain, Status, Version
from rig.toml_file import Key, did_you_mean, read_toml, validate
from rig.toml_model import Fault, refuse

PROTOCOL = "iec62056-21"
_PLACE = re.compile(r"\{([a-z][a-z0-9_]{0,31})\}")
IMAGE_PLACES = ("sha256", "size")
BLOCK_PLACES = ("offset", "data")


def _text(value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"{value!r} is not printable ASCII")
    bare = _PLACE.sub("", value)
    if "{" in bare or "}" in bare:
        raise ValueError(f"{value!r} has a brace that belongs to no name in lower case")
    if bare.count("(") != bare.count(")"):
        raise ValueError(f"{value!r} has a bracket too many")
    if set(bare) & set("/!"):
        raise ValueError(f"{value!r} has a character that no data set has (/ or !)")
    return value


Text = Annotated[str, Field(max_length=512), AfterValidator(_text)]
Command = Annotated[str, Field(pattern=r"^[A-Z][0-9]$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Value(_Table):
    """One value: the answer to a read command, a data set of the readout (by its address), or of the identification.

    `item`: which data set of the answer, from 0. `skip` leading characters are left out, and `length` are taken.
    `scale` is for numbers. `longest`: characters that the answer may have.
    """

    command: Annotated[str, Field(pattern=r"^R[0-9]$")] | None = None
    text: Text | None = None
    readout: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    identification: Literal["maker", "text"] | None = None
    item: Annotated[int, Field(ge=0, le=63)] = 0
    skip: Annotated[int, Field(ge=0, le=127)] = 0
    length: Annotated[int, Field(ge=1, le=128)] | None = None
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    longest: Annotated[int, Field(ge=8, le=8192)] = 256

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("command", "readout", "identification") if getattr(self, name) is not None]
        if len(ways) != 1:
            raise ValueError(
                f"a value has one of command, readout, identification (found {' and '.join(ways) or 'none'})"
            )
        if (self.text is not None) != (self.command is not None):
            raise ValueError("command and text belong together")
        return self


class Action(_Table):
    """One command that does something; the meter answers ACK."""

    command: Annotated[str, Field(pattern=r"^[WEP][0-9]$")]
    text: Text
    before_s: Delay = 0.0
    after_s: Delay = 0.0

    def places(self) -> list[str]:
        """The names in braces."""
        return _PLACE.findall(self.text)


class Password(_Table):
    """What opens the programming mode, after its sign-on."""

    command: Annotated[str, Field(pattern=r"^P[0-9]$")] = "P1"
    text: Text

    def places(self) -> list[str]:
        return _PLACE.findall(self.text)


class Image(_Table):
    """Transfer in blocks of `bytes_a_block`, each written by `block`; then `verify` asks, and [status] answers.

    `{offset}` is eight hexadecimal digits, `{data}` two for each byte. `received`: how many bytes the meter holds; a
    broken transfer goes on there.
    """

    block: Action
    bytes_a_block: Annotated[int, Field(ge=1, le=8192)]
    received: Value | None = None
    verify: list[Action] = []
    verify_s: Annotated[float, Field(gt=0, le=3600)] = 120.0


class Log(_Table):
    """The meter's event log, the oldest first: `fields` data sets an entry.

    The code is the `code_at`-th of them, hexadecimal where `code_base` is 16; the time (seconds) the `time_at`-th.
    """

    value: Value
    fields: Annotated[int, Field(ge=1, le=16)]
    code_at: Annotated[int, Field(ge=0, le=15)] = 0
    code_base: Literal[10, 16] = 16
    time_at: Annotated[int, Field(ge=0, le=15)] | None = None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if max(self.code_at, self.time_at or 0) >= self.fields:
            raise ValueError(f"an entry of {self.fields} fields does not hold that one")
        if self.value.command is None:
            raise ValueError("a log is read by a command")
        return self


class OpticalProfile(_Table):
    """The whole file. `manual` names document and pages; what these do not say is left out, and said in `notes`."""

    schema_: Literal["rig.profile/1"] = Field(alias="schema")
    protocol: Literal["iec62056-21"]
    name: Plain
    manual: Annotated[str, Field(min_length=1, max_length=1000)]
    notes: list[Annotated[str, Field(max_length=1000)]] = []
    credentials: Annotated[list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]], Field(max_length=8)] = []
    password: Password | None = None
    identity: Identity[Value] = Identity()
    version: Version[Value]
    status: Status[Value, Annotated[str, Field(max_length=32)]] | None = None
    uptime: Value | None = None
    image: Image | None = None
    activation: Annotated[list[Action], Field(max_length=32)] = []
    log: Log | None = None

    def values(self) -> list[Value]:
        """Every value that tells who the meter is and what it runs."""
        who = self.identity
        return [v for v in (who.maker, who.model, who.serial) if isinstance(v, Value)] + self.version.parts


def load_optical_profile(name_or_path: str, key: str | None = None) -> OpticalProfile:
    """A packaged profile by name, or one of the lab's own by path (ending in .toml). Raises InputError.

    `key`: where the name stands, in the file that names it.
    """
    path = find(name_or_path, key)
    data, text = read_toml(path)
    return check_optical_profile(data, text, str(path))


def check_optical_profile(data: dict[str, object], text: str, file: str) -> OpticalProfile:
    """`data` (the parsed `text`) as a profile, checked beyond its types. Raises InputError."""
    require_protocol(data, PROTOCOL, text, file)
    profile = validate(OpticalProfile, data, text, file)
    refuse(_faults(profile), text, file)
    return profile


def filled(text: str, pieces: Mapping[str, str]) -> str:
    """`text` with each name in braces replaced."""
    return _PLACE.sub(lambda found: pieces[found[1]], text)


def _faults(profile: OpticalProfile) -> Iterator[Fault]:
    """All contradictions that no single key shows."""
    used: set[str] = set()
    for key, action, allowed in _texts(profile):
        known = [*profile.credentials, *allowed]
        for name in action.places():
            used.add(name)
            if name not in known:
                expected = f"one of: {', '.join(known)}" if known else "a name in credentials"
                yield Fault((*key, "text"), f"unknown name in braces{did_you_mean(name, known)}", repr(name), expected)
    for index, name in enumerate(profile.credentials):
        if name not in used:
            yield Fault(("credentials", index), "no text uses this credential", repr(name), "a text with it in braces")
        if name in (*IMAGE_PLACES, *BLOCK_PLACES):
            yield Fault(("credentials", index), "this name stands for a piece of the image", repr(name), "another name")
    yield from _image_faults(profile)
    for key, value in _reads(profile):
        if value.text is not None and _PLACE.search(value.text):
            yield Fault((*key, "text"), "a read command has no names in braces", repr(value.text), "a text without")


def _image_faults(profile: OpticalProfile) -> Iterator[Fault]:
    image = profile.image
    if image is None:
        return
    if set(image.block.places()) != set(BLOCK_PLACES):
        expected = "{offset} and {data}"
        yield Fault(("image", "block", "text"), "a block is its place and its data", repr(image.block.text), expected)
    if profile.status is None:
        yield Fault(("image",), "nothing would tell whether the image was verified", "no [status]", "a table [status]")
    if not image.verify:
        yield Fault(("image",), "nothing would start the verification", "no [[image.verify]]", "the commands that do")


def _texts(profile: OpticalProfile) -> Iterator[tuple[Key, Action | Password, tuple[str, ...]]]:
    """Every text that may have names in braces, and which it may have beside credentials."""
    if profile.password is not None:
        yield ("password",), profile.password, ()
    if profile.image is not None:
        yield ("image", "block"), profile.image.block, BLOCK_PLACES
        for index, action in enumerate(profile.image.verify):
            yield ("image", "verify", index), action, IMAGE_PLACES
    for index, action in enumerate(profile.activation):
        yield ("activation", index), action, IMAGE_PLACES


def _reads(profile: OpticalProfile) -> Iterator[tuple[Key, Value]]:
    for name in ("maker", "model", "serial"):
        value = getattr(profile.identity, name)
        if isinstance(value, Value):
            yield ("identity", name), value
    for index, part in enumerate(profile.version.parts):
        yield ("version", "parts", index), part
    others: list[tuple[Key, Value | None]] = [
        (("status", "value"), profile.status.value if profile.status else None),
        (("uptime",), profile.uptime),
        (("image", "received"), profile.image.received if profile.image else None),
        (("log", "value"), profile.log.value if profile.log else None),
    ]
    for key, value in others:
        if value is not None:
            yield key, value
