"""Modbus RTU on a pseudo-terminal that takes the line's own time: whatever goes wrong on a line has its own words."""

from __future__ import annotations

import hashlib
import os
import struct
import termios
import threading
from collections.abc import Iterator

import pytest

from rig.clock import NS, to_ns
from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, LinkTimeout
from rig.firmware import Behaviour
from rig.meters.modbus import ModbusMeter, probes
from rig.meters.modbus_frames import crc16, has_good_crc
from rig.meters.modbus_rtu import RtuLink, SerialLine
from rig.meters.port import ImageState, MeterIdentity
from rig.meters.profile import load_profile
from rig.twin.meter import BOOT_S, KnownImage, TwinMeter
from rig.twin.modbus import ACTIVATE, TwinModbus
from rig.twin.serial_wire import LineRate, RtuServer
from tests.meters.device import TIMEOUT_S, lab, profile

RATE = LineRate(19_200, 11)
SYNTHETIC = load_profile("synthetic-esme")
IMAGE = bytes(range(256)) * 4
HASH = hashlib.sha256(IMAGE).digest()
ONE = profile("")
TWO_SHAPES = profile('[identity]\nserial = { register = 100, type = "ascii", words = 4 }\n')


class Served:
    """The twin's meter on a serial line, booted."""

    def __init__(self, image: bytes = IMAGE) -> None:
        self.clock = VirtualClock()
        digest = hashlib.sha256(image).hexdigest()
        behaviour = Behaviour(version_after="to", version_changes_at_s=53.0, silent=((2.0, 53.0),))
        self.device = TwinMeter(self.clock, lambda _: None, {digest: KnownImage("1.1.0", behaviour)}, "1.0.0")
        self.wire = RtuServer(TwinModbus(self.device), RATE, self.clock, threading.RLock())
        self.device.mains(True)
        self.clock.sleep(BOOT_S)

    def driver(self, words_a_record: int = 100, baud: int = 19_200) -> ModbusMeter:
        assert SYNTHETIC.image is not None
        image = SYNTHETIC.image.model_copy(update={"words_a_record": words_a_record})
        known = SYNTHETIC.model_copy(update={"image": image})
        line = SerialLine(self.wire.path, baud, "none", 2)
        return ModbusMeter(RtuLink("meter", line, 1, self.clock, TIMEOUT_S, probes(known)), known, self.clock)


@pytest.fixture
def served() -> Iterator[Served]:
    it = Served()
    yield it
    it.wire.close()


def test_the_twins_meter_does_every_step_on_a_serial_line(served: Served) -> None:
    meter = served.driver()
    assert meter.identity() == MeterIdentity("Synthetic Meters", "SM-ESME-1", "SM0000001")
    assert meter.version() == "1.0.0"
    meter.transfer(IMAGE, lambda *_: None)
    assert meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED
    sent = meter.activate(HASH, len(IMAGE))
    assert (sent.after_ns - sent.before_ns) / NS == pytest.approx(41 * 11 / 19_200), "as long as it takes on the line"
    served.clock.sleep(3.0)
    with pytest.raises(LinkTimeout, match="no answer within 2 s"):
        meter.version()
    served.clock.sleep(60.0)
    assert meter.version() == "1.1.0"
    meter.close()


def test_512_kilobytes_take_the_lines_own_time_and_no_more_than_a_tenth_beyond() -> None:
    """Each record of 121 registers is 254 bytes there and 254 back, 11 bits each: 631 s at 19,200 baud."""
    image = os.urandom(512 * 1024)
    it = Served(image)
    meter, began = it.driver(words_a_record=121), it.clock.now()
    meter.transfer(image, lambda *_: None)
    took_s = (it.clock.now() - began) / NS
    whole, rest = divmod(len(image), 242)
    line_s = 2 * (whole * (242 + 12) + rest + 12) * 11 / 19_200
    assert line_s == pytest.approx(630.5, abs=0.1)
    assert line_s <= took_s <= 1.1 * line_s
    assert bytes(it.device.slot) == image
    meter.close()
    it.wire.close()


def test_a_port_that_is_not_there_is_an_error_and_no_time_out() -> None:
    line = SerialLine("/dev/nothing-here", 19_200, "none", 2)
    clock = VirtualClock()
    meter = ModbusMeter(RtuLink("meter", line, 1, clock, TIMEOUT_S, []), ONE, clock)
    with pytest.raises(LinkError, match="meter: cannot connect to the port in the bench file") as caught:
        meter.version()
    assert not isinstance(caught.value, LinkTimeout)


def test_a_port_that_is_pulled_out_is_an_error(served: Served) -> None:
    meter = served.driver()
    assert meter.version() == "1.0.0"
    served.wire.unplug()
    for words in ("the link broke", "cannot connect to the port"):
        with pytest.raises(LinkError, match=words) as caught:
            meter.version()
        assert not isinstance(caught.value, LinkTimeout)


def test_another_rate_is_silence(served: Served) -> None:
    with pytest.raises(LinkTimeout):
        served.driver(baud=9600).version()
    assert served.driver().version() == "1.0.0"


def test_two_programs_never_share_a_port(served: Served) -> None:
    first = served.driver()
    assert first.version() == "1.0.0"
    with pytest.raises(LinkError, match="cannot connect"):
        served.driver().version()
    first.close()
    assert served.driver().version() == "1.0.0"


# -- what comes back wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bit", range(7 * 8))
def test_a_flipped_bit_anywhere_in_a_reply_is_never_a_value(bit: int) -> None:
    with lab(ONE, rtu=True) as it:
        it.device.put(1, 0x0102)

        def flip(frame: bytes) -> bytes:
            assert len(frame) == 7
            return bytes(b ^ (1 << bit % 8 if i == bit // 8 else 0) for i, b in enumerate(frame))

        it.wire.garble = flip  # type: ignore[union-attr]
        with pytest.raises(LinkError) as caught:
            it.meter.version()
        assert "bits were flipped" in caught.value.message or "cut short" in caught.value.message
        it.wire.garble = lambda frame: frame  # type: ignore[union-attr]
        assert it.meter.version() == "258"


def test_a_reply_that_is_cut_short_says_how_short(served: Served) -> None:
    meter = served.driver()
    served.wire.garble = lambda frame: frame[:-3]
    before = served.clock.now()
    with pytest.raises(LinkError, match="meter: read register 130: the reply is cut short: 8 of 11 bytes"):
        meter.version()
    assert served.clock.now() - before >= to_ns(TIMEOUT_S)


def test_an_answer_of_another_unit_is_named() -> None:
    with lab(ONE, rtu=True) as it:
        it.device.put(1, 5)

        def another(frame: bytes) -> bytes:
            answer = b"\x07" + frame[1:-2]
            return answer + crc16(answer)

        it.wire.garble = another  # type: ignore[union-attr]
        with pytest.raises(LinkError, match="meter: read register 1: unit 7 answered, not unit 1"):
            it.meter.version()


def test_an_answer_to_another_function_is_named() -> None:
    with lab(ONE, rtu=True) as it:
        it.device.rule = lambda _: struct.pack(">BBH", 4, 2, 5)
        with pytest.raises(LinkError, match="the answer is to function 4, not 3: to an earlier question"):
            it.meter.version()


def test_two_replies_to_one_question_are_named() -> None:
    with lab(ONE, rtu=True) as it:
        it.device.put(1, 5)
        it.wire.garble = lambda frame: frame + frame  # type: ignore[union-attr]
        with pytest.raises(LinkError, match="more than one reply came"):
            it.meter.version()


@pytest.mark.parametrize("noise", [b"\xff", b"\x00" * 30, bytes(range(200)), b"\x01\x83"])
def test_noise_before_a_reply_is_an_error_and_the_next_question_is_answered(noise: bytes) -> None:
    with lab(ONE, rtu=True) as it:
        it.device.put(1, 5)
        it.wire.garble = lambda frame: noise + frame  # type: ignore[union-attr]
        with pytest.raises(LinkError):
            it.meter.version()
        it.wire.garble = lambda frame: frame  # type: ignore[union-attr]
        assert it.meter.version() == "5"


# -- late replies ----------------------------------------------------------------------------------------------------


def test_a_reply_that_comes_between_two_questions_is_thrown_away() -> None:
    with lab(ONE, rtu=True) as it:
        it.device.put(1, 5)
        it.wire.delay(1.5 * TIMEOUT_S)
        with pytest.raises(LinkTimeout):
            it.meter.version()
        it.device.put(1, 6)
        it.wire.delay(0.0)
        it.clock.sleep(10.0)
        assert it.meter.version() == "6"


def test_after_silence_a_question_of_another_shape_comes_first_so_that_no_late_reply_is_taken_for_the_next() -> None:
    """The unanswered question reads one register; its late reply has the shape of the next question's, not of the
    probe's, which reads four. After that met it, no shape is left: the line is left quiet instead."""
    with lab(TWO_SHAPES, rtu=True) as it:
        it.device.put(1, 5)
        it.device.put(100, 0x4131, 0, 0, 0)
        it.wire.delay(1.2 * TIMEOUT_S)
        with pytest.raises(LinkTimeout):
            it.meter.version()
        it.wire.delay(0.0)
        it.device.put(1, 6)
        late = struct.pack(">BBBH", 1, 3, 2, 5)
        late += crc16(late)
        it.wire.garble = lambda frame: late + frame  # type: ignore[union-attr]
        with pytest.raises(LinkError, match="a reply to an earlier question came"):
            it.meter.version()
        it.wire.garble = lambda frame: frame  # type: ignore[union-attr]
        assert it.meter.version() == "6"
        shapes = [struct.unpack(">HH", pdu[1:])[1] for pdu in it.device.requests]
        assert shapes == [1, 4, 1], "the question, the probe that met the late reply, the question"


def test_without_a_question_of_another_shape_the_line_is_left_quiet_for_a_time_out() -> None:
    with lab(ONE, rtu=True) as it:
        it.device.silent = True
        with pytest.raises(LinkTimeout):
            it.meter.version()
        it.device.silent = False
        it.device.put(1, 6)
        before = it.clock.now()
        assert it.meter.version() == "6"
        assert it.clock.now() - before >= to_ns(TIMEOUT_S)


def test_a_command_whose_answer_never_comes_was_sent_once_on_a_serial_line_too(served: Served) -> None:
    meter = served.driver()
    meter.transfer(IMAGE, lambda *_: None)
    meter.verify(HASH, len(IMAGE))
    face, seen = served.wire._device, []

    class Swallows:
        def answer(self, unit: int, pdu: bytes) -> bytes | None:
            reply = face.answer(unit, pdu)
            if pdu[0] == 16 and struct.unpack(">H", pdu[1:3])[0] == ACTIVATE:
                seen.append(pdu)
                return None
            return reply

    served.wire._device = Swallows()
    sent = meter.activate(HASH, len(IMAGE))
    assert len(seen) == 1
    assert sent.problem is None
    assert served.clock.now() - sent.before_ns == to_ns(TIMEOUT_S)


def test_a_crc_is_that_of_the_standard() -> None:
    """Modbus over Serial Line V1.02, 6.2.2: the example frame 02 07 has the CRC 0x1241, sent low byte first."""
    assert crc16(b"\x02\x07") == b"\x41\x12"
    assert has_good_crc(b"\x02\x07\x41\x12")


def test_a_pseudo_terminal_leaves_what_the_line_is_set_to_alone(served: Served) -> None:
    """The twin hears at one rate: the driver really sets it."""
    meter = served.driver()
    meter.version()
    assert termios.tcgetattr(served.wire._slave)[5] == termios.B19200
