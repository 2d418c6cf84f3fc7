"""Kinds of values that several tables of a bench file have: seconds, pins, addresses. Only checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from rig.instruments.address import PATTERN, Kind, parse_address
from rig.instruments.wires import LineSettings, Parity

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Timeout = Annotated[float, Field(gt=0, le=60)]
Pin = Annotated[int, Field(ge=0, le=1023)]
HOST = r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])"
PORT = r"([0-9]{1,5})"
_ENDPOINT = rf"^{HOST}:{PORT}$"


def or_words(number: dict[str, Any], *words: str) -> tuple[Any, ...]:
    """What makes a kind of number also take one of these words. `number` is its JSON Schema."""
    expected = " or ".join(["a number", *(repr(word) for word in words)])

    def check(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        if not isinstance(value, str):
            return handler(value)
        if value not in words:
            raise PydanticKnownError("literal_error", {"expected": expected})
        return value

    schema = {"anyOf": [number, {"enum": list(words)}]}
    return WrapValidator(check), PlainSerializer(lambda value: value), WithJsonSchema(schema)


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def address(value: str, pattern: str, form: str) -> str:
    """`value`, when it matches and its second group is a port. Raises ValueError that shows the `form`."""
    match = re.fullmatch(pattern, value)
    if match is None or not 1 <= int(match[2]) <= 65_535:
        raise ValueError(f"{value!r} is no address like {form} with a port from 1 to 65535")
    return value


def _endpoint(value: str) -> str:
    return address(value, _ENDPOINT, "HOST:PORT")


Endpoint = Annotated[str, AfterValidator(_endpoint), WithJsonSchema({"type": "string", "pattern": _ENDPOINT})]
"""host:port."""
SerialPort = Annotated[str, Field(pattern=r"^/dev/[!-~]{1,200}$")]
PortUrl = Annotated[str, Field(pattern=r"^(/dev|(rfc2217|socket):/)/[!-~]{1,200}$")]
"""A serial port, or one behind a server: `rfc2217://HOST:PORT`, `socket://HOST:PORT`."""


def _visa(value: str) -> str:
    parse_address(value)
    return value


VisaAddress = Annotated[str, AfterValidator(_visa), WithJsonSchema({"type": "string", "pattern": PATTERN})]
"""A VISA resource name of a kind that the links speak (`rig.instruments.address`)."""

Baud = Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]


class Addressed(Table):
    """Has an `address` (a `VisaAddress`); `baud`, `parity` and `stop_bits` are a serial port's, and of nothing else."""

    if TYPE_CHECKING:
        address: VisaAddress  # each table declares it in its own place: faults are told in the file's order
    baud: Baud | None = None
    parity: Parity | None = None
    stop_bits: Literal[1, 2] | None = None

    @model_validator(mode="after")
    def _line_keys(self) -> Self:
        given = [key for key in ("baud", "parity", "stop_bits") if getattr(self, key) is not None]
        if given and parse_address(self.address).kind is not Kind.SERIAL:
            raise ValueError(f"{given[0]} is of a serial port, and {self.address} is none")
        return self

    def line(self) -> LineSettings:
        """How its serial port is set; of no account for another kind of address."""
        usual = LineSettings()
        return LineSettings(self.baud or usual.baud, self.parity or usual.parity, self.stop_bits or usual.stop_bits)
