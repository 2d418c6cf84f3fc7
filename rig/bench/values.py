"""Kinds of values that several tables of a bench file have: seconds, pins, addresses. Only checks."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticKnownError

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
