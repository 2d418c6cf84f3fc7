"""The obligation, statement by statement (MP102A): the same tests on the twin, and on a bench with --rig-bench FILE.

On a bench, each fixture is the team's own; those named here are synthetic and only the twin's meter knows them.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from rig import run_activation, seconds
from rig.pytest_plugin.at_test import BenchAtTest
from rig.twin import bench as twin_bench


@pytest.fixture(autouse=True)
def small_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small captures: the verdicts are the same, sooner."""
    monkeypatch.setattr(twin_bench, "Twin", partial(twin_bench.Twin, depth=120_000))


class TestTheRule:
    """The meter may not cut the hub's power for three minutes or more when a firmware upgrade takes place."""

    every_variant = True

    def test_a_cut_just_below_three_minutes_passes(self, rig: BenchAtTest) -> None:
        assert rig.activate("cut-179s").longest_outage < seconds(180)

    def test_a_cut_just_above_three_minutes_fails(self, rig: BenchAtTest) -> None:
        assert rig.activate("cut-181s", expect="FAIL").longest_outage > seconds(180)

    def test_exactly_the_limit_is_a_matter_of_the_comparison_which_is_printed(self, rig: BenchAtTest) -> None:
        record = rig.activate("cut-179s").record
        assert ("comparison", "ge") in {(row.key, row.value) for row in record.assumptions}

    def test_no_cut_at_all_passes(self, rig: BenchAtTest) -> None:
        assert rig.activate("no-cut").outages == ()

    def test_several_cuts_below_the_limit_pass_however_many(self, rig: BenchAtTest) -> None:
        assert len(rig.activate("chain-of-cuts").outages) > 1

    def test_a_supply_in_hiccup_has_not_restored_the_hub(self, rig: BenchAtTest) -> None:
        assert rig.activate("long-hiccup", expect="FAIL").longest_outage > seconds(180)

    def test_a_meter_that_never_gives_the_power_back_fails(self, rig: BenchAtTest) -> None:
        assert rig.activate("never-returns", expect="FAIL").longest_outage > seconds(180)


class TestTheActivation:
    """Nothing is a pass that was not an activation."""

    def test_an_image_that_the_meter_rejects_answers_nothing(self, rig: BenchAtTest) -> None:
        codes = {reason.code for reason in rig.activate("rejects-image", expect="INCONCLUSIVE").reasons}
        assert "activation_not_started" in codes

    def test_a_meter_that_goes_back_to_its_old_image_answers_nothing(self, rig: BenchAtTest) -> None:
        codes = {reason.code for reason in rig.activate("stays-old", expect="INCONCLUSIVE").reasons}
        assert codes == {"version_unchanged"}

    def test_a_cut_that_comes_an_hour_late_is_seen(self, rig: BenchAtTest) -> None:
        (outage,) = rig.activate("late").outages
        assert outage.start_s is not None
        assert outage.start_s > 60


class TestTheAlert:
    """The hub's own reboot is not the meter's: it changes the forecast of an alert, never the verdict."""

    def test_a_chain_of_cuts_may_raise_an_alert_although_the_meter_keeps_the_rule(self, rig: BenchAtTest) -> None:
        alerts = rig.activate("chain-of-cuts").record.alerts
        assert alerts is not None
        low, high = alerts["south_central"]
        assert 0.5 < low <= high < 0.8

    def test_a_short_cut_raises_none(self, rig: BenchAtTest) -> None:
        alerts = rig.activate("cut-45s").record.alerts
        assert alerts is not None
        assert alerts["south_central"] == [0.0, 0.0]


class TestWhoDidIt:
    """Only the meter's own cut is the meter's."""

    def test_mains_that_is_lost_is_not_the_meter(self, rig: BenchAtTest) -> None:
        found = rig.activate("cut-240s", expect="INCONCLUSIVE", faults=("mains-lost",))
        assert "cause_not_meter" in {reason.code for reason in found.reasons}

    def test_a_bench_that_cannot_tell_mains_says_nothing_of_the_meter(self, rig: BenchAtTest) -> None:
        assert rig.activate("cut-240s", expect="ERROR", faults=("mains-stuck",)).verdict == "ERROR"


class TestGas:
    """A gas meter does not feed the hub: a run shows that the rail stayed up, and says that it shows no more."""

    def test_a_gas_meters_run_says_what_it_does_not_show(self, tmp_path: Path) -> None:
        record = run_activation("twin-hot-shoe", "cut-45s", out=tmp_path)
        assert record.verdict == "PASS"
        assert record.caveat is not None
        assert "does not feed the hub" in record.caveat
