"""The planner of all oscilloscopes: a plan holds what was asked, in the model's own steps, or it is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import Refused
from rig.instruments.ports import Capture, CaptureSettings
from rig.instruments.scopes import (
    keysight_infiniivision,
    rigol_dho,
    rigol_ds1000z,
    rohde_rtb,
    siglent_sds1000x_e,
    siglent_sds2000x_plus,
    tektronix,
)
from rig.instruments.scopes.record import falls_at_zero
from rig.instruments.scopes.screen import Screen, plan, steps

SCREENS = {
    "ds1000z": rigol_ds1000z.SCREEN,
    "dho800": rigol_dho.SCREENS["8"],
    "dho900": rigol_dho.SCREENS["9"],
    **{f"infiniivision-{series}000x": screen for series, screen in keysight_infiniivision.SCREENS.items()},
    "sds1000x-e": siglent_sds1000x_e.SCREEN,
    "sds2000x-plus": siglent_sds2000x_plus.SCREEN,
    "tbs2000": tektronix.TBS_SCREEN,
    "mso": tektronix.MSO_SCREEN,
    "rtb": rohde_rtb.SCREEN,
}
every = pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS.keys())


@every
@given(
    window_s=st.floats(1e-3, 2000.0),
    depth=st.integers(1, 300_000_000),
    pre_part=st.floats(0.0, 0.99),
    bottom_v=st.floats(-60.0, 30.0),
    span_v=st.floats(0.5, 120.0),
    probe=st.sampled_from([1.0, 10.0, 100.0]),
)
def test_a_plan_holds_what_was_asked_in_the_models_own_steps_or_is_refused(
    screen: Screen, window_s: float, depth: int, pre_part: float, bottom_v: float, span_v: float, probe: float
):
    pre_s = pre_part * window_s
    asked = CaptureSettings(window_s, pre_s, depth, bottom_v + span_v, bottom_v, bottom_v + span_v / 2)
    try:
        found = plan("scope", asked, probe, screen)
    except Refused:
        return
    real = found.settings()
    room = 0.5 * found.volt_scale * (1 - 1e-6)
    assert found.time_scale_s in screen.time_scales_s
    assert real.window_s >= window_s * (1 - 1e-9)
    assert real.depth >= depth
    assert real.depth in screen.depths or (screen.any_depth and real.depth <= screen.depths[-1])
    assert real.top_v >= asked.top_v + room
    assert real.bottom_v <= asked.bottom_v - room
    assert real.pre_s == pre_s
    assert any(np.isclose(found.volt_scale, scale * probe) for scale in screen.volt_scales)
    assert abs(found.middle_v) <= screen.reach_v(found.volt_scale / probe) * probe * (1 + 1e-6)
    assert real.depth / real.window_s <= screen.fastest_rate * (1 + 1e-6)


@every
def test_the_longest_window_is_possible_and_a_longer_one_refused(screen: Screen):
    longest = screen.across * screen.time_scales_s[-1]
    assert plan("scope", CaptureSettings(longest, 2.0, 1000, 12.5, -0.5, 8.0), 10.0, screen).window_s == longest
    with pytest.raises(Refused):
        plan("scope", CaptureSettings(longest * 1.01, 2.0, 1000, 12.5, -0.5, 8.0), 10.0, screen)


@every
@pytest.mark.parametrize(
    "settings",
    [
        CaptureSettings(float("nan"), 0.0, 1000, 12.5, -0.5, 8.0),
        CaptureSettings(1.0, 1.0, 1000, 12.5, -0.5, 8.0),
        CaptureSettings(1.0, -0.1, 1000, 12.5, -0.5, 8.0),
        CaptureSettings(1.0, 0.1, 1000, 12.5, -0.5, 12.5),
        CaptureSettings(1.0, 0.1, 10**10, 12.5, -0.5, 8.0),
        CaptureSettings(1.0, 0.1, 1000, float("inf"), -0.5, 8.0),
    ],
)
def test_what_makes_no_sense_is_refused(screen: Screen, settings: CaptureSettings):
    with pytest.raises(Refused):
        plan("scope", settings, 10.0, screen)


def test_steps_go_from_the_first_to_the_last():
    assert steps(0.01, 10.0) == (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    assert steps(4e-6, 1e-4, (1, 2, 4)) == (4e-6, 1e-5, 2e-5, 4e-5, 1e-4)


@pytest.mark.parametrize(("fall_at", "falls"), [(100, True), (101, True), (98, True), (50, False), (150, False)])
def test_a_record_falls_at_its_zero_or_its_time_is_not_believed(fall_at: int, falls: bool):
    asked = CaptureSettings(120.0, 12.0, 1000, 12.5, -0.5, 8.0)
    settings = plan("scope", asked, 10.0, rigol_ds1000z.SCREEN)
    codes = np.full(1000, 203, np.uint8)
    codes[fall_at:] = 53
    capture = Capture(codes, 0.12, -12.0, 0.08, 52.0, 0, 255, 0.02, 0.5, 75.0, 0.12)
    assert falls_at_zero(capture, settings) is falls
