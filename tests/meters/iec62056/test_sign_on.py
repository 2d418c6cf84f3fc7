"""Sign-on at the optical port of the twin's meter: rates, modes, wake-up, echo, and what comes back wrong."""

from __future__ import annotations

import termios

import pytest

from rig.clock import NS
from rig.errors import LinkError, LinkTimeout
from rig.meters.iec62056.frames import BREAK, Identification, block_end, identification_end
from rig.meters.iec62056.sign_on import SignOn, identify, sign_off, sign_on_hdlc
from rig.meters.serial_port import SerialPort, with_parity, without_parity
from rig.twin.optical import State
from tests.meters.iec62056.optical_lab import lab

FRAME = b"\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e"


def frame_end(data: bytes) -> int | None:
    return len(data) if len(data) > 1 and data.endswith(b"\x7e") else None


def test_a_meter_says_who_it_is_at_300_baud_in_the_lines_own_time() -> None:
    with lab() as it:
        began = it.clock.now()
        assert identify(it.port, SignOn()) == Identification("SYn", "5", "SM-ESME-1")
        characters = len("/?!\r\n") + len("/SYn5SM-ESME-1\r\n")
        assert (it.clock.now() - began) / NS == pytest.approx(0.3 + characters * 10 / 300 + 0.02)


@pytest.mark.parametrize(("address", "answers"), [("", True), ("SM0000001", True), ("12345678", False)])
def test_only_the_meter_whose_address_it_is_answers(address: str, answers: bool) -> None:
    with lab() as it:
        if answers:
            assert identify(it.port, SignOn(address=address)).maker == "SYn"
        else:
            with pytest.raises(LinkTimeout, match="meter: sign-on: no answer within"):
                identify(it.port, SignOn(address=address))


@pytest.mark.parametrize("most", [300, 600, 1200, 2400, 4800, 9600, 19_200])
def test_mode_e_goes_into_hdlc_at_the_highest_rate_that_both_can_do(most: int) -> None:
    with lab(hdlc=True) as it:
        who = sign_on_hdlc(it.port, SignOn(most_baud=most))
        assert who.enhanced
        assert who.text == "SM-ESME-1"
        assert it.face.state is State.HDLC
        assert it.port.baud == min(most, 9600) == it.face.baud
        assert termios.tcgetattr(it.wire._slave)[5] == getattr(termios, f"B{it.port.baud}")
        answer = it.port.exchange(FRAME, frame_end, first_s=1.0, longest=100, parity=False)
        assert answer == b"\x7e\x01" + FRAME[1:]
        assert it.hdlc is not None
        assert it.hdlc.frames == [FRAME]


def test_a_confirmation_of_mode_e_that_comes_damaged_is_taken_for_one() -> None:
    with lab(hdlc=True) as it:
        it.wire.garble = lambda data: data if data.startswith(b"\xaf") else bytes([data[0] ^ 0x10]) + data[1:]
        sign_on_hdlc(it.port, SignOn())
        it.wire.garble = lambda data: data
        assert it.port.exchange(FRAME, frame_end, first_s=1.0, longest=100, parity=False) == b"\x7e\x01" + FRAME[1:]


def test_a_meter_without_hdlc_is_told_so_before_anything_is_chosen() -> None:
    with lab() as it, pytest.raises(LinkError, match=r"offers no HDLC \(mode E\)"):
        sign_on_hdlc(it.port, SignOn())


@pytest.mark.parametrize("hdlc", [False, True])
def test_an_echoing_head_changes_nothing(hdlc: bool) -> None:
    with lab(hdlc=hdlc) as it:
        it.wire.echoes = True
        assert identify(it.port, SignOn()).maker == "SYn"
        if hdlc:
            sign_on_hdlc(it.port, SignOn())
            answer = it.port.exchange(FRAME, frame_end, first_s=1.0, longest=100, parity=False)
            assert answer == b"\x7e\x01" + FRAME[1:]


def test_an_echo_and_nothing_else_is_silence_and_says_so() -> None:
    with lab() as it:
        it.wire.echoes = True
        it.meter.silent = True
        with pytest.raises(LinkTimeout, match="only the echo of the question came"):
            identify(it.port, SignOn())


def test_a_battery_meter_hears_only_who_woke_it_up() -> None:
    with lab(battery=True) as it:
        with pytest.raises(LinkTimeout):
            identify(it.port, SignOn())
        began = it.clock.now()
        assert identify(it.port, SignOn(wake_up=True)).maker == "SYn"
        assert (it.clock.now() - began) / NS == pytest.approx(0.3 + 2.2 + 1.6 + 20 * 10 / 300 + 0.02, abs=0.05)


def test_one_flipped_bit_is_an_error_that_a_second_try_mends_and_three_are_the_end() -> None:
    with lab() as it:
        flips = iter([True, False])
        it.wire.garble = lambda data: bytes([data[0] ^ 4]) + data[1:] if next(flips, False) else data
        assert identify(it.port, SignOn()).maker == "SYn"
        it.wire.garble = lambda data: bytes([data[0] ^ 4]) + data[1:]
        with pytest.raises(LinkError, match="meter: sign-on: the parity is wrong: bits were flipped on the line"):
            identify(it.port, SignOn())


def test_an_answer_that_breaks_off_says_after_how_much() -> None:
    with lab() as it:
        it.wire.garble = lambda data: data[:7]
        with pytest.raises(LinkError, match="the answer broke off after 7 bytes") as caught:
            identify(it.port, SignOn())
        assert not isinstance(caught.value, LinkTimeout)


def test_a_late_answer_to_an_earlier_question_is_thrown_away() -> None:
    with lab() as it:
        port = it.port
        port.open(300)
        late = b"/OLd5LATE\r\n"
        port.exchange(b"/?!\r\n", identification_end, first_s=1.8, longest=60)
        it.wire._deliver(with_parity(late))
        it.face._idle()
        assert identify(port, SignOn()).maker == "SYn"


def test_after_a_readout_the_meter_hears_a_sign_on_at_the_first_rate_at_once() -> None:
    with lab() as it:
        meter = it.driver()
        assert dict(meter._session.readout())["0.2.0"] == "1.0.0"
        began = it.clock.now()
        assert identify(it.port, SignOn()).maker == "SYn"
        assert (it.clock.now() - began) / NS < 1.5, "no session had to be ended first"


def test_a_break_ends_every_session() -> None:
    with lab(hdlc=True) as it:
        who = identify(it.port, SignOn())
        message = b"\x06051\r\n"
        it.clock.sleep(who.least_reaction_s)
        answer = it.port.exchange(message, block_end, first_s=1.8, longest=100, then_baud=9600)
        assert answer.startswith(b"\x01P0\x02")
        assert it.face.state is State.PROGRAMMING
        sign_off(it.port)
        assert it.face.state is State.IDLE
        assert it.face.baud == 300


def test_a_port_that_is_not_there_is_an_error() -> None:
    with lab() as it:
        it.port.address = "/dev/nothing-here"
        with pytest.raises(LinkError, match="meter: cannot open /dev/nothing-here") as caught:
            it.port.open(300)
        assert not isinstance(caught.value, LinkTimeout)


def test_a_port_that_is_pulled_out_is_an_error() -> None:
    with lab() as it:
        assert identify(it.port, SignOn()).maker == "SYn"
        it.wire.unplug()
        with pytest.raises(LinkError, match="meter") as caught:
            identify(it.port, SignOn())
        assert not isinstance(caught.value, LinkTimeout)


def test_a_port_that_broke_in_the_middle_is_signed_off_without_another_error() -> None:
    with lab() as it:
        it.port.open(300)
        it.port.close()
        sign_off(it.port)
        with pytest.raises(LinkError, match="meter: the port is not open"):
            it.port.tell(BREAK, 1.0)


def test_two_programs_never_share_a_port() -> None:
    with lab() as it:
        it.port.open(300)
        with pytest.raises(LinkError, match="cannot open"):
            SerialPort("other", it.wire.path, it.clock).open(300)


def test_characters_go_with_even_parity() -> None:
    assert with_parity(b"/?!\r\n") == bytes([0xAF, 0x3F, 0x21, 0x8D, 0x0A])
    assert without_parity(bytes([0xAF, 0x3F])) == b"/?"
    assert without_parity(bytes([0x2F])) is None
