"""The [meter] table of a meter on DLMS/COSEM. Only checks; `rig.bench.dlms_opening` opens it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rig.bench.values import Endpoint, PortUrl, Table, Timeout
from rig.meters.dlms.profile import Obis

_Title = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{16}$")]


class DlmsPart(Table):
    """Where the meter is, and how it is spoken to.

    `port` is a serial port with an optical head, or a URL of one: `sign_on` says whether HDLC begins by IEC 62056-21
    (mode E, from `first_baud` to at most `baud`, `device` its address there) or at once (at `baud`). `address` is the
    wrapper on TCP. `client`, `server`, `physical`: addresses. `title`: this client's system title, 16 hexadecimal
    digits. `information_bytes` and `window`: what HDLC is offered. `activate`: by the method, or dated, so many
    seconds ahead.
    """

    driver: Literal["dlms"]
    port: PortUrl | None = None
    address: Endpoint | None = None
    sign_on: Literal["mode-e", "direct"] = "mode-e"
    baud: Literal[300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    first_baud: Literal[300, 600, 1200, 2400, 4800, 9600] = 300
    wake_up: bool = False
    device: Annotated[str, Field(max_length=32, pattern=r"^[0-9A-Za-z ]*$")] = ""
    client: Annotated[int, Field(ge=1, le=0x7F)] = 1
    server: Annotated[int, Field(ge=1, le=0x3FFF)] = 1
    physical: Annotated[int, Field(ge=0, le=0x3FFF)] | None = None
    authentication: Literal["none", "low", "high", "high-md5", "high-sha1", "high-gmac", "high-sha256"] = "none"
    ciphered: bool = False
    title: _Title | None = None
    information_bytes: Annotated[int, Field(ge=32, le=2030)] = 2030
    window: Annotated[int, Field(ge=1, le=7)] = 1
    image_object: Obis | None = None
    activate: Literal["method", "schedule"] = "method"
    schedule_s: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    profile: str | None = None
    timeout_s: Timeout = 5.0
    credentials_file: Annotated[str, Field(min_length=1, max_length=100)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.port is None) == (self.address is None):
            raise ValueError("a DLMS meter has a port (HDLC) or an address (the TCP wrapper): one of them")
        if self.secured and self.title is None:
            raise ValueError("ciphering, high-gmac and high-sha256 need a system title: title")
        return self

    @property
    def secured(self) -> bool:
        """Whether a system title is needed."""
        return self.ciphered or self.authentication in ("high-gmac", "high-sha256")

    @property
    def needs_keys(self) -> bool:
        return self.ciphered or self.authentication == "high-gmac"

    @property
    def needs_password(self) -> bool:
        return self.authentication not in ("none", "high-gmac")
