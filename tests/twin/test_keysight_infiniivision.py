"""What the InfiniiVision's face in the twin has of its own: its forms, its registers, its errors, its screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import LinkTimeout
from tests.twin.scope_bench import ASKED, KINDS, bench, volts

KIND = KINDS[1]


@pytest.mark.parametrize(
    ("long", "short", "reply"),
    [
        (":CHANNEL1:SCALE?", ":chan1:scal?", b"+1.00E+00\n"),
        (":TIMebase:POSition?", ":TIM:POS?", b"+0.00000000E+00\n"),
        (":TRIGger:EDGE:LEVel?", ":TRIG:LEV?", b"+0.00000E+00\n"),
        (":WAVeform:POINts:MODE?", ":WAV:POIN:MODE?", b"NORM\n"),
        (":OPERegister:CONDition?", ":OPER:COND?", b"+8\n"),
        (":ACQuire:TYPE?", ":ACQ:TYPE?", b"NORM\n"),
        (":SYSTem:ERRor?", ":SYST:ERR?", b'+0,"No error"\n'),
        (":STATus? CHANnel2", ":stat? chan2", b"0\n"),
    ],
)
def test_long_and_short_forms_in_any_case_are_the_same(long: str, short: str, reply: bytes):
    with bench(KIND) as b:
        assert b.face.handle(long) == b.face.handle(short) == reply


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((":TIM:SCAL 30",), -222),
        ((":TIM:SCAL 100",), -222),
        ((":CHAN1:SCAL 3",), -222),
        ((":CHAN1:SCAL 100",), -222),
        ((":CHAN5:SCAL 1",), -114),
        ((":CHAN1:PROB 1", ":CHAN1:SCAL 0.1", ":CHAN1:OFFS 6"), -222),
        ((":TRIG:EDGE:LEV 100",), -222),
        ((":TRIG:EDGE:SLOP DOWN",), -224),
        ((":WAV:FORM FLOAT",), -224),
        ((":ACQ:MODE SEGM",), -224),
        ((":CHAN1:SCAL",), -109),
        ((":CHAN1:SCAL x",), -104),
        ((":NONSENSE 1",), -113),
    ],
)
def test_what_the_model_cannot_do_goes_into_the_error_queue(lines: tuple[str, ...], code: int):
    with bench(KIND) as b:
        for line in lines:
            assert b.face.handle(line) is None
        answer = b.face.handle(":SYST:ERR?")
    assert isinstance(answer, bytes)
    assert answer.startswith(b"%d," % code)


def test_a_question_that_it_does_not_know_is_not_answered_and_the_queue_says_why():
    with bench(KIND) as b:
        with pytest.raises(LinkTimeout):
            b.link.query(":TRIG:STAT?")
        assert b.face.handle(":SYST:ERR?") == b'-113,"Undefined header"\n'


def test_the_trigger_event_register_is_cleared_by_reading():
    with bench(KIND) as b:
        b.scope.configure(ASKED)
        b.face.handle(":TER?")
        b.face.handle(":SINGle")
        b.clock.sleep(2.0)
        assert b.face.handle(":TER?") == b"+0\n"
        b.node.cut(1.0, 5.0)
        b.clock.sleep(2.0)
        assert [b.face.handle(":TER?") for _ in range(2)] == [b"+1\n", b"+0\n"]


def test_the_memory_cannot_be_read_while_it_runs_and_the_screen_can():
    with bench(KIND, noise_v=0.0) as b:
        for line in (":CHAN1:SCAL 2", ":CHAN1:OFFS 6", ":TIM:SCAL 1", ":WAV:POIN:MODE RAW"):
            b.face.handle(line)
        assert b.face.handle(":WAV:DATA?") == b"#800000000\n"
        assert b.face.handle(":SYST:ERR?") == b'-230,"Data corrupt or stale"\n'
        b.node.cut(20.0, 4.0)
        b.clock.sleep(24.0)
        b.face.handle(":WAV:POIN:MODE NORM;:WAV:POIN 1000")
        codes = b.link.query_block(":WAV:DATA?")
        assert len(codes) == 1000
        assert np.count_nonzero(codes < 100) == pytest.approx(400, abs=1)


def test_fewer_points_than_there_are_cover_the_same_window():
    with bench(KIND, noise_v=0.0) as b:
        b.captured(length_s=100.0)
        b.face.handle(":WAV:POIN 500")
        preamble = b.link.query(":WAV:PRE?").split(",")
        codes = b.link.query_block(":WAV:DATA?")
    assert len(codes) == int(preamble[2]) == 500
    assert float(preamble[4]) == pytest.approx(1.0)
    assert np.count_nonzero(codes < 100) == pytest.approx(100, abs=1)


def test_peak_detect_sees_a_dip_between_two_samples_and_samples_do_not():
    """0.1 ms of 0 V; a sample comes every 2.5 ms, a bin is 5 ms."""
    found = []
    for peak in (False, True):
        with bench(KIND) as b:
            b.node.cut(33.0011, 0.0001)
            found.append(b.captured(replace(ASKED, peak=peak), length_s=5.0))
    samples, bins = found
    trigger = round(-samples.first_s / samples.dt_s)
    assert volts(samples)[trigger + 4000 :].min() > 11.0
    low, high = volts(bins), (bins.extremes[1] - bins.zero_code) * bins.volts_per_code
    (dip,) = np.flatnonzero(low[round(-bins.first_s / bins.dt_s) + 2000 :] < 1.0)
    assert (dip + 2000) * bins.dt_s == pytest.approx(20.0, abs=2.1 * bins.dt_s + 3.0)
    assert high.min() < 1.0 < 11.0 < high[-1]


@settings(deadline=None, max_examples=15)
@given(cuts=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 900)), max_size=4))
def test_each_bin_of_peak_detect_holds_the_extremes_of_all_that_happened_in_it(cuts: list[tuple[int, int]]):
    """In ms from the trigger, against the cuts themselves."""
    with bench(KIND, noise_v=0.0) as b:
        b.node.cut(3.0, 0.5)
        for start, length in cuts:
            b.node.cut(3.0 + start / 1000, length / 1000)
        shallow = replace(ASKED, window_s=5.0, pre_s=1.0, depth=1000, peak=True)
        b.scope.configure(shallow)
        b.scope.arm()
        b.clock.sleep(20.0)
        bins = b.scope.read()
        armed_ns = b.node.cuts[0][0]
    edges = armed_ns + np.rint((bins.first_s + np.arange(len(bins.codes) + 1) * bins.dt_s) * 1e9).astype(np.int64)
    changes = [at for cut in b.node.cuts for at in cut]
    for at in range(0, len(bins.codes), 499):
        begin, end = int(edges[at]), int(edges[at + 1])
        marks = {begin, end, *(mark for mark in changes if begin < mark < end)}
        away = [any(fall <= mark < rise for fall, rise in b.node.cuts) for mark in marks]
        low, high = volts(bins)[at], (bins.extremes[1][at] - bins.zero_code) * bins.volts_per_code
        assert (low < 1.0) == any(away)
        assert (high > 11.0) == (not all(away))


def test_a_word_is_the_same_volts_as_a_byte_in_either_order():
    with bench(KIND, noise_v=0.0) as b:
        b.captured(length_s=5.0)
        told = {}
        for form in ("BYTE", "WORD;:WAV:BYT LSBF", "WORD;:WAV:BYT MSBF"):
            b.face.handle(f":WAV:POIN 500;:WAV:FORM {form}")
            fields = [float(b.link.query(f":WAV:{field}?")) for field in ("YINC", "YOR", "YREF")]
            data = b.link.query_block(":WAV:DATA?")
            codes = data if form == "BYTE" else data.view("<u2" if "LSB" in form else ">u2")
            told[form] = ((codes - fields[2]) * fields[0] + fields[1]).tolist()
    byte, *words = told.values()
    assert len(byte) == 500
    assert all(word == pytest.approx(byte) for word in words)


def test_what_is_on_the_screen_is_measured_and_without_a_record_nothing_is():
    with bench(KIND, noise_v=0.0) as b:
        for line in (":CHAN1:SCAL 2", ":CHAN1:OFFS 6", ":TIM:SCAL 1", ":TIM:POS 0"):
            b.face.handle(line)
        b.node.cut(20.0, 4.0)
        b.clock.sleep(24.0)
        asked = (":MEAS:VMAX? CHAN1", ":MEAS:VMIN?", ":MEAS:VPP?", ":MEAS:VAV? DISP,CHAN1")
        found = [float(b.link.query(question)) for question in asked]
        assert found == pytest.approx([12.0, 0.0, 12.0, 7.2], abs=0.1)
        b.face.handle(":TRIG:SWE NORM;:SINGle")
        assert float(b.link.query(":MEAS:VMAX? CHAN1")) == 9.9e37
