"""A line on which anything may come, in pieces cut anywhere: the driver reads it or refuses it by name, and ends.

Without pseudo-terminals: what pyserial would open is replaced by a list. RIG_EXAMPLES=5000 was run when this was
written.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rig.clock.virtual import VirtualClock
from rig.errors import LinkError
from rig.meters import serial_port
from rig.meters.credentials import Secret
from rig.meters.iec62056.frames import BREAK, framed
from rig.meters.iec62056.meter import OpticalMeter
from rig.meters.iec62056.sign_on import SignOn
from rig.meters.serial_port import SerialPort, seven_bits, with_parity
from rig.meters.serial_wires import Wire
from tests.meters.iec62056.optical_lab import PROFILE

MORE = int(os.environ.get("RIG_EXAMPLES", "0")) or 200
IN_ONE_TEST = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
GOOD = [
    b"/SYn5SM-ESME-1\r\n",
    b"/SYn5\\2SM-ESME-1\r\n",
    b"/ABC6\r\n",
    b"/ABCmeter\r\n",
    b"\x01P0\x02(00000000)\x03`",
    b"\x06",
    b"\x15",
    BREAK,
    framed(b"\x020.2.0(1.0.0)\x03"),
    framed(b"\x02FW.S(3)\x03"),
    framed(b"\x02FW.L(8F43)(12*s)\x04"),
    framed(b"\x02(ER01)\x03"),
    framed(b"\x020.2.0(1)\r\n!\r\n\x03"),
]
PIECES = st.sampled_from([with_parity(good) for good in GOOD]) | st.sampled_from(GOOD) | st.binary(max_size=8)
SIGNED_ON = [with_parity(good) for good in (GOOD[0], GOOD[4], b"\x06")]
LINES = st.lists(PIECES, max_size=24) | st.lists(PIECES, max_size=24).map(lambda pieces: [*SIGNED_ON, *pieces])


class AnyLine(Wire):
    """Reads give the next pieces; nothing once they are over."""

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__(None)
        self._pieces = list(pieces)
        self.written: list[bytes] = []

    def set_baud(self, baud: int) -> None:
        del baud

    def write(self, data: bytes) -> None:
        self.written.append(seven_bits(data))

    def read(self, timeout_s: float) -> bytes:
        del timeout_s
        return self._pieces.pop(0) if self._pieces else b""

    def discard(self) -> bool:
        return False

    def pause(self, seconds: float) -> None: ...
    def wake(self) -> None: ...
    def rest(self) -> None: ...
    def close(self) -> None: ...


def conversation(line: AnyLine, what: Callable[[OpticalMeter], object]) -> str:
    """What was told, or why nothing was."""
    clock = VirtualClock()
    port = SerialPort("meter", "/dev/any", clock)
    meter = OpticalMeter(port, PROFILE, clock, SignOn(), {"twin_password": Secret("twin_password", "geheim77")})
    try:
        return str(what(meter))
    except LinkError as error:
        return error.one_line()
    finally:
        meter.close()


STEPS: dict[str, Callable[[OpticalMeter], object]] = {
    "version": lambda meter: meter.version(),
    "events": lambda meter: meter.events(),
    "uptime": lambda meter: meter.uptime_s(),
    "transfer": lambda meter: meter.transfer(bytes(3000), lambda *_: None),
    "verify": lambda meter: meter.verify(bytes(32), 3000),
    "activate": lambda meter: meter.activate(bytes(32), 3000),
}


@settings(max_examples=MORE, suppress_health_check=IN_ONE_TEST)
@given(pieces=LINES, step=st.sampled_from(sorted(STEPS)))
@example(pieces=[with_parity(GOOD[0]), with_parity(GOOD[4]), with_parity(b"\x06"), b"\xff" * 5000], step="activate")
@example(pieces=[b"/" * 4000] * 24, step="version")
def test_whatever_comes_the_driver_ends_names_it_and_sends_no_action_twice(
    pieces: list[bytes], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = AnyLine(pieces)
    monkeypatch.setattr(serial_port, "open_wire", lambda *_: line)
    told = conversation(line, STEPS[step])
    assert len(told) < 1000
    assert "geheim" not in told
    assert len([sent for sent in line.written if sent.startswith(b"\x01E2\x02FW.A")]) <= 1
    assert len([sent for sent in line.written if sent.startswith(b"\x01E2\x02FW.V")]) <= 1
    assert len(line.written) < 200


@settings(max_examples=MORE, suppress_health_check=IN_ONE_TEST)
@given(cuts=st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_an_answer_may_be_cut_anywhere(cuts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [GOOD[0], GOOD[4], b"\x06", GOOD[8]]
    pieces: list[bytes] = []
    for answer in map(with_parity, answers):
        at, n = 0, 0
        while at < len(answer):
            pieces.append(answer[at : at + cuts[n % len(cuts)]])
            at += cuts[n % len(cuts)]
            n += 1
    line = AnyLine(pieces)
    monkeypatch.setattr(serial_port, "open_wire", lambda *_: line)
    assert conversation(line, STEPS["version"]) == "1.0.0"
    assert line.written[-1] == BREAK, "signed off"
