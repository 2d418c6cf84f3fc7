"""The DLMS driver on the twin's meter: the steps of class 18, and what bad may come: a named error, the meter signed
off, and never a command twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.errors import InputError, LinkError, LinkTimeout
from rig.firmware import Behaviour
from rig.meters.port import ImageState, MeterRefused
from rig.twin.dlms.association import GMAC, LOW, Client, Security
from rig.twin.dlms.face import TITLE, LinkSettings
from rig.twin.dlms.faults import lose_blocks, small_slot, wrong_check_sequence
from rig.twin.meter import ImageCode
from tests.meters.dlms.lab import HASH, IMAGE, Lab, lab

WIRES = pytest.mark.parametrize("wire", ["hdlc", "tcp"])


def nothing(_done: int, _total: int) -> None:
    return


def held(it: Lab) -> None:
    """The image is there and verified."""
    it.meter.transfer(IMAGE, nothing)
    assert it.meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED


def once(damage: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Damage the first answer, and no other."""
    left = [damage]
    return lambda answer: left.pop()(answer) if left else answer


# -- the steps -----------------------------------------------------------------------------------------------


@WIRES
def test_an_image_is_sent_verified_and_activated(wire: str, tmp_path: Path) -> None:
    with lab(tmp_path, wire=wire) as it:
        who = it.meter.identity()
        assert (who.maker, who.model, who.serial) == ("Synthetic Meters", "SM-ESME-1", "SM0000001")
        assert it.meter.version() == "1.0.0"
        told: list[tuple[int, int]] = []
        it.meter.transfer(IMAGE, lambda done, total: told.append((done, total)))
        assert told[-1] == (len(IMAGE), len(IMAGE))
        assert bytes(it.twin.slot) == IMAGE
        assert it.meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED
        before = it.clock.now()
        sent = it.meter.activate(HASH, len(IMAGE))
        assert before <= sent.before_ns <= sent.after_ns <= it.clock.now()
        it.clock.sleep(60.0)
        assert it.meter.version() == "1.1.0"
        assert it.meter.image_state() is ImageState.ACTIVATED


@pytest.mark.parametrize(("information", "window"), [(128, 1), (64, 7), (2030, 1), (200, 3)])
def test_every_frame_size_and_window_carries_the_same_image(information: int, window: int, tmp_path: Path) -> None:
    with lab(tmp_path, link=LinkSettings(information, window), window=7, block_bytes=700) as it:
        held(it)
        assert bytes(it.twin.slot) == IMAGE


def test_an_activation_can_be_dated_on_the_meters_own_clock(tmp_path: Path) -> None:
    with lab(tmp_path, activate="schedule", schedule_s=30.0) as it:
        held(it)
        it.meter.activate(HASH, len(IMAGE))
        assert it.meter.image_state() is ImageState.VERIFIED
        it.clock.sleep(29.0)
        assert it.twin.image_code is ImageCode.VERIFIED
        it.clock.sleep(3.0)
        assert it.twin.image_code is ImageCode.ACTIVATING


def test_blocks_that_the_meter_loses_are_sent_again(tmp_path: Path) -> None:
    with lab(tmp_path) as it:
        lose_blocks(it.face, 3)
        held(it)
        assert bytes(it.twin.slot) == IMAGE


def test_a_meter_that_loses_one_block_for_ever_is_told(tmp_path: Path) -> None:
    with lab(tmp_path) as it:
        it.face.objects.image.lose = lambda block: block == 5
        with pytest.raises(LinkError, match=r"loses blocks again and again: 1 of 14 \(5"):
            it.meter.transfer(IMAGE, nothing)


@WIRES
def test_a_transfer_that_broke_goes_on_with_what_is_missing(wire: str, tmp_path: Path) -> None:
    with lab(tmp_path, wire=wire) as it:
        stored: list[int] = []
        store = it.twin.store_image
        it.twin.store_image = lambda at, data: (stored.append(at), store(at, data))[1]  # type: ignore[method-assign]

        def pulled(done: int, _total: int) -> None:
            if done > 1000:
                raise LinkError("pulled")

        with pytest.raises(LinkError, match="pulled"):
            it.meter.transfer(IMAGE, pulled)
        it.meter.close()
        it.meter.transfer(IMAGE, nothing)
        assert bytes(it.twin.slot) == IMAGE
        assert len(stored) == len(set(stored)) == 14, "no block was sent twice"


# -- what may not be -----------------------------------------------------------------------------------------


@WIRES
def test_an_image_that_is_too_large_for_the_slot_is_refused_before_a_block_is_sent(wire: str, tmp_path: Path) -> None:
    with lab(tmp_path, wire=wire) as it:
        small_slot(it.face)
        with pytest.raises(MeterRefused, match="too large for its slot"):
            it.meter.transfer(IMAGE, nothing)
        assert it.twin.slot == b""


def test_a_verification_that_fails_is_told_and_is_not_activated(tmp_path: Path) -> None:
    with lab(tmp_path) as it:
        it.twin.damages_images = True
        it.meter.transfer(IMAGE, nothing)
        assert it.meter.verify(HASH, len(IMAGE)) is ImageState.REJECTED
        with pytest.raises(MeterRefused, match="says of its image: rejected, not verified"):
            it.meter.activate(HASH, len(IMAGE))
        assert it.twin.image_code is ImageCode.REJECTED


@pytest.mark.parametrize(
    ("image_hash", "size", "told"),
    [
        (HASH, len(IMAGE) - 1, "would activate 3331 bytes, the file has 3330"),
        (hashlib.sha256(b"another").digest(), len(IMAGE), "would activate another image"),
    ],
)
def test_what_would_be_activated_is_the_file_or_nothing_is(
    image_hash: bytes, size: int, told: str, tmp_path: Path
) -> None:
    with lab(tmp_path) as it:
        held(it)
        with pytest.raises(LinkError, match=told):
            it.meter.activate(image_hash, size)
        assert it.twin.image_code is ImageCode.VERIFIED


# -- the line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        wrong_check_sequence,
        lambda answer: b"\x55\xff\x00" + answer,
        lambda answer: answer[: len(answer) // 2],
        lambda answer: answer[:2] + bytes([answer[2] ^ 0x40]) + answer[3:],
        lambda answer: answer[:-1] + b"\x00",
        lambda answer: answer * 2,
        lambda answer: b"",
    ],
    ids=["FCS", "noise", "half", "length", "flag", "twice", "nothing"],
)
def test_one_damaged_answer_is_asked_for_again_and_no_action_is_done_twice(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    with lab(tmp_path) as it:
        assert it.meter.version() == "1.0.0"
        begun: list[int] = []
        it.twin.on_transfer = lambda: begun.append(it.clock.now())
        it.wire.garble = once(damage)
        assert it.meter.version() == "1.0.0"
        it.meter.transfer(IMAGE[:100], nothing)
        assert len(begun) == 1


@pytest.mark.parametrize("damage", [wrong_check_sequence, lambda answer: b"\x6e" + answer[1:]], ids=["FCS", "flag"])
def test_a_link_whose_set_up_comes_back_damaged_is_set_up_anew(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    with lab(tmp_path) as it:
        it.wire.garble = once(damage)
        assert it.meter.version() == "1.0.0"


def test_a_line_that_damages_everything_is_told_and_the_meter_is_signed_off(tmp_path: Path) -> None:
    with lab(tmp_path) as it:
        assert it.meter.version() == "1.0.0"
        assert it.signed_on
        it.wire.garble = wrong_check_sequence
        with pytest.raises(LinkError, match=r"frame check sequence \(FCS\) is wrong"):
            it.meter.version()
        assert not it.signed_on


def test_an_answer_that_comes_after_its_time_is_not_taken_for_anothers(tmp_path: Path) -> None:
    with lab(tmp_path, timeout_s=2.0) as it:
        assert it.meter.version() == "1.0.0"
        it.wire.delay(30.0)
        with pytest.raises(LinkError):
            it.meter.identity()
        it.wire.delay(0.0)
        it.clock.sleep(40.0)
        assert it.meter.version() == "1.0.0"
        assert it.meter.identity().serial == "SM0000001"


@WIRES
def test_a_meter_that_is_silent_is_told(wire: str, tmp_path: Path) -> None:
    with lab(tmp_path, wire=wire) as it:
        it.twin.silent = True
        with pytest.raises(LinkTimeout, match="no answer within 5 s"):
            it.meter.version()


@WIRES
def test_silence_after_the_command_is_no_error_and_it_is_sent_once(wire: str, tmp_path: Path) -> None:
    behaviour = Behaviour(version_changes_at_s=53.0, silent=((0.0, 53.0),))
    with lab(tmp_path, wire=wire, behaviour=behaviour) as it:
        held(it)
        commands: list[int] = []
        it.twin.on_activate = lambda: commands.append(it.clock.now())
        it.wire.garble = lambda answer: b"" if commands else answer
        sent = it.meter.activate(HASH, len(IMAGE))
        assert sent.problem is None
        assert len(commands) == 1
        it.wire.garble = lambda answer: answer
        with pytest.raises(LinkTimeout):
            it.meter.version()
        it.clock.sleep(60.0)
        assert it.meter.version() == "1.1.0", "a fresh association"
        assert len(commands) == 1


def test_a_meter_that_reboots_in_the_middle_of_its_answer_has_had_the_command(tmp_path: Path) -> None:
    with lab(tmp_path) as it:
        held(it)
        begun: list[int] = []
        it.twin.on_activate = lambda: begun.append(it.clock.now())
        it.wire.garble = lambda answer: answer[: len(answer) // 2] if begun else answer
        assert it.meter.activate(HASH, len(IMAGE)).problem is None
        assert len(begun) == 1


def test_every_call_that_ends_leaves_the_meter_signed_off_at_close(tmp_path: Path) -> None:
    with lab(tmp_path) as it:
        held(it)
        assert it.signed_on
        it.meter.close()
        assert not it.signed_on
        it.meter.close()


def test_an_association_that_was_idle_for_long_is_opened_anew(tmp_path: Path) -> None:
    with lab(tmp_path) as it:
        assert it.meter.version() == "1.0.0"
        it.wire._line._station.power_lost()  # the meter has forgotten it
        it.clock.sleep(60.0)
        assert it.meter.version() == "1.0.0"


# -- who we are ----------------------------------------------------------------------------------------------


def secrets(monkeypatch: pytest.MonkeyPatch, password: str = "hallo", key: bytes = bytes(range(16))) -> None:
    monkeypatch.setenv("RIG_METER_PASSWORD", password)
    monkeypatch.setenv("RIG_METER_ENCRYPTION_KEY", key.hex())
    monkeypatch.setenv("RIG_METER_AUTHENTICATION_KEY", bytes(range(0xD0, 0xE0)).hex())


SECURITY = Security(
    {1: Client(LOW, b"hallo"), 2: Client(GMAC, b"", True)}, TITLE, bytes(range(16)), bytes(range(0xD0, 0xE0))
)
GMAC_TABLE = {"client": 2, "authentication": "high-gmac", "ciphered": True, "title": "5249470000000001"}


@WIRES
def test_a_wrong_password_is_told_and_the_meter_is_signed_off(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets(monkeypatch, "sesame")
    with lab(tmp_path, wire=wire, security=SECURITY, authentication="low") as it:
        with pytest.raises(MeterRefused, match="authentication failure") as caught:
            it.meter.version()
        assert "sesame" not in caught.value.one_line()
        assert wire == "tcp" or not it.signed_on


def test_a_wrong_key_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets(monkeypatch, key=bytes(16))
    with lab(tmp_path, security=SECURITY, **GMAC_TABLE) as it, pytest.raises(LinkError, match="meter: associate: "):
        it.meter.version()


def test_a_frame_counter_that_is_too_low_is_told_with_the_one_that_is_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets(monkeypatch)
    with lab(tmp_path, security=SECURITY, **GMAC_TABLE) as it:
        assert it.meter.version() == "1.0.0"
        it.face._counters.seen[bytes.fromhex("5249470000000001")] = 5_000
        it.meter.close()
        with pytest.raises(MeterRefused, match="the frame counter is too low; it expects at least 5001"):
            it.meter.version()


def test_no_frame_counter_is_used_twice_by_two_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets(monkeypatch)
    with lab(tmp_path, security=SECURITY, **GMAC_TABLE) as it:
        assert it.meter.version() == "1.0.0"
        first = dict(it.face._counters.seen)
    with lab(tmp_path, security=SECURITY, **GMAC_TABLE) as it:
        it.face._counters.seen.update(first)
        assert it.meter.version() == "1.0.0"


def test_without_gurux_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [n for n in sys.modules if n.startswith("gurux_dlms")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gurux_dlms", None)
    with pytest.raises(InputError, match="gurux-dlms is not installed") as caught:
        Lab(tmp_path)
    assert "pip install 'ichis-rig[dlms]'" in caught.value.one_line()


def test_a_key_that_is_none_is_refused_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets(monkeypatch)
    monkeypatch.setenv("RIG_METER_ENCRYPTION_KEY", "0123")
    with pytest.raises(InputError, match="no key of security suite 0") as caught:
        Lab(tmp_path, security=SECURITY, **GMAC_TABLE)
    assert "0123" not in caught.value.one_line()


@pytest.mark.parametrize("text", ["x", "", "12345678901\n", "5"])
def test_a_file_that_is_no_counter_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets(monkeypatch)
    file = tmp_path / "dlms" / "5249470000000001.counter"
    file.parent.mkdir()
    file.write_text(text)
    with lab(tmp_path, security=SECURITY, **GMAC_TABLE) as it:
        if not text:
            assert it.meter.version() == "1.0.0"  # it was made and never written
            return
        with pytest.raises(InputError, match="no invocation counter"):
            it.meter.version()
