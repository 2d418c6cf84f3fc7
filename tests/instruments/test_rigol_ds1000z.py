"""The DS1000Z driver against strict transcripts, and its planning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, Refused
from rig.instruments.ports import CaptureSettings, ScopeState
from rig.instruments.scopes.rigol_ds1000z import RigolDS1000Z
from tests.transcript import Pair, Transcript, setting, transcript

IDN: Pair = ("*IDN?", "RIGOL TECHNOLOGIES,DS1104Z,S1,1.0")
OK: Pair = (":SYST:ERR?", '0,"No error"')
WANTED = CaptureSettings(window_s=500.0, pre_s=2.0, depth=10_000, top_v=12.5, bottom_v=-0.5, trigger_v=8.0)
PREAMBLE = "0,2,12000,1,5.000000e-02,-2.000000e+00,0,8.000000e-02,-75,127"


def scope(link: Transcript) -> RigolDS1000Z:
    return RigolDS1000Z("scope", link, 1, 10.0, VirtualClock())


def configuring() -> tuple[Pair, ...]:
    pairs: list[Pair] = [IDN, (":RUN", None), OK]
    for number, (text, back) in enumerate((("ON", "1"), ("OFF", "0"), ("OFF", "0"), ("OFF", "0")), start=1):
        pairs += setting(f":CHAN{number}:DISP {text}", f":CHAN{number}:DISP?", back)
    for command, back in (
        (":CHAN1:COUP DC", "DC"),
        (":CHAN1:INV OFF", "0"),
        (":CHAN1:UNIT VOLT", "VOLT"),
        (":CHAN1:VERN OFF", "0"),
        (":CHAN1:BWL 20M", "20M"),
        (":ACQ:TYPE NORM", "NORM"),
        (":TIM:MODE MAIN", "MAIN"),
        (":TIM:DEL:ENAB OFF", "0"),
        (":TRIG:MODE EDGE", "EDGE"),
        (":TRIG:EDG:SOUR CHAN1", "CHAN1"),
        (":TRIG:EDG:SLOP NEG", "NEG"),
        (":TRIG:COUP DC", "DC"),
        (":CHAN1:PROB 10", "10"),
        (":CHAN1:SCAL 2", "2.000000e+00"),
        (":CHAN1:OFFS -6", "-6.000000e+00"),
        (":TIM:MAIN:SCAL 50", "5.000000e+01"),
        (":TIM:MAIN:OFFS 298", "2.980000e+02"),
        (":ACQ:MDEP 12000", "12000"),
        (":TRIG:EDG:LEV 8", "8.000000e+00"),
    ):
        pairs += setting(command, f"{command.split()[0]}?", back)
    return (*pairs, *stopping("TD"), *standing(pairs))


SETS = 23
"""What was set and read back."""


def standing(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """Every read-back again."""
    return tuple((q, back) for q, back in pairs if isinstance(back, str) and q not in ("*IDN?", OK[0]))


def stopping(before: str) -> tuple[Pair, ...]:
    return ((":TRIG:STAT?", before), (":STOP", None), OK, (":TRIG:STAT?", "STOP"))


ARMING: tuple[Pair, ...] = ((":SING", None), OK, (":TRIG:STAT?", "RUN"))


def reading(block: bytes, preamble: str = PREAMBLE, position: str = "40") -> tuple[Pair, ...]:
    return (
        (":TRIG:STAT?", "STOP"),
        (":TRIG:POS?", position),
        *setting(":WAV:SOUR CHAN1", ":WAV:SOUR?", "CHAN1"),
        *setting(":WAV:MODE RAW", ":WAV:MODE?", "RAW"),
        *setting(":WAV:FORM BYTE", ":WAV:FORM?", "BYTE"),
        (":WAV:PRE?", preamble),
        (":WAV:STAR 1", None),
        (":WAV:STOP 12000", None),
        (":WAV:STAR?", "1"),
        (":WAV:STOP?", "12000"),
        OK,
        (":WAV:DATA?", block),
        (":WAV:PRE?", preamble),
        (":TRIG:STAT?", "STOP"),
        *configuring()[-SETS:],
    )


CODES = bytes(range(256)) * 46 + bytes(224)
BLOCK = b"#9000012000" + CODES + b"\n"


def test_configure_reads_every_set_back_and_says_what_it_will_really_be():
    with transcript(*configuring()) as link:
        real = scope(link).configure(WANTED)
    assert real == CaptureSettings(600.0, 2.0, 12_000, top_v=14.0, bottom_v=-2.0, trigger_v=8.0)


def test_a_capture_is_armed_and_read_as_codes_with_their_meaning():
    with transcript(*configuring(), *ARMING, *reading(BLOCK)) as link:
        device = scope(link)
        device.configure(WANTED)
        device.arm()
        device._clock.sleep(600.0)
        capture = device.read()
    assert capture.codes.tobytes() == CODES
    assert (capture.dt_s, capture.first_s) == (0.05, -2.0)
    assert (capture.volts_per_code, capture.zero_code) == (0.08, 52.0)
    assert capture.time_base_ppm == 75.0
    # 3 % of 8 divisions, 0.1 division, 2 mV at the input of a 10:1 probe, 1 % of the 6 V offset, two codes
    assert capture.offset_error_v == pytest.approx(0.48 + 0.2 + 0.02 + 0.06 + 0.16)


@pytest.mark.parametrize(
    "block",
    [
        b"#9000012000" + CODES[:-1],  # promises one more than comes
        b"#9000011999" + CODES + b"\n",  # promises one fewer
        b"#9000000000\n",  # nothing
        b"9000012000" + CODES + b"\n",
        b"#0" + CODES + b"\n",
        b"#9 00012000" + CODES + b"\n",
        b"",
    ],
)
def test_a_block_whose_header_lies_is_an_error(block: bytes):
    with transcript(*configuring(), *ARMING, *reading(block)) as link:
        device = scope(link)
        device.configure(WANTED)
        device.arm()
        device._clock.sleep(600.0)
        with pytest.raises(LinkError):
            device.read()
        link.give_up()


@pytest.mark.parametrize(
    "preamble",
    [
        "0,2,12000,1,5.000000e-02,-2.000000e+00,0,8.000000e-02,-75",
        "0,2,12000,1,NaN,-2.000000e+00,0,8.000000e-02,-75,127",
        "1,2,12000,1,5.000000e-02,-2.000000e+00,0,8.000000e-02,-75,127",
        "0,0,12000,1,5.000000e-02,-2.000000e+00,0,8.000000e-02,-75,127",
        "0,2,12000,1,2.000000e-02,-2.000000e+00,0,8.000000e-02,-75,127",
        "0,2,12000,1,5.000000e-02,-3.000000e+02,0,8.000000e-02,-75,127",
        "0,2,12000,1,5.000000e-02,-2.000000e+00,0,4.000000e-02,-150,127",
        "0,2,12000,1,5.000000e-02,-2.000000e+00,0,8.000000e-02,0,127",
    ],
)
def test_a_preamble_that_is_not_what_was_set_is_an_error(preamble: str):
    pairs = (*configuring(), *ARMING, *reading(BLOCK, preamble)[:12])
    with transcript(*pairs) as link:
        device = scope(link)
        device.configure(WANTED)
        device.arm()
        device._clock.sleep(600.0)
        with pytest.raises(LinkError):
            device.read()


def test_a_knob_that_was_turned_while_the_record_was_read_is_an_error():
    pairs = [*configuring(), *ARMING, *reading(BLOCK)]
    changed = len(pairs) - SETS - 2
    pairs[changed] = (":WAV:PRE?", PREAMBLE.replace("-75", "-74"))
    with transcript(*pairs[: changed + 1]) as link:
        device = scope(link)
        device.configure(WANTED)
        device.arm()
        device._clock.sleep(600.0)
        with pytest.raises(LinkError, match="changed"):
            device.read()


def test_a_record_without_a_trigger_is_no_capture():
    pairs = (*configuring(), *ARMING, (":TRIG:STAT?", "STOP"), (":TRIG:POS?", "-2"))
    with transcript(*pairs) as link:
        device = scope(link)
        device.configure(WANTED)
        device.arm()
        device._clock.sleep(600.0)
        with pytest.raises(LinkError, match="without a trigger"):
            device.read()


def test_a_capture_that_was_cut_short_cannot_be_read():
    with transcript(*configuring(), *ARMING, *stopping("TD")) as link:
        device = scope(link)
        device.configure(WANTED)
        device.arm()
        device._clock.sleep(600.0)
        device.make_safe()
        with pytest.raises(Refused):
            device.read()


def test_stopping_a_finished_capture_again_keeps_it_readable():
    with transcript(*configuring(), *ARMING, *stopping("STOP"), *reading(BLOCK)) as link:
        device = scope(link)
        device.configure(WANTED)
        device.arm()
        device._clock.sleep(600.0)
        device.make_safe()
        assert len(device.read().codes) == 12_000


def test_a_scope_that_does_not_stop_is_not_called_safe():
    pairs = ((":TRIG:STAT?", "TD"), (":STOP", None), OK, *(((":TRIG:STAT?", "TD"),) * 41))
    with transcript(*pairs) as link, pytest.raises(LinkError, match="does not stop"):
        scope(link).make_safe()


def test_a_scope_that_does_not_arm_is_an_error():
    pairs = (*configuring(), (":SING", None), OK, *(((":TRIG:STAT?", "STOP"),) * 41))
    with transcript(*pairs) as link:
        device = scope(link)
        device.configure(WANTED)
        with pytest.raises(LinkError, match="did not arm"):
            device.arm()
        device._clock.sleep(600.0)


def test_an_undefined_header_is_told_and_nothing_more_is_sent():
    with (
        transcript(IDN, (":RUN", None), (":SYST:ERR?", '-113,"Undefined header"'), OK) as link,
        pytest.raises(LinkError, match="-113"),
    ):
        scope(link).configure(WANTED)


def test_a_depth_that_the_model_did_not_take_is_an_error():
    pairs = list(configuring())
    at = pairs.index((":ACQ:MDEP?", "12000"))
    pairs[at] = (":ACQ:MDEP?", "AUTO")
    with transcript(*pairs[: at + 1]) as link, pytest.raises(LinkError):
        scope(link).configure(WANTED)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("RUN", ScopeState.FILLING),
        ("WAIT", ScopeState.WAITING),
        ("TD", ScopeState.TRIGGERED),
        ("STOP", ScopeState.STOPPED),
    ],
)
def test_the_trigger_status_is_understood(word: str, state: ScopeState):
    with transcript((":TRIG:STAT?", word)) as link:
        assert scope(link).state() is state


@pytest.mark.parametrize("word", ["AUTO", "", "T'D"])
def test_a_status_that_is_no_single_acquisition_is_an_error(word: str):
    with transcript((":TRIG:STAT?", word)) as link, pytest.raises(LinkError):
        scope(link).state()


@pytest.mark.parametrize("model", ["DP832", "DS2202A", "DS1202Z-E", ""])
def test_another_instrument_is_refused(model: str):
    with transcript(("*IDN?", f"RIGOL TECHNOLOGIES,{model},S1,1.0")) as link, pytest.raises(LinkError):
        scope(link).identify()


@pytest.mark.parametrize("model", ["DS1054Z", "DS1104Z", "MSO1104Z-S", "DS1074Z Plus"])
def test_the_models_of_the_family_are_known(model: str):
    with transcript(("*IDN?", f"RIGOL TECHNOLOGIES,{model},S1,1.0")) as link:
        assert scope(link).identify().model == model


@pytest.mark.parametrize(
    "change",
    [
        {"window_s": 601.0},
        {"window_s": float("inf")},
        {"depth": 24_000_001},
        {"depth": 12_000_000, "window_s": 1e-3, "pre_s": 0.0},
        {"pre_s": 500.0},
        {"pre_s": -1.0},
        {"trigger_v": 13.0},
        {"top_v": 2000.0},
    ],
)
def test_what_the_model_cannot_do_is_refused_before_a_set_leaves(change: dict[str, float]):
    with transcript(IDN) as link, pytest.raises(Refused):
        scope(link).configure(replace(WANTED, **change))
