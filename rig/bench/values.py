"""Kinds of values that several tables of a bench file have: seconds, pins, addresses. Only checks."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Timeout = Annotated[float, Field(gt=0, le=60)]
Pin = Annotated[int, Field(ge=0, le=1023)]
HOST = r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])"
PORT = r"([0-9]{1,5})"
_ENDPOINT = rf"^{HOST}:{PORT}$"


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
