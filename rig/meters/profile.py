"""A meter's Modbus profile, `rig.profile/1`: which registers tell what, and which writes activate. Only checks.

Packaged profiles are named; others are given by path. Addresses are those on the wire, counted from 0: a manual's
register 40001 is address 0. What no single key shows is checked in `rig.meters.profile_checks`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rig.meters.profile_files import find, require_protocol
from rig.meters.profile_tables import Delay, Identity, Plain, Status, Version
from rig.meters.registers import NumberType, Order, TextType, words_of
from rig.toml_file import read_toml, validate
from rig.toml_model import refuse

MOST_READ = 125
"""Registers in one read (functions 3 and 4, Modbus Application Protocol V1.1b3, 6.3)."""
MOST_WRITTEN = 123
"""Registers in one write (function 16, 6.12)."""
HASH_WORDS, SIZE_WORDS = 16, 2

Register = Annotated[int, Field(ge=0, le=0xFFFF)]
_NUMBERS = ("uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")


def _written(value: object) -> object:
    """One coil or register, or an array of one kind of them."""
    array = value if isinstance(value, list) else [value]
    coils = all(isinstance(each, bool) for each in array)
    registers = all(type(each) is int and 0 <= each <= 0xFFFF for each in array)
    if not array or not (coils or registers):
        raise ValueError(f"{value!r} is neither true, false, a number from 0 to 65535, nor an array of these")
    return value


Written = Annotated[bool | int | list[bool] | list[int], BeforeValidator(_written)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Value(_Table):
    """One value in registers, read by function 3 or 4.

    `words` belongs to text (`ascii`, `bcd`, `bytes`, `words`), `scale` to numbers. `decimals` is for versions that are
    numbers: 488 with two decimals reads 4.88. `skip_bytes` leaves out leading bytes of text.
    """

    register_: Register = Field(alias="register")
    function: Literal[3, 4] = 3
    type: NumberType | TextType = "uint16"
    words: Annotated[int, Field(ge=1, le=MOST_READ)] | None = None
    word_order: Order = "high-first"
    byte_order: Order = "high-first"
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    decimals: Annotated[int, Field(ge=0, le=9)] = 0
    skip_bytes: Annotated[int, Field(ge=0, le=249)] = 0

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if self.is_number and (self.words is not None or self.skip_bytes):
            raise ValueError(f"words and skip_bytes belong to text, not to {self.type}")
        if not self.is_number and self.words is None:
            raise ValueError(f"{self.type} needs its number of words")
        if not self.is_number and (self.scale != 1.0 or self.decimals):
            raise ValueError(f"scale and decimals belong to numbers, not to {self.type}")
        if self.type == "words" and self.skip_bytes:
            raise ValueError("skip_bytes would cut a word in half")
        if self.skip_bytes >= 2 * self.count:
            raise ValueError(f"skip_bytes leaves nothing of {self.count} registers")
        if self.register_ + self.count > 0x10000:
            raise ValueError(f"reads past the last register: {self.register_} and {self.count} words")
        return self

    @property
    def is_number(self) -> bool:
        return self.type in _NUMBERS

    @property
    def count(self) -> int:
        """How many registers it takes."""
        if self.words is not None:
            return self.words
        return words_of(self.type) if self.type in _NUMBERS else 1  # type: ignore[arg-type]

    @property
    def span(self) -> range:
        return range(self.register_, self.register_ + self.count)


class Whole(_Table):
    """Registers that are only to be read as a whole (some meters refuse parts of them)."""

    register_: Register = Field(alias="register")
    words: Annotated[int, Field(ge=1, le=MOST_READ)]
    function: Literal[3, 4] = 3

    @property
    def span(self) -> range:
        return range(self.register_, self.register_ + self.words)


class Credential(_Table):
    """How a credential goes into registers. Its value is never here: see `rig.meters.credentials`."""

    type: NumberType | Literal["ascii"] = "ascii"
    words: Annotated[int, Field(ge=1, le=MOST_WRITTEN)] | None = None
    word_order: Order = "high-first"

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if (self.type == "ascii") != (self.words is not None):
            raise ValueError("words belongs to ascii, and only there")
        return self

    @property
    def count(self) -> int:
        return self.words if self.type == "ascii" and self.words is not None else words_of(self.type)  # type: ignore[arg-type]


class Write(_Table):
    """One write of the activation or the verification: function, address, and one of value, credential, image.

    `image`: the SHA-256 of the image (16 registers) or its size in bytes (2 registers, high word first), or both.
    """

    function: Literal[5, 6, 15, 16]
    register_: Register = Field(alias="register")
    value: Written | None = None
    credential: str | None = None
    image: Annotated[list[Literal["sha256", "size"]], Field(min_length=1, max_length=2)] | None = None
    before_s: Delay = 0.0
    after_s: Delay = 0.0

    @model_validator(mode="after")
    def _fits_its_function(self) -> Self:
        given = [name for name in ("value", "credential", "image") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a write has one of value, credential, image (found {' and '.join(given) or 'none'})")
        kinds = {5: bool, 6: int, 15: list, 16: list}
        if self.value is not None and type(self.value) is not kinds[self.function]:
            names = {5: "true or false", 6: "one number", 15: "an array of true and false", 16: "an array of numbers"}
            raise ValueError(f"function {self.function} writes {names[self.function]}")
        if isinstance(self.value, list):
            self._fits_its_array(self.value)
        if self.function in (5, 15) and self.value is None:
            raise ValueError(f"function {self.function} writes coils: it takes a value only")
        if self.function == 6 and self.image is not None:
            raise ValueError("function 6 writes one register: an image's hash and size need function 16")
        return self

    def _fits_its_array(self, values: list[bool] | list[int]) -> None:
        most = 1968 if self.function == 15 else MOST_WRITTEN
        if not 1 <= len(values) <= most:
            raise ValueError(f"function {self.function} writes 1 to {most} values at once (found {len(values)})")
        if isinstance(values[0], bool) != (self.function == 15):
            raise ValueError("function 15 writes coils (true, false), function 16 registers (numbers)")
        if self.register_ + len(values) > 0x10000:
            raise ValueError(f"writes past the last address: {self.register_} and {len(values)} values")


class Image(_Table):
    """Transfer by file records (function 21), then verification: `verify` writes ask for it, [status] answers.

    `received`: how many bytes of the image the meter holds; a broken transfer goes on there.
    """

    first_file: Annotated[int, Field(ge=1, le=0xFFFF)] = 1
    registers_a_file: Annotated[int, Field(ge=1, le=10_000)] = 10_000
    words_a_record: Annotated[int, Field(ge=1, le=121)] = 100
    received: Value | None = None
    verify: list[Write] = []
    verify_s: Annotated[float, Field(gt=0, le=3600)] = 120.0


class Log(_Table):
    """The meter's event log: `count` entries of `words` registers each from `register` on, the oldest first.

    In an entry, the code is at word `code_at`; its time (uint32, seconds) at `time_at`, where there is one.
    """

    count: Value
    register_: Register = Field(alias="register")
    words: Annotated[int, Field(ge=1, le=16)]
    entries: Annotated[int, Field(ge=1, le=1000)]
    code_at: Annotated[int, Field(ge=0, le=15)] = 0
    time_at: Annotated[int, Field(ge=0, le=15)] | None = None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        ends = [self.code_at + 1] + ([self.time_at + 2] if self.time_at is not None else [])
        if max(ends) > self.words:
            raise ValueError(f"an entry of {self.words} words does not hold word {max(ends) - 1}")
        if self.register_ + self.words * self.entries > 0x10000:
            raise ValueError("reads past the last register")
        return self


class Profile(_Table):
    """The whole file. `manual` names document and pages; what these do not say is left out, and said in `notes`."""

    schema_: Literal["rig.profile/1"] = Field(alias="schema")
    protocol: Literal["modbus"] = "modbus"
    name: Plain
    manual: Annotated[str, Field(min_length=1, max_length=1000)]
    notes: list[Annotated[str, Field(max_length=1000)]] = []
    identity: Identity[Value] = Identity()
    version: Version[Value]
    status: Status[Value, int] | None = None
    uptime: Value | None = None
    whole: list[Whole] = []
    image: Image | None = None
    credentials: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], Credential] = {}
    activation: Annotated[list[Write], Field(max_length=32)] = []
    log: Log | None = None

    def writes(self) -> list[Write]:
        """All writes: of the verification and of the activation."""
        return [*(self.image.verify if self.image is not None else []), *self.activation]


def load_profile(name_or_path: str, key: str | None = None) -> Profile:
    """A packaged profile by name, or one of the lab's own by path (ending in .toml). Raises InputError.

    `key`: where the name stands, in the file that names it.
    """
    path = find(name_or_path, key)
    data, text = read_toml(path)
    return check_profile(data, text, str(path))


def check_profile(data: dict[str, object], text: str, file: str) -> Profile:
    """`data` (the parsed `text`) as a profile, checked beyond its types. Raises InputError."""
    from rig.meters.profile_checks import faults

    require_protocol(data, "modbus", text, file)
    profile = validate(Profile, data, text, file)
    refuse(faults(profile), text, file)
    return profile
