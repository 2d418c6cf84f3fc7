"""What the InfiniiVision's face in the twin has of its own: its forms, its registers, its errors, its screen."""

from __future__ import annotations

import numpy as np
import pytest

from rig.errors import LinkTimeout
from tests.twin.scope_bench import ASKED, KINDS, bench

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
        ((":WAV:FORM WORDS",), -224),
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
