"""Every oscilloscope of the twin with its driver, over loopback TCP: states, samples, levels, what goes wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.clock.base import to_ns
from rig.errors import LinkError, LinkTimeout, Refused
from rig.instruments.ports import CaptureSettings, ScopeState
from rig.twin.scopes.acquisition import Imperfections
from tests.twin.scope_bench import ASKED, KINDS, NOISE_V, Kind, bench, volts

every = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@every
def test_a_capture_is_at_least_what_was_asked(kind: Kind):
    with bench(kind) as b:
        real = b.scope.configure(ASKED)
    assert (real.window_s, real.depth) == (kind.window_s, kind.depth)
    assert real.pre_s == pytest.approx(2.0)
    assert real.top_v > ASKED.top_v
    assert real.bottom_v < ASKED.bottom_v


@every
def test_the_trigger_states_take_the_time_that_they_take(kind: Kind):
    with bench(kind) as b:
        b.scope.configure(ASKED)
        assert b.scope.state() is ScopeState.STOPPED
        b.scope.arm()
        assert b.scope.state() is ScopeState.FILLING
        b.clock.sleep(1.999)
        assert b.scope.state() is ScopeState.FILLING
        b.clock.sleep(0.001)
        assert b.scope.state() is ScopeState.WAITING
        b.node.cut(50.0, 1.0)
        b.clock.sleep(49.999)
        assert b.scope.state() is ScopeState.WAITING
        b.clock.sleep(0.001)
        assert b.scope.state() is ScopeState.TRIGGERED
        b.clock.sleep(kind.window_s - 2.001)
        assert b.scope.state() is ScopeState.TRIGGERED
        b.clock.sleep(0.001)
        assert b.scope.state() is ScopeState.STOPPED


@every
def test_a_fall_while_the_pre_trigger_fills_is_missed(kind: Kind):
    with bench(kind) as b:
        b.scope.configure(ASKED)
        b.scope.arm()
        b.node.cut(1.0, 185.0)
        b.clock.sleep(100.0)
        assert b.scope.state() is ScopeState.WAITING


@every
def test_the_fall_is_at_the_trigger_and_the_rise_is_where_it_was(kind: Kind):
    with bench(kind) as b:
        capture = b.captured()
    down = np.flatnonzero(volts(capture) < 6.0)
    assert len(capture.codes) >= kind.depth
    assert capture.first_s + down[0] * capture.dt_s == pytest.approx(0.0, abs=capture.dt_s)
    assert capture.first_s + (down[-1] + 1) * capture.dt_s == pytest.approx(185.0, abs=capture.dt_s)
    assert np.array_equal(down, np.arange(down[0], down[-1] + 1))
    assert capture.trigger_error_s < 2 * capture.dt_s


@every
def test_neither_12_v_nor_0_v_is_clipped_and_both_lie_within_the_stated_errors(kind: Kind):
    with bench(kind) as b:
        capture = b.captured()
    assert capture.codes.min() > capture.low_code
    assert capture.codes.max() < capture.high_code
    error = np.minimum(abs(volts(capture)), abs(volts(capture) - 12.0)).max()
    assert error <= NOISE_V + capture.volts_per_code / 2 + 1e-6
    assert error <= capture.offset_error_v


@every
def test_an_instrument_at_its_limits_stays_within_the_stated_errors(kind: Kind):
    flaws = Imperfections(gain_error=0.02, offset_v=-0.2, time_base_ppm=70.0)
    with bench(kind, imperfections=flaws) as b:
        capture = b.captured()
    found = volts(capture)
    down = np.flatnonzero(found < 6.0)
    bound = capture.gain_error * 12.0 + capture.offset_error_v
    assert np.minimum(abs(found), abs(found - 12.0)).max() <= bound
    length = len(down) * capture.dt_s
    assert abs(length - 185.0) <= 185.0 * capture.time_base_ppm * 1e-6 + 2 * capture.dt_s


@every
@settings(max_examples=12, deadline=None)
@given(
    window_s=st.floats(1.0, 450.0),
    bottom_v=st.floats(-5.0, -0.5),
    top_v=st.floats(12.5, 30.0),
    gain=st.floats(-0.02, 0.02),
    offset_v=st.floats(-0.1, 0.1),
)
def test_codes_are_volts_within_the_stated_worst_case_whatever_was_set(
    kind: Kind, window_s: float, bottom_v: float, top_v: float, gain: float, offset_v: float
):
    asked = CaptureSettings(window_s, window_s / 10, 10_000, top_v, bottom_v, 8.0)
    flaws = Imperfections(gain_error=gain, offset_v=offset_v)
    with bench(kind, imperfections=flaws) as b:
        capture = b.captured(asked, fall_s=window_s / 5, length_s=window_s / 4)
    found = volts(capture)
    bound = capture.gain_error * 12.0 + capture.offset_error_v + NOISE_V
    assert np.minimum(abs(found), abs(found - 12.0)).max() <= bound
    seen_s = np.count_nonzero(found < 6.0) * capture.dt_s
    assert seen_s == pytest.approx(window_s / 4, abs=2 * capture.dt_s)


@every
def test_the_same_seed_gives_the_same_codes_and_another_seed_others(kind: Kind):
    with bench(kind) as one, bench(kind) as again, bench(kind, seed=8) as other:
        first = one.captured().codes
        assert np.array_equal(first, again.captured().codes)
        assert not np.array_equal(first, other.captured().codes)


@every
def test_a_node_beyond_the_range_reads_as_clipped_codes(kind: Kind):
    low = CaptureSettings(500.0, 2.0, 10_000, 8.9, 5.5, 8.0)
    with bench(kind) as b:
        capture = b.captured(low)
    assert set(np.unique(capture.codes)) == {capture.low_code, capture.high_code}


@every
def test_a_capture_that_was_stopped_on_the_way_cannot_be_read(kind: Kind):
    with bench(kind) as b:
        b.scope.configure(ASKED)
        b.scope.arm()
        b.node.cut(10.0, 1.0)
        b.clock.sleep(100.0)
        b.scope.make_safe()
        assert b.scope.state() is ScopeState.STOPPED
        with pytest.raises(Refused):
            b.scope.read()


def by_hand(kind: Kind, what: str) -> str:
    """A command as a person at the front panel would give it."""
    siglent = {"stop": "STOP", "run": "TRMD AUTO", "single": "TRMD SINGLE"}
    return siglent[what] if kind.name == "sds1000x-e" else f":{what.upper()}"


@every
def test_somebody_who_stops_it_by_hand_leaves_no_capture(kind: Kind):
    with bench(kind) as b:
        b.scope.configure(ASKED)
        b.scope.arm()
        b.face.handle(by_hand(kind, "stop"))
        with pytest.raises(LinkError, match="without a trigger"):
            b.scope.read()


@every
def test_somebody_who_starts_it_again_is_told(kind: Kind):
    with bench(kind) as b:
        b.scope.configure(ASKED)
        b.scope.arm()
        b.node.cut(10.0, 20.0)
        b.clock.sleep(15.0)
        assert b.scope.state() is ScopeState.TRIGGERED
        b.face.handle(by_hand(kind, "single"))
        if kind.name == "infiniivision":  # its registers tell the second trigger, not the second arming
            b.node.cut(10.0, 5.0)
            b.clock.sleep(15.0)
        with pytest.raises(LinkError, match="started"):
            b.scope.state()


@every
@pytest.mark.parametrize("away_s", [5.0, 20.0], ids=["as it triggers", "after it"])
def test_a_link_that_is_opened_again_meanwhile_costs_nothing_of_the_capture(kind: Kind, away_s: float):
    """Opening clears what events the instrument keeps (`*CLS`)."""
    with bench(kind) as b:
        b.scope.configure(ASKED)
        b.scope.arm()
        b.node.cut(10.0, 100.0)
        b.clock.sleep(5.0)
        assert b.scope.state() is ScopeState.WAITING
        b.link.close()
        b.clock.sleep(away_s)
        assert b.scope.state() is ScopeState.TRIGGERED
        b.clock.sleep(800.0)
        assert np.count_nonzero(volts(b.scope.read()) < 6.0) > 0


KNOBS = {
    "scale": (":CHAN1:SCAL 5", "C1:VDIV 5V"),
    "coupling": (":CHAN1:COUP AC", "C1:CPL A1M"),
    "another channel": (":CHAN2:DISP 1", "C2:TRA ON"),
    "time base": (":TIM:SCAL 1", "TDIV 1S"),
}


@every
@pytest.mark.parametrize("knob", KNOBS)
@pytest.mark.parametrize("at_s", [5.0, 800.0], ids=["armed", "finished"])
def test_a_knob_that_was_turned_before_the_capture_is_read_is_told(kind: Kind, knob: str, at_s: float):
    with bench(kind) as b:
        b.scope.configure(ASKED)
        b.scope.arm()
        b.node.cut(10.0, 20.0)
        b.clock.sleep(at_s)
        b.face.handle(KNOBS[knob][kind.name == "sds1000x-e"])
        b.clock.sleep(800.0)
        with pytest.raises(LinkError, match="not what"):
            b.scope.read()


@every
def test_a_capture_can_be_repeated(kind: Kind):
    with bench(kind) as b:
        first = b.captured()
        b.scope.arm()
        b.node.cut(5.0, 30.0)
        b.clock.sleep(800.0)
        second = b.scope.read()
    assert np.count_nonzero(volts(second) < 6.0) < np.count_nonzero(volts(first) < 6.0)


@every
def test_silence_costs_exactly_the_timeout(kind: Kind):
    with bench(kind) as b:
        b.scope.identify()
        b.face.silent = True
        before = b.clock.now()
        with pytest.raises(LinkTimeout):
            b.scope.state()
        assert b.clock.now() - before == to_ns(1.0)


@every
def test_one_stuck_in_a_state_neither_arms_nor_is_called_safe(kind: Kind):
    with bench(kind) as b:
        b.scope.configure(ASKED)
        b.face.stuck_state = "STOP"
        with pytest.raises(LinkError, match="did not arm"):
            b.scope.arm()
        b.face.stuck_state = "TD"
        with pytest.raises(LinkError, match="does not stop"):
            b.scope.make_safe()


# -- levels ------------------------------------------------------------------------------------------------------------

POLL = CaptureSettings(window_s=0.01, pre_s=0.001, depth=1_000, top_v=12.5, bottom_v=-0.5, trigger_v=8.0)


@every
def test_a_polled_level_is_the_rail_in_its_interval(kind: Kind):
    with bench(kind) as b:
        b.scope.configure(POLL)
        b.node.cut(5.0, 3.0)
        begin = b.clock.now()
        while b.clock.now() < begin + to_ns(12.0):
            level = b.scope.level()
            assert level is not None
            assert level.from_ns <= b.clock.now() == level.to_ns
            bound = level.gain_error * 12.0 + level.offset_error_v + NOISE_V
            for fall, rise in b.node.cuts:
                if level.to_ns < fall or level.from_ns > rise:
                    assert abs(level.low_v - 12.0) <= bound
                    assert abs(level.high_v - 12.0) <= bound
                elif fall < level.from_ns and level.to_ns < rise:
                    assert abs(level.low_v) <= bound
                    assert abs(level.high_v) <= bound
            b.clock.sleep(0.4)


@every
@pytest.mark.parametrize("state", ["STOP", "WAIT", "TD"])
def test_one_that_says_the_same_for_ever_gives_no_level(kind: Kind, state: str):
    with bench(kind) as b:
        b.scope.configure(POLL)
        assert b.scope.level() is not None
        b.face.stuck_state = state
        if state == "STOP":
            assert b.scope.level() is None
        else:  # it cannot even be stopped
            with pytest.raises(LinkError, match="does not stop"):
                b.scope.level()
