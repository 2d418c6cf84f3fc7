"""What the DS1000Z's face in the twin has of its own: reads in pieces, its option, its error queue, its screen."""

from __future__ import annotations

import numpy as np
import pytest

from rig.clock.base import to_ns
from rig.errors import LinkError
from rig.instruments.ports import CaptureSettings
from tests.twin.scope_bench import KINDS, bench, volts

KIND = KINDS[0]


def test_the_record_is_computed_in_reads_of_at_most_250_000_points():
    with bench(KIND) as b:
        capture = b.captured(CaptureSettings(60.0, 1.0, 1_200_000, 12.5, -0.5, 8.0), length_s=20.0)
    assert len(capture.codes) == 1_200_000
    assert max(b.node.asked) == 250_000
    assert sum(b.node.asked) == 1_200_000
    assert np.count_nonzero(volts(capture) < 6.0) == pytest.approx(20.0 / capture.dt_s, abs=1)


def test_what_was_before_the_history_reads_as_a_clipped_code():
    with bench(KIND) as b:
        b.scope.configure(CaptureSettings(600.0, 100.0, 12_000, 12.5, -0.5, 8.0))
        b.scope.arm()
        b.clock.sleep(100.0)
        b.clock.schedule(b.clock.now(), lambda: b.node._fell(b.clock.now() - to_ns(50)))
        b.clock.sleep(600.0)
        assert b.scope.read().codes[0] == 0


def test_the_24_mpts_option_must_be_there():
    deep = CaptureSettings(600.0, 2.0, 24_000_000, 12.5, -0.5, 8.0)
    with bench(KIND) as b, pytest.raises(LinkError, match="-222"):
        b.scope.configure(deep)
    with bench(KIND, deep_memory=True) as b:
        assert b.scope.configure(deep).depth == 24_000_000


def test_free_running_is_not_a_single_acquisition():
    with bench(KIND) as b, pytest.raises(LinkError, match="single acquisition"):
        b.scope.state()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((":TIM:MAIN:SCAL 30",), -222),
        ((":CHAN1:SCAL 3",), -222),
        ((":CHAN5:SCAL 1",), -114),
        ((":STOP", ":ACQ:MDEP 12000"), -221),
        ((":CHAN2:DISP ON", ":ACQ:MDEP 12000"), -222),
        ((":ACQ:MDEP 13000",), -222),
        ((":TRIG:EDG:LEV 100",), -222),
        ((":TRIG:EDG:SLOP DOWN",), -224),
        ((":CHAN1:PROB 1", ":CHAN1:SCAL 0.1", ":CHAN1:OFFS -6"), -222),
    ],
)
def test_what_the_model_cannot_do_goes_into_the_error_queue(lines: tuple[str, ...], code: int):
    with bench(KIND) as b:
        for line in lines:
            assert b.face.handle(line) is None
        answer = b.face.handle(":SYST:ERR?")
    assert isinstance(answer, bytes)
    assert answer.startswith(b"%d," % code)


def test_another_channel_sees_an_open_input():
    with bench(KIND, noise_v=0.0) as b:
        b.captured()
        b.link.exchange(":WAV:SOUR CHAN2", ":WAV:STAR 1", ":WAV:STOP 100", ":SYST:ERR?")
        assert set(b.link.query_block(":WAV:DATA?")) == {52}


def test_what_runs_freely_shows_what_it_has_just_seen():
    with bench(KIND, noise_v=0.0) as b:
        b.link.exchange(":CHAN1:SCAL 2", ":CHAN1:OFFS -6", ":TIM:MAIN:SCAL 1", ":WAV:MODE NORM", ":SYST:ERR?")
        b.node.cut(20.0, 6.0)
        b.clock.sleep(26.0)
        codes = b.link.query_block(":WAV:DATA?")
    assert len(codes) == 1200
    assert np.count_nonzero(codes < 100) == pytest.approx(600, abs=1)


def test_what_is_on_the_screen_is_measured_and_without_a_record_nothing_is():
    with bench(KIND, noise_v=0.0) as b:
        for line in (":CHAN1:RANG 16", ":CHAN1:OFFS -6", ":TIM:SCAL 1"):
            b.face.handle(line)
        b.node.cut(20.0, 6.0)
        b.clock.sleep(26.0)
        found = [float(b.link.query(f":MEAS:ITEM? {item},CHAN1")) for item in ("VMAX", "VMIN", "VPP", "VAVG")]
        assert found == pytest.approx([12.0, 0.0, 12.0, 6.0], abs=0.1)
        assert float(b.link.query(":CHAN1:SCAL?")) == 2.0
        b.face.handle(":SING")
        assert float(b.link.query(":MEAS:ITEM? VMAX,CHAN1")) == 9.9e37
