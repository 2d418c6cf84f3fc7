"""The Modbus driver against the twin's meter on the virtual clock: every step, and every way to fall silent."""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from rig.clock import NS, to_ns
from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, LinkTimeout
from rig.firmware import Behaviour
from rig.meters.modbus import ModbusMeter
from rig.meters.modbus_link import TcpLink
from rig.meters.port import Activation, ImageState, MeterIdentity
from rig.meters.profile import Profile, load_profile
from rig.twin.meter import BOOT_S, VERIFY_S, KnownImage, TwinMeter
from rig.twin.modbus import ACTIVATE, VERSION, TwinModbus
from rig.twin.modbus_server import ModbusServer

IMAGE = bytes(range(256)) * 90 + b"odd"
HASH = hashlib.sha256(IMAGE).digest()
TIMEOUT_S = 2.0
PROFILE: Profile = load_profile("synthetic-esme")


class Lab:
    """A booted meter behind its port, its driver, and every request that reached it."""

    def __init__(self, unit: int = 1) -> None:
        self.clock = VirtualClock()
        behaviour = Behaviour(version_after="to", version_changes_at_s=53.0, silent=((2.0, 53.0),))
        known = {HASH.hex(): KnownImage("1.1.0", behaviour)}
        self.device = TwinMeter(self.clock, lambda _: None, known, "1.0.0")
        self.face = TwinModbus(self.device)
        self.requests: list[bytes] = []
        self._answer = self.face.answer
        self.face.answer = self.hear  # type: ignore[method-assign]
        self.server = ModbusServer(self.face, self.clock, threading.RLock())
        self.device.mains(True)
        self.clock.sleep(BOOT_S)
        self.meter = self.driver(PROFILE, unit)
        self.rule: Callable[[bytes], bytes | None] | None = None

    def driver(self, profile: Profile, unit: int = 1) -> ModbusMeter:
        link = TcpLink("meter", self.server.host, self.server.port, unit, self.clock, TIMEOUT_S)
        return ModbusMeter(link, profile, self.clock)

    def hear(self, unit: int, pdu: bytes) -> bytes | None:
        """Answer as the meter does, or as `rule` says."""
        self.requests.append(pdu)
        return self._answer(unit, pdu) if self.rule is None else self.rule(pdu)

    def writes_to(self, register: int) -> int:
        return sum(pdu[0] == 16 and struct.unpack(">H", pdu[1:3])[0] == register for pdu in self.requests)

    def ready(self) -> None:
        self.meter.transfer(IMAGE, lambda *_: None)
        assert self.meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED


@pytest.fixture
def lab() -> Iterator[Lab]:
    it = Lab()
    yield it
    it.meter.close()
    it.server.close()


# -- reading -------------------------------------------------------------------------------------------------------


def test_the_meter_tells_who_it_is_what_it_runs_and_since_when(lab: Lab) -> None:
    assert lab.meter.identity() == MeterIdentity("Synthetic Meters", "SM-ESME-1", "SM0000001")
    assert lab.meter.version() == "1.0.0"
    assert lab.meter.image_state() is ImageState.NONE
    lab.clock.sleep(100_000.0)
    assert lab.meter.uptime_s() == 100_000.0


def test_a_meter_that_does_not_tell_its_up_time_has_none(lab: Lab) -> None:
    profile = PROFILE.model_copy(update={"uptime": None})
    meter = lab.driver(profile)
    assert meter.uptime_s() is None
    assert lab.requests == []


def test_a_state_that_the_profile_does_not_know_is_an_error(lab: Lab) -> None:
    lab.rule = lambda _: struct.pack(">BBH", 3, 2, 8)
    with pytest.raises(LinkError, match="image status 8 is not in the profile 'synthetic-esme'"):
        lab.meter.image_state()


def test_text_that_is_no_ascii_is_an_error(lab: Lab) -> None:
    lab.rule = lambda _: bytes([3, 16]) + b"\xc3\xa9" * 8
    with pytest.raises(LinkError, match="no ASCII text"):
        lab.meter.identity()


# -- image ---------------------------------------------------------------------------------------------------------


def test_an_image_of_odd_length_arrives_whole_in_several_files_and_is_told_as_it_goes(lab: Lab) -> None:
    told: list[tuple[int, int]] = []
    lab.meter.transfer(IMAGE, lambda done, total: told.append((done, total)))
    assert bytes(lab.device.slot) == IMAGE + b"\0"
    assert told[-1] == (len(IMAGE), len(IMAGE))
    assert all(a < b for (a, _), (b, _) in pairwise(told))
    files = {struct.unpack(">H", pdu[3:5])[0] for pdu in lab.requests}
    assert files == {1, 2}
    assert lab.meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED


def test_a_verification_is_waited_for(lab: Lab) -> None:
    lab.meter.transfer(IMAGE, lambda *_: None)
    before = lab.clock.now()
    assert lab.meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED
    assert VERIFY_S <= (lab.clock.now() - before) / NS <= VERIFY_S + 1.0


@pytest.mark.parametrize(("image_hash", "size"), [(bytes(32), len(IMAGE)), (HASH, len(IMAGE) - 1)])
def test_a_rejected_image_is_told(lab: Lab, image_hash: bytes, size: int) -> None:
    lab.meter.transfer(IMAGE, lambda *_: None)
    assert lab.meter.verify(image_hash, size) is ImageState.REJECTED


def test_a_verification_that_never_ends_is_an_error(lab: Lab) -> None:
    lab.rule = lambda pdu: struct.pack(">BBH", 3, 2, 2) if pdu[0] == 3 else struct.pack(">BHH", 16, 200, 18)
    before = lab.clock.now()
    with pytest.raises(LinkError, match="verification did not end within 120 s"):
        lab.meter.verify(HASH, len(IMAGE))
    assert (lab.clock.now() - before) / NS == pytest.approx(120.0, abs=1.0)


def test_a_port_that_drops_in_the_middle_of_a_transfer_is_an_error_and_nothing_is_repeated(lab: Lab) -> None:
    def pull(done: int, _: int) -> None:
        if done == 20 * 200:
            lab.server.unplug()

    with pytest.raises(LinkError, match="meter: send the image"):
        lab.meter.transfer(IMAGE, pull)
    assert len(lab.requests) == 20
    assert len(set(lab.requests)) == 20


def test_a_meter_that_falls_silent_in_the_middle_of_a_transfer_is_a_time_out(lab: Lab) -> None:
    lab.rule = lambda pdu: lab._answer(1, pdu) if len(lab.requests) <= 5 else None
    before = lab.clock.now()
    with pytest.raises(LinkTimeout, match="meter: send the image: no answer within 2 s"):
        lab.meter.transfer(IMAGE, lambda *_: None)
    assert lab.clock.now() - before == to_ns(TIMEOUT_S)
    assert len(lab.requests) == 6


# -- exceptions and silence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "word"),
    [(1, "illegal function"), (2, "illegal data address"), (4, "device failure"), (6, "busy"), (9, "unknown")],
)
def test_an_exception_reply_is_an_error_with_its_name_and_the_link_stays(lab: Lab, code: int, word: str) -> None:
    lab.rule = lambda pdu: bytes([pdu[0] | 0x80, code])
    with pytest.raises(LinkError, match=rf"read register 130: Modbus exception {code} \({word}\)") as caught:
        lab.meter.version()
    assert not isinstance(caught.value, LinkTimeout)
    client = lab.meter._link._client
    lab.rule = None
    assert lab.meter.version() == "1.0.0"
    assert lab.meter._link._client is client


def test_a_unit_that_is_not_there_is_silence() -> None:
    lab = Lab(unit=2)
    before = lab.clock.now()
    with pytest.raises(LinkTimeout, match="no answer within 2 s"):
        lab.meter.version()
    assert lab.clock.now() - before == to_ns(TIMEOUT_S)
    lab.server.close()


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (struct.pack(">BBHH", 3, 4, 1, 0), "the reply has 6 bytes, not 8"),
        (struct.pack(">BBHHHH", 3, 8, 1, 0, 0, 0), "the reply has 10 bytes, not 8"),
        (struct.pack(">BBHHH", 3, 4, 1, 0, 0), "asked for 3 registers from 130, got 2"),
        (b"\x83\x02\x00", "the reply has 3 bytes, not 2"),
    ],
)
def test_a_reply_of_another_length_is_an_error(lab: Lab, reply: bytes, told: str) -> None:
    lab.rule = lambda _: reply
    with pytest.raises(LinkError, match=told):
        lab.meter.version()


@pytest.mark.parametrize("reply", [b"\x03\x06\x00\x01", b"\x03", b"\x55\x00", b"\x83"])
def test_a_reply_that_is_cut_short_or_no_reply_is_an_error(lab: Lab, reply: bytes) -> None:
    lab.rule = lambda _: reply
    with pytest.raises(LinkError):
        lab.meter.version()
    lab.rule = None
    assert lab.meter.version() == "1.0.0"


def test_an_acknowledgement_of_another_write_is_an_error(lab: Lab) -> None:
    lab.rule = lambda _: struct.pack(">BHH", 16, 200, 17)
    with pytest.raises(LinkError, match="write register 200: the reply names 17 registers from 200"):
        lab.meter.verify(HASH, len(IMAGE))


def test_late_answers_are_waited_for_as_long_as_the_time_out_says(lab: Lab) -> None:
    lab.server.delay(TIMEOUT_S / 2)
    before = lab.clock.now()
    assert lab.meter.image_state() is ImageState.NONE
    assert lab.clock.now() - before == to_ns(TIMEOUT_S / 2)


def test_an_answer_that_comes_too_late_is_never_taken_for_the_next_one(lab: Lab) -> None:
    lab.server.delay(TIMEOUT_S * 1.5)
    with pytest.raises(LinkTimeout):
        lab.meter.version()
    lab.server.delay(0.0)
    assert lab.meter.image_state() is ImageState.NONE
    lab.clock.sleep(10.0)
    assert lab.meter.version() == "1.0.0"


def test_a_refused_connection_is_an_error_at_once(lab: Lab) -> None:
    lab.server.unplug()
    before = lab.clock.now()
    with pytest.raises(LinkError, match="meter: cannot connect to the address in the bench file") as caught:
        lab.meter.version()
    assert not isinstance(caught.value, LinkTimeout)
    assert lab.clock.now() == before


def test_after_its_silence_the_meter_is_asked_over_a_new_link(lab: Lab) -> None:
    lab.device.silent = True
    with pytest.raises(LinkTimeout):
        lab.meter.version()
    lab.device.silent = False
    assert lab.meter.version() == "1.0.0"


# -- activation ------------------------------------------------------------------------------------------------------


def test_the_command_leaves_at_a_known_instant_and_its_answer_is_not_waited_for_twice(lab: Lab) -> None:
    lab.ready()
    now = lab.clock.now()
    assert lab.meter.activate(HASH, len(IMAGE)) == Activation(now, now)
    assert lab.writes_to(ACTIVATE) == 1
    assert lab.meter.image_state() is ImageState.ACTIVATING
    lab.clock.sleep(60.0)
    assert lab.meter.version() == "1.1.0"


def test_time_zero_is_the_sending_even_when_the_answer_is_late(lab: Lab) -> None:
    lab.ready()
    lab.server.delay(0.5)
    asked = lab.clock.now()
    sent = lab.meter.activate(HASH, len(IMAGE))
    assert sent.before_ns == sent.after_ns == asked + NS // 2, "the question before it took half a second"
    assert lab.clock.now() == asked + NS


def test_silence_after_the_command_is_normal_and_it_is_never_repeated(lab: Lab) -> None:
    lab.ready()

    def swallow(pdu: bytes) -> bytes | None:
        lab._answer(1, pdu)
        return None if pdu[0] == 16 else lab._answer(1, pdu)

    lab.rule = swallow
    now = lab.clock.now()
    assert lab.meter.activate(HASH, len(IMAGE)) == Activation(now, now)
    assert lab.clock.now() == now + to_ns(TIMEOUT_S)
    assert lab.writes_to(ACTIVATE) == 1


def test_a_meter_that_resets_the_link_on_the_command_got_it(lab: Lab) -> None:
    lab.ready()

    def reset(pdu: bytes) -> bytes | None:
        if pdu[0] == 16:
            lab.server.unplug()
        return lab._answer(1, pdu)

    lab.rule = reset
    now = lab.clock.now()
    assert lab.meter.activate(HASH, len(IMAGE)) == Activation(now, now)
    assert lab.writes_to(ACTIVATE) == 1


def test_acknowledge_is_an_answer_to_a_command_that_takes_long(lab: Lab) -> None:
    """Modbus Application Protocol V1.1b3, 7, code 5: accepted, 'but a long duration of time will be required'."""
    lab.ready()
    lab.rule = lambda pdu: b"\x90\x05" if pdu[0] == 16 else lab._answer(1, pdu)
    now = lab.clock.now()
    assert lab.meter.activate(HASH, len(IMAGE)) == Activation(now, now)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6])
def test_a_command_that_the_meter_refuses_is_an_error(lab: Lab, code: int) -> None:
    lab.ready()
    lab.rule = lambda pdu: bytes([0x90, code]) if pdu[0] == 16 else lab._answer(1, pdu)
    with pytest.raises(LinkError, match=f"Modbus exception {code}"):
        lab.meter.activate(HASH, len(IMAGE))
    assert lab.writes_to(ACTIVATE) == 1


def test_without_a_connection_nothing_left_the_rig_and_that_is_an_error(lab: Lab) -> None:
    lab.ready()
    lab.server.unplug()
    with pytest.raises(LinkError) as caught:
        lab.meter.activate(HASH, len(IMAGE))
    assert not isinstance(caught.value, LinkTimeout)
    assert lab.writes_to(ACTIVATE) == 0


def test_a_meter_that_is_silent_before_the_command_is_a_time_out_and_nothing_left_the_rig(lab: Lab) -> None:
    lab.ready()
    lab.device.silent = True
    with pytest.raises(LinkTimeout):
        lab.meter.activate(HASH, len(IMAGE))
    assert lab.writes_to(ACTIVATE) == 0


def test_a_link_that_died_unnoticed_does_not_swallow_the_command(lab: Lab) -> None:
    lab.ready()
    assert lab.meter._link._client is not None
    lab.meter._link.abort()
    lab.meter._link.abort()
    now = lab.clock.now()
    assert lab.meter.activate(HASH, len(IMAGE)) == Activation(now, now)
    assert lab.meter.image_state() is ImageState.ACTIVATING


def test_reading_is_done_by_the_register_that_the_profile_names(lab: Lab) -> None:
    lab.meter.version()
    assert lab.requests == [struct.pack(">BHH", 3, VERSION, 3)] * 2, "twice: it could change between its registers"
