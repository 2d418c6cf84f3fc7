"""Whole conversations, byte by byte: those of LEM's manual (page 27), and one for each mode and each end."""

from __future__ import annotations

import tomllib

import pytest

from rig.errors import LinkError, LinkTimeout
from rig.meters.iec62056.frames import BREAK, framed, identification
from rig.meters.iec62056.profile import OpticalProfile, check_optical_profile, load_optical_profile
from rig.meters.iec62056.session import Session
from rig.meters.iec62056.sign_on import SignOn, choose
from rig.meters.port import ImageState, MeterIdentity, MeterRefused
from tests.meters.iec62056.line_script import Turn, scripted
from tests.meters.iec62056.test_frames import LEM_READOUT

REQUEST = Turn(b"/?!\r\n", b"/EMH5\\@D4EM4TIIW001--\r\n", 300)
READOUT = Turn(b"\x06050\r\n", framed(b"\x02" + LEM_READOUT.encode() + b"\x03"))
PROGRAMMING = Turn(b"\x06051\r\n", b"\x01P0\x02()\x03`")
PASSWORD = Turn(b"\x01P1\x02(00000000)\x03a", b"\x06")
OFF = Turn(BREAK, None)
HEAD = 'schema = "rig.profile/1"\nprotocol = "iec62056-21"\nname = "lab"\nmanual = "a meter of these tests"\n'
WITH_PASSWORD = 'credentials = ["pin"]\npassword = { text = "({pin})" }\n'


def profile(text: str) -> OpticalProfile:
    return check_optical_profile(tomllib.loads(HEAD + text), HEAD + text, "test.toml")


def date(*, password: bool = True) -> OpticalProfile:
    body = 'version = { parts = [{ command = "R5", text = "0.9.2()" }] }\n'
    return profile((WITH_PASSWORD if password else "") + body)


def test_the_readout_of_the_manual_tells_version_and_serial_number() -> None:
    with scripted(REQUEST, READOUT, REQUEST, Turn(BREAK, None, 300), REQUEST, READOUT) as it:
        meter = it.meter(load_optical_profile("lem-em4tii"))
        assert meter.version() == "10600000"
        assert meter.identity() == MeterIdentity("LEM", "D4EM4TIIW001--", "03878504")
        assert not meter.activates


def test_the_programming_mode_of_the_manual() -> None:
    """Example 2 of page 27, with our break at its end."""
    read = Turn(b"\x01R5\x020.9.2()\x03\\", b"\x020.9.2(130103)\x039")
    with scripted(REQUEST, PROGRAMMING, PASSWORD, read, OFF) as it:
        meter = it.meter(date(), pin="00000000")
        assert meter.version() == "130103"
        meter.close()


def test_a_meter_that_reacts_fast_and_wants_no_password() -> None:
    who = Turn(b"/?!\r\n", b"/nzr4SEM16_S_v1.12\r\n", 300)
    choice = Turn(b"\x06041\r\n", b"\x01P0\x02(00000000)\x03`", 4800)
    version = Turn(framed(b"\x01R1\x020.2.0()\x03"), framed(b"\x020.2.0(1.12)\x03"), 4800)
    serial = Turn(framed(b"\x01R1\x0296.1.0()\x03"), framed(b"\x0296.1.0(0042)\x03"), 4800)
    off, not_on = Turn(BREAK, None, 4800), Turn(BREAK, None, 300)
    with scripted(who, choice, version, off, who, not_on, who, not_on, who, choice, serial, off) as it:
        meter = it.meter(load_optical_profile("nzr-sem16"))
        assert meter.version() == "1.12"
        assert meter.identity() == MeterIdentity("nzr", "SEM16_S", "0042")
        meter.close()


def test_who_the_meter_says_it_is_is_never_an_old_answer() -> None:
    """Some meters tell their version only there, and a new firmware tells another."""
    old, new = Turn(b"/?!\r\n", b"/nzr4M_v1.12\r\n", 300), Turn(b"/?!\r\n", b"/nzr4M_v1.13\r\n", 300)
    off = Turn(BREAK, None, 300)
    with scripted(old, off, new, off) as it:
        meter = it.meter(profile('version = { parts = [{ identification = "text", skip = 3 }] }\n'))
        assert [meter.version(), meter.version()] == ["1.12", "1.13"]


def test_a_device_address_and_a_slower_rate_are_what_the_bench_file_says() -> None:
    request = Turn(b"/?12345678!\r\n", b"/ABC6X\r\n", 300)
    choice = Turn(b"\x06031\r\n", b"\x01P0\x02()\x03`", 2400)
    read = Turn(b"\x01R5\x020.9.2()\x03\\", b"\x020.9.2(130103)\x039", 2400)
    with scripted(request, choice, read, Turn(BREAK, None, 2400)) as it:
        meter = it.meter(date(password=False), SignOn("12345678", most_baud=2400))
        assert meter.version() == "130103"
        meter.close()


@pytest.mark.parametrize(
    ("who", "baud"),
    [(b"/ABCmeter\r\n", 300), (b"/ABCA12\r\n", 600), (b"/ABCF12\r\n", 19_200)],
    ids=["A", "B", "B fast"],
)
def test_a_meter_of_mode_a_or_b_goes_on_talking_by_itself(who: bytes, baud: int) -> None:
    data = framed(b"\x020.2.0(7)\r\n!\r\n\x03")
    with scripted(Turn(b"/?!\r\n", who + data, 300)) as it:
        session = Session(it.port, SignOn())
        assert session.readout() == [("0.2.0", "7")]
        assert it.port.baud == baud
        with pytest.raises(LinkError, match=r"speaks mode [AB], which has no programming mode"):
            choose(it.port, identification(who), SignOn(), "programming")


def test_what_comes_behind_an_identification_of_mode_c_is_an_error() -> None:
    talk = Turn(b"/?!\r\n", b"/ABC5X\r\n\x02", 300)
    told = pytest.raises(LinkError, match="1 bytes came behind the identification")
    with scripted(*(talk, Turn(BREAK, None, 300)) * 3) as it, told:
        it.meter(date(password=False)).version()


def test_a_damaged_operand_is_asked_for_again() -> None:
    damaged = Turn(b"\x06051\r\n", b"\x01P0\x02()\x03a")
    again = Turn(b"\x15", b"\x01P0\x02()\x03`")
    read = Turn(b"\x01R5\x020.9.2()\x03\\", b"\x020.9.2(130103)\x039")
    with scripted(REQUEST, damaged, again, PASSWORD, read, OFF) as it:
        meter = it.meter(date(), pin="00000000")
        assert meter.version() == "130103"
        meter.close()


def test_a_meter_that_refuses_the_password_by_an_error_message_is_signed_off() -> None:
    refuses = Turn(b"\x01P1\x02(00000000)\x03a", framed(b"\x02(ER33)\x03"))
    told = pytest.raises(MeterRefused, match="sign-on: the meter refuses the password")
    with scripted(REQUEST, PROGRAMMING, refuses, OFF) as it, told:
        it.meter(date(), pin="00000000").version()


def test_a_read_that_is_refused_says_what_the_meter_said_and_the_session_goes_on() -> None:
    refused = Turn(b"\x01R5\x020.9.2()\x03\\", framed(b"\x02(ER02)\x03"))
    read = Turn(b"\x01R5\x020.9.2()\x03\\", b"\x020.9.2(130103)\x039")
    with scripted(REQUEST, PROGRAMMING, PASSWORD, refused, read, OFF) as it:
        meter = it.meter(date(), pin="00000000")
        with pytest.raises(MeterRefused, match=r"meter: R5: the meter says \(ER02\)"):
            meter.version()
        assert meter.version() == "130103"
        meter.close()


def test_partial_blocks_are_acknowledged_one_by_one() -> None:
    body = 'version = { parts = [{ command = "R3", text = "V()", item = 2 }] }\n'
    first = Turn(framed(b"\x01R3\x02V()\x03"), framed(b"\x02V(1)(2)\x04"))
    with scripted(REQUEST, PROGRAMMING, first, Turn(b"\x06", framed(b"\x02(3)\x03")), OFF) as it:
        meter = it.meter(profile(body))
        assert meter.version() == "3"
        meter.close()


def test_blocks_without_end_are_an_end() -> None:
    body = 'version = { parts = [{ command = "R3", text = "V()" }] }\n'
    more = framed(b"\x02V(1)\x04")
    turns = [Turn(framed(b"\x01R3\x02V()\x03"), more), *([Turn(b"\x06", more)] * 63)]
    told = pytest.raises(LinkError, match="more than 64 blocks, and no end")
    with scripted(REQUEST, PROGRAMMING, *turns) as it, told:
        it.meter(profile(body)).version()


def test_an_answer_without_end_is_an_end() -> None:
    endless = Turn(b"\x01R5\x020.9.2()\x03\\", b"\x02" + b"(1)" * 1000)
    with scripted(REQUEST, PROGRAMMING, PASSWORD, endless, OFF, REQUEST, PROGRAMMING, PASSWORD, endless, OFF) as it:
        meter = it.meter(date(), pin="00000000")
        for _ in range(2):
            with pytest.raises(LinkError, match="the answer does not end within 256 bytes"):
                meter.version()


def test_an_activation_of_several_commands_that_breaks_off_says_where() -> None:
    body = (
        WITH_PASSWORD + 'version = { parts = [{ command = "R5", text = "0.9.2()" }] }\n'
        '[[activation]]\ncommand = "W5"\ntext = "A({size})"\nafter_s = 2.0\n'
        '[[activation]]\ncommand = "E2"\ntext = "B({sha256})"\n'
    )
    first = Turn(framed(b"\x01W5\x02A(77)\x03"), b"\x06")
    second = Turn(framed(b"\x01E2\x02B(" + b"AB" * 32 + b")\x03"), framed(b"\x02(ER09)\x03"))
    with scripted(REQUEST, PROGRAMMING, PASSWORD, first, second, OFF) as it:
        sent = it.meter(profile(body), pin="00000000").activate(b"\xab" * 32, 77)
        assert sent.problem == "write 2 of 2 of the activation: meter: E2: the meter says (ER09)"
        assert sent.after_ns - sent.before_ns > 2_000_000_000


def test_a_status_that_the_profile_does_not_know_is_named() -> None:
    body = (
        'version = { parts = [{ command = "R5", text = "0.9.2()" }] }\n'
        '[status]\nvalue = { command = "R1", text = "S()" }\n[status.states]\nverified = "OK"\n'
    )
    turns = (Turn(framed(b"\x01R1\x02S()\x03"), framed(b"\x02S(" + word + b")\x03")) for word in (b"OK", b"HUH"))
    with scripted(REQUEST, PROGRAMMING, *turns, OFF) as it:
        meter = it.meter(profile(body))
        assert meter.image_state() is ImageState.VERIFIED
        with pytest.raises(LinkError, match="image status 'HUH' is not in the profile 'lab'"):
            meter.image_state()
        meter.close()


def test_silence_after_the_choice_is_silence_and_signed_off() -> None:
    with scripted(REQUEST, Turn(b"\x06051\r\n", None), OFF) as it, pytest.raises(LinkTimeout):
        it.meter(date(), pin="00000000").version()
