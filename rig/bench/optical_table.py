"""The [meter] table of a meter behind an optical head (IEC 62056-21 mode C). Only checks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rig.bench.values import PortUrl, Table, Timeout


class OpticalPart(Table):
    """Where the head is, and how to sign on.

    `port` is a serial port or a URL of one (`rfc2217://HOST:PORT`, `socket://HOST:PORT`). `parity`: `even` is done in
    software, on a port that is 8N1; `none` is for a device server that does it itself (7E1 there), and for meters
    behind TCP that have none. `device`: the meter's address; empty asks whoever is under the head. `first_baud` is that
    of the sign-on, `most_baud` the fastest that head and line can do. `wake_up`: the meter has a battery, and sleeps.
    `timeout_s`: how long it may take to answer (1.5 s by the standard). `idle_s`: after so long without a word it has
    ended the session by itself (60 to 120 s).
    """

    driver: Literal["optical"]
    port: PortUrl
    profile: str
    parity: Literal["even", "none"] = "even"
    device: Annotated[str, Field(max_length=32, pattern=r"^[0-9A-Za-z ]*$")] = ""
    first_baud: Literal[300, 600, 1200, 2400, 4800, 9600, 19200] = 300
    most_baud: Literal[300, 600, 1200, 2400, 4800, 9600, 19200] = 19200
    wake_up: bool = False
    timeout_s: Timeout = 2.0
    idle_s: Annotated[float, Field(gt=0, le=600)] = 50.0
    credentials_file: Annotated[str, Field(min_length=1, max_length=200)] | None = None
