"""The driver of an optical head with the twin's meter behind it: every step, and whatever goes wrong on the line."""

from __future__ import annotations

import hashlib
import os

import pytest

from rig.clock import NS, Cancelled
from rig.errors import InputError, LinkError, LinkTimeout
from rig.meters.iec62056.frames import framed
from rig.meters.iec62056.session import REPEATS
from rig.meters.iec62056.sign_on import SignOn
from rig.meters.port import ImageState, MeterIdentity, MeterRefused
from rig.meters.serial_port import seven_bits, with_parity, without_parity
from rig.twin.optical import State
from tests.meters.iec62056.optical_lab import HASH, IMAGE, PROFILE, Lab, lab


def heard(it: Lab) -> list[bytes]:
    """Every message that reaches the meter from now on."""
    messages: list[bytes] = []
    hear = it.face.hear

    def note(message: bytes) -> object:
        messages.append(message)
        return hear(message)

    it.face.hear = note  # type: ignore[method-assign,assignment]
    return messages


def commands(messages: list[bytes]) -> list[str]:
    return [m[1:3].decode() for m in messages if m[:1] == b"\x01"]


def test_the_twins_meter_does_every_step_behind_its_optical_head() -> None:
    with lab() as it:
        meter = it.driver()
        assert meter.identity() == MeterIdentity("Synthetic Meters", "SM-ESME-1", "SM0000001")
        assert meter.version() == "1.0.0"
        assert meter.image_state() is ImageState.NONE
        told: list[tuple[int, int]] = []
        meter.transfer(IMAGE, lambda done, total: told.append((done, total)))
        assert told == [(1024, 1024)]
        assert meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED
        sent = meter.activate(HASH, len(IMAGE))
        assert sent.problem is None
        characters = len("_E2_FW.A()__") + 64
        assert (sent.after_ns - sent.before_ns) / NS == pytest.approx(characters * 10 / 9600, rel=0.02)
        assert it.face.state is State.IDLE, "signed off"
        it.clock.sleep(3.0)
        with pytest.raises(LinkTimeout, match="meter: sign-on: no answer within"):
            meter.version()
        it.clock.sleep(60.0)
        assert meter.version() == "1.1.0"
        assert meter.image_state() is ImageState.ACTIVATED
        assert [entry.code for entry in meter.events()] == [0x8F43]
        uptime_s = meter.uptime_s()
        assert uptime_s is not None
        assert 5 < uptime_s < 60
        meter.close()
        assert it.face.state is State.IDLE


def test_a_log_in_several_blocks_is_read_to_its_end() -> None:
    with lab() as it:
        meter = it.driver()
        assert meter.events() == ()
        it.meter.log.extend((0x8F35 + n, 100 * n) for n in range(8))
        assert [(e.code, e.at_s) for e in meter.events()] == [(0x8F35 + n, 100 * n) for n in range(8)]


def test_one_session_serves_many_questions_and_a_long_silence_begins_a_new_one() -> None:
    with lab() as it:
        meter, messages = it.driver(), heard(it)
        meter.version()
        meter.version()
        assert len([m for m in messages if m.startswith(b"/?")]) == 1
        it.clock.sleep(70.0)
        meter.version()
        assert len([m for m in messages if m.startswith(b"/?")]) == 2


def test_an_echoing_head_changes_nothing() -> None:
    with lab() as it:
        it.wire.echoes = True
        meter = it.driver()
        assert meter.version() == "1.0.0"
        meter.transfer(IMAGE, lambda *_: None)
        assert meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED
        assert meter.activate(HASH, len(IMAGE)).problem is None
        assert it.meter.busy


@pytest.mark.parametrize("most", [300, 1200, 19_200])
def test_a_session_goes_on_at_the_rate_that_both_can_do(most: int) -> None:
    with lab() as it:
        assert it.driver(how=SignOn(most_baud=most)).version() == "1.0.0"
        assert it.port.baud == min(most, 9600)


# -- what comes back wrong -------------------------------------------------------------------------------------------


def flip(data: bytes, at: int = 3) -> bytes:
    """Two bits of one character: the parity does not see it, the block check does."""
    return data[:at] + bytes([data[at] ^ 0x11]) + data[at + 1 :]


@pytest.mark.parametrize("damage", [flip, lambda data: bytes([data[0] ^ 4]) + data[1:]])
def test_a_damaged_answer_is_asked_for_again_and_three_times_at_most(damage) -> None:  # type: ignore[no-untyped-def]
    with lab() as it:
        meter = it.driver()
        meter.version()
        messages, damaged = heard(it), iter([True] * REPEATS)
        it.wire.garble = lambda data: damage(data) if next(damaged, False) else data
        assert meter.version() == "1.0.0"
        assert messages.count(b"\x15") == REPEATS
        assert commands(messages) == ["R1"]
        it.wire.garble = damage
        with pytest.raises(LinkError, match=r"bits were flipped|no identification|no block"):
            meter.version()
        assert it.face.state is State.IDLE


@pytest.mark.parametrize("bit", range(7 * 12))
def test_no_flipped_bit_anywhere_in_an_answer_is_ever_a_value(bit: int) -> None:
    with lab() as it:
        meter = it.driver()
        meter.version()

        def damage(data: bytes) -> bytes:
            at = bit // 7 % len(data)
            return data[:at] + bytes([data[at] ^ (1 << bit % 7)]) + data[at + 1 :]

        it.wire.garble = damage
        with pytest.raises(LinkError):
            meter.version()
        it.wire.garble = lambda data: data
        assert meter.version() == "1.0.0"


def test_a_block_of_the_image_that_came_damaged_is_sent_again() -> None:
    with lab() as it:
        meter = it.driver()
        meter.version()
        answers, answer = [], it.commands.answer

        def damaged_first(command: str, text: bytes) -> bytes:
            answers.append(command)
            return b"\x15" if command == "W1" and answers.count("W1") <= REPEATS else answer(command, text)

        it.commands.answer = damaged_first  # type: ignore[method-assign]
        meter.transfer(IMAGE, lambda *_: None)
        assert answers.count("W1") == REPEATS + 1
        assert bytes(it.meter.slot) == IMAGE


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"\x15", "did not take it"),
        (framed(b"\x02(ER07)\x03"), r"the meter says \(ER07\)"),
        (b"\x01B0\x03q", "breaks off"),
    ],
)
def test_an_action_that_is_refused_is_never_sent_twice(answer: bytes, told: str) -> None:
    with lab() as it:
        meter = it.driver()
        meter.transfer(IMAGE, lambda *_: None)
        meter.verify(HASH, len(IMAGE))
        usual, seen = it.commands.answer, []

        def refuse(command: str, text: bytes) -> bytes:
            seen.append(command)
            return answer if command == "E2" else usual(command, text)

        it.commands.answer = refuse  # type: ignore[method-assign]
        with pytest.raises(MeterRefused, match=told):
            meter.activate(HASH, len(IMAGE))
        assert seen.count("E2") == 1
        assert it.face.state is State.IDLE


@pytest.mark.parametrize("garble", [lambda data: b"", lambda data: flip(data, 0), lambda data: data + data])
def test_an_activation_whose_answer_is_lost_was_sent_once_and_its_time_is_its_own(garble) -> None:  # type: ignore[no-untyped-def]
    with lab() as it:
        meter = it.driver()
        meter.transfer(IMAGE, lambda *_: None)
        meter.verify(HASH, len(IMAGE))
        messages, usual = heard(it), it.commands.answer

        def answer(command: str, text: bytes) -> bytes:
            if command == "E2":
                it.wire.garble = garble
            return usual(command, text)

        it.commands.answer = answer  # type: ignore[method-assign]
        before = it.clock.now()
        sent = meter.activate(HASH, len(IMAGE))
        assert sent.problem is None
        assert commands(messages).count("E2") == 1
        assert before < sent.before_ns < sent.after_ns <= it.clock.now()
        assert it.meter.busy
        assert sent.after_ns - sent.before_ns < NS // 5, "the break that signs off is not the activation"


def test_an_activation_before_which_the_meter_is_silent_is_an_error() -> None:
    with lab() as it:
        meter = it.driver()
        meter.transfer(IMAGE, lambda *_: None)
        meter.verify(HASH, len(IMAGE))
        it.meter.silent = True
        with pytest.raises(LinkTimeout):
            meter.activate(HASH, len(IMAGE))


def test_a_wrong_password_is_named_never_shown_and_the_meter_left_signed_off() -> None:
    with lab() as it:
        meter = it.driver(password="geheim77")
        with pytest.raises(MeterRefused, match="meter: sign-on: the meter refuses the password") as caught:
            meter.version()
        assert "geheim77" not in repr(caught.value)
        assert it.face.state is State.IDLE


class Recorder:
    """A tap that keeps what comes."""

    def __init__(self) -> None:
        self.came = b""

    def opened(self, where: str) -> None: ...
    def sent(self, data: bytes) -> None: ...
    def closed(self) -> None: ...

    def received(self, data: bytes) -> None:
        self.came += data


def test_a_damaged_echo_never_shows_a_password_to_a_person_or_a_recording() -> None:
    with lab() as it:
        meter, recorder = it.driver(password="geheim77"), Recorder()
        it.port.tap = recorder
        it.wire.echoes = True
        reply = it.wire._reply

        def damaged(whole: bytes, delay_s: float, echo: bytes = b"") -> None:
            reply(whole, delay_s, flip(echo, 9) if b"P1" in (without_parity(echo) or b"") else echo)

        it.wire._reply = damaged  # type: ignore[method-assign]
        with pytest.raises(LinkError) as caught:
            meter.version()
        for told in (repr(caught.value), seven_bits(recorder.came).decode()):
            assert "gehe" not in told
            assert "m77" not in told
        assert b"P0" in seven_bits(recorder.came)


@pytest.mark.parametrize("password", ["", "a)b", "a(b", "pass*word", "é", "x" * 65, "a\nb", "a/b", "a!b"])
def test_a_credential_that_no_data_set_holds_is_refused_and_not_shown(password: str) -> None:
    with lab() as it, pytest.raises(InputError, match="the credential 'twin_password' does not fit") as caught:
        it.driver(password=password)
    assert not password or password not in caught.value.one_line()


def test_a_late_answer_to_an_earlier_question_is_never_an_answer() -> None:
    with lab() as it:
        meter = it.driver()
        meter.version()
        it.wire.garble = lambda _: b""
        with pytest.raises(LinkTimeout):
            meter.version()
        it.wire.garble = lambda data: data
        late = with_parity(framed(b"\x020.2.0(9.9.9)\x03"))
        it.wire._deliver(late)
        assert meter.version() == "1.0.0"


def test_an_answer_about_something_else_is_refused() -> None:
    with lab() as it:
        meter = it.driver()
        it.commands.answer = lambda command, _: b"\x06" if command == "P1" else framed(b"\x0296.1.0(9.9.9)\x03")  # type: ignore[method-assign]
        with pytest.raises(LinkError, match=r"meter: R1 0.2.0\(\): the answer is about '96.1.0'"):
            meter.version()


def test_a_meter_that_reboots_in_the_middle_of_its_answer_says_so_and_is_signed_on_to_anew() -> None:
    with lab() as it:
        meter = it.driver()
        meter.version()

        def reboot(data: bytes) -> bytes:
            it.wire.garble = lambda whole: whole
            it.meter.restart(1.0)
            return data[: len(data) // 2]

        it.wire.garble = reboot
        with pytest.raises(LinkError):
            meter.uptime_s()
        it.clock.sleep(20.0)
        assert meter.version() == "1.0.0"
        uptime_s = meter.uptime_s()
        assert uptime_s is not None
        assert uptime_s < 40


def test_a_head_that_is_lifted_off_breaks_a_transfer_which_goes_on_where_it_was() -> None:
    image = os.urandom(8 * 1024)
    with lab(image=image) as it:
        meter, done = it.driver(), []

        def progress(at: int, _: int) -> None:
            done.append(at)
            it.wire.lifted = at == 3 * 1024

        with pytest.raises(LinkTimeout, match="meter: no answer within"):
            meter.transfer(image, progress)
        it.wire.lifted = False
        meter.transfer(image, progress)
        assert done == [1024 * n for n in (1, 2, 3, 4, 5, 6, 7, 8)]
        assert bytes(it.meter.slot) == image
        assert meter.verify(hashlib.sha256(image).digest(), len(image)) is ImageState.VERIFIED


@pytest.mark.parametrize("closes", [False, True])
def test_a_run_that_is_stopped_in_the_middle_of_a_transfer_leaves_the_meter_signed_off(closes: bool) -> None:
    image = os.urandom(8 * 1024)
    with lab(image=image) as it:
        meter = it.driver()

        def progress(at: int, _: int) -> None:
            if at == 2048:
                if closes:
                    raise KeyboardInterrupt
                it.clock.cancel("Ctrl-C")

        with pytest.raises(KeyboardInterrupt if closes else Cancelled):
            meter.transfer(image, progress)
        meter.close()
        assert it.face.state is State.IDLE


def test_an_image_that_is_too_large_for_the_slot_is_refused() -> None:
    with lab() as it:
        meter = it.driver()
        plan = PROFILE.image
        assert plan is not None
        small = PROFILE.model_copy(update={"image": plan.model_copy(update={"bytes_a_block": 8192})})
        meter = it.driver(small)
        it.meter.slot = bytearray(1)
        with pytest.raises(MeterRefused, match=r"W1: the meter says \(ER04\)"):
            meter.transfer(bytes(1024 * 1024 + 1), lambda *_: None)


def test_an_image_that_the_meter_rejects_is_told() -> None:
    with lab() as it:
        meter = it.driver()
        meter.transfer(IMAGE[:-1] + b"x", lambda *_: None)
        assert meter.verify(HASH, len(IMAGE)) is ImageState.REJECTED


def test_512_kilobytes_at_9600_baud_take_the_lines_own_time_and_no_more_than_a_tenth_beyond() -> None:
    """Blocks of 1,024 bytes, two characters a byte: `SOH W1 STX FW.B(8 digits)(2048) ETX check` and one ACK, ten bits
    each: 1,109 s; with 20 ms of reaction on each side of every block 1,130 s."""
    image = os.urandom(512 * 1024)
    with lab(image=image) as it:
        meter = it.driver()
        meter.version()
        began = it.clock.now()
        meter.transfer(image, lambda *_: None)
        took_s = (it.clock.now() - began) / NS
        line_s = 512 * (2048 + len("_W1_FW.B(00000000)()__") + 1) * 10 / 9600
        assert line_s == pytest.approx(1104.5, abs=0.1)
        assert line_s <= took_s <= 1.1 * line_s
        assert bytes(it.meter.slot) == image
