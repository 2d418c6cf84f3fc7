"""Sign-on of IEC 62056-21: wake-up, request, identification, the choice of mode and rate, and sign-off.

Knows no command. Afterwards the port is at the rate that was agreed. Asking again is safe here, and bounded.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Literal

from rig.errors import LinkError, LinkTimeout
from rig.meters.iec62056.frames import (
    BREAK,
    LONGEST_IDENTIFICATION,
    MODE_C,
    NAK,
    Identification,
    identification,
    identification_end,
    option_select,
    request_message,
)
from rig.meters.serial_port import Damaged, SerialPort, seven_bits

WAKE_UP_S = 2.2
"""Zeros for 2.1 to 2.3 s, then a pause of 1.5 to 1.7 s (Annex B)."""
WAKE_UP_PAUSE_S = 1.6
QUIET_S = 0.3
"""The line is quiet for so long before a sign-on."""
_BETWEEN_BREAKS_S = 0.05

Mode = Literal["readout", "programming", "hdlc"]
_OPTIONS: dict[Mode, tuple[str, str]] = {"readout": ("0", "0"), "programming": ("0", "1"), "hdlc": ("2", "2")}


@dataclass(frozen=True)
class SignOn:
    """How to sign on. `address`: of the device; empty asks whoever is there. `most_baud`: what head and line can do.

    `answer_s`: how long it may take to answer (1.5 s by 6.3.14, item 12, and what adapters and servers add).
    """

    address: str = ""
    first_baud: int = 300
    most_baud: int = 19_200
    wake_up: bool = False
    answer_s: float = 1.8
    attempts: int = 3


def identify(port: SerialPort, how: SignOn) -> Identification:
    """The meter's identification, at the first rate. Raises LinkError, LinkTimeout.

    A wrong answer is asked for again, `how.attempts` times in all; silence twice: before that a session that was left
    open (by a head that was lifted off, by a program that died) is ended, at every rate that it may have.
    """
    for attempt in range(1, how.attempts + 1):
        port.open(how.first_baud)
        port.drain(QUIET_S)
        if how.wake_up:
            port.tell(bytes(round(WAKE_UP_S / port.seconds(1))), WAKE_UP_PAUSE_S)
        try:
            return _ask(port, how)
        except LinkError as error:
            silent = isinstance(error, LinkTimeout)
            if not silent:
                sign_off(port)  # something is there, and waits for what is not coming
            if attempt == how.attempts or (silent and attempt == 2):
                raise _named(port, "sign-on", error) from None
            if silent:
                _end_any(port, how.most_baud)
    raise LinkError(f"{port.name}: sign-on: {how.attempts} attempts are none")


def _end_any(port: SerialPort, most_baud: int) -> None:
    for rate in sorted((r for r in MODE_C.values() if 300 < r <= most_baud), reverse=True):
        port.open(rate)
        port.tell(BREAK, _BETWEEN_BREAKS_S)


def _ask(port: SerialPort, how: SignOn) -> Identification:
    """What answers the request. Only a meter of mode A or B goes on talking behind it."""
    data = port.exchange(
        request_message(how.address),
        identification_end,
        first_s=how.answer_s,
        longest=LONGEST_IDENTIFICATION,
        more=True,
    )
    who = identification(data)
    if who.mode == "C" and port.rest:
        raise LinkError(f"{len(port.rest)} bytes came behind the identification")
    return who


def choose(port: SerialPort, who: Identification, how: SignOn, mode: Mode) -> tuple[bytes, int]:
    """The option select message for `mode`, and the rate after it; waited for is the time that it must not come before.

    Raises LinkError for a meter that cannot do it.
    """
    if who.mode != "C":
        raise LinkError(f"{port.name}: sign-on: the meter speaks mode {who.mode}, which has no {mode} mode")
    character, rate = who.baud(how.most_baud)
    port.clock.sleep(who.least_reaction_s)
    return option_select(_OPTIONS[mode][0], character, _OPTIONS[mode][1]), rate


def sign_on_hdlc(port: SerialPort, how: SignOn) -> Identification:
    """Sign on, then into HDLC (mode E, Annex E): afterwards the port is at the agreed rate, ready for frames in 8N1.

    The meter repeats the choice at the new rate, still with parity; some say nothing. That, and a confirmation that
    comes damaged, is taken for a yes: an HDLC frame will tell. Raises LinkError for another answer, for one that does
    not offer HDLC, LinkTimeout for silence at sign-on.
    """
    who = identify(port, how)
    if not who.enhanced:
        raise LinkError(f"{port.name}: sign-on: the meter's identification offers no HDLC (mode E)")
    message, rate = choose(port, who, how, "hdlc")

    def whole(data: bytes) -> int | None:
        if not message.startswith(data[: len(message)]):
            raise LinkError(f"{port.name}: sign-on: the meter did not confirm HDLC at {rate} baud")
        return len(message) if len(data) >= len(message) else None

    with contextlib.suppress(LinkTimeout, Damaged):
        port.exchange(message, whole, first_s=how.answer_s, longest=len(message), then_baud=rate)
    return who


def sign_off(port: SerialPort) -> None:
    """Break (6.3.10). Never raises for a line that is broken already: what can be done is done. Twice where the meter
    asks for it with NAK."""
    for _ in range(2):
        try:
            if NAK not in seven_bits(port.tell(BREAK, QUIET_S)):
                return
        except LinkError:
            return


def _named(port: SerialPort, what: str, error: LinkError) -> LinkError:
    text = error.message.removeprefix(f"{port.name}: ")
    return type(error)(f"{port.name}: {what}: {text}")
