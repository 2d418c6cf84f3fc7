"""Every packaged fixture on the twin ends in the verdict that its manifest expects, and the bounds hold the truth."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

import rig
from rig import firmware
from rig.records import schema_text
from rig.records.capture_file import load_capture
from rig.records.run import RunRecord

# From the manifests' descriptions, by hand: (longest true time without 12 V, number of outages). None = never returns.
TRUTH = {
    "no-cut": (0.0, 0),
    "cut-45s": (45.0, 1),
    "back-45s": (45.0, 1),
    "cut-179s": (179.0, 1),
    "cut-181s": (181.0, 1),
    "cut-240s": (240.0, 1),
    "double-reboot": (70.0, 2),
    "chain-of-cuts": (50.0, 5),
    "hiccup": (100.0, 1),
    "long-hiccup": (200.0, 1),
    "late": (45.0, 1),
    "never-returns": (None, 1),
    "rejects-image": (0.0, 0),
    "stays-old": (45.0, 2),
}
DISCHARGE_S = 0.1
"""The twin's rail falls through both thresholds within this; a bound may be off the feed's cut by as much."""


@dataclass(frozen=True)
class Ran:
    record: RunRecord
    folder: Path


@pytest.fixture(scope="module")
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    out = tmp_path_factory.mktemp("runs")
    record = rig.run_activation("twin", request.param, out=out)
    return Ran(record, out / record.labels.run_id)


each_fixture = pytest.mark.parametrize("ran", firmware.names(), indirect=True)


@each_fixture
class TestEachFixture:
    def test_ends_in_the_verdict_its_manifest_expects(self, ran: Ran) -> None:
        expected = firmware.load(ran.record.firmware["fixture"]).expected
        assert expected is not None
        assert ran.record.verdict == expected.verdict, ran.record.reasons
        if expected.reason is not None:
            assert expected.reason in {r.code for r in ran.record.reasons}
        if expected.verdict == "PASS":
            assert ran.record.reasons == ()

    def test_holds_the_truth_between_its_bounds(self, ran: Ran) -> None:
        longest = ran.record.longest_outage
        if ran.record.firmware["fixture"] == "brown-out":  # 30 s surely down, 70 s surely not up: both are true
            assert longest.lower_s == pytest.approx(30.0, abs=DISCHARGE_S)
            assert longest.upper_s == pytest.approx(70.0, abs=DISCHARGE_S)
            return
        truth, count = TRUTH[ran.record.firmware["fixture"]]
        assert len(ran.record.outages) == count
        if truth is None:
            assert longest.upper_s is None
            assert longest.lower_s >= 180.0
        else:
            assert longest.upper_s is not None
            assert truth - DISCHARGE_S - 200e-6 * truth <= longest.lower_s <= truth <= longest.upper_s
            assert longest.upper_s <= truth + 0.01 + 200e-6 * truth

    def test_ends_safe_after_a_valid_control(self, ran: Ran) -> None:
        record = ran.record
        assert record.safe_state.proven
        assert record.control.valid
        cuts = [row for row in record.control.results if row.commanded_s >= 5.0]
        assert [row.kind for row in cuts] == ["supply-feed", "meter-feed"]
        for row in cuts:
            assert {s.source for s in row.sources} == {"rail_up", "rail_down", "scope"}
        assert all(o.cause == "meter" for o in record.outages)

    def test_leaves_a_whole_bundle_that_follows_its_published_schema(self, ran: Ran) -> None:
        body = json.loads((ran.folder / "run.json").read_text())
        jsonschema.validate(body, json.loads(schema_text()))
        assert body == json.loads(json.dumps(ran.record.to_json()))
        for line in (ran.folder / "SHA256SUMS").read_text().splitlines():
            digest, _, name = line.partition("  ")
            assert hashlib.sha256((ran.folder / name).read_bytes()).hexdigest() == digest
        events = [json.loads(line) for line in (ran.folder / "events.jsonl").read_text().splitlines()]
        assert [e["name"] for e in events if e["event"] == "step"][-1] == "safe"
        assert [e["t_s"] for e in events] == sorted(e["t_s"] for e in events)
        assert f"{ran.record.verdict}" in (ran.folder / "report.html").read_text()


def test_a_meter_that_never_returns_fails_as_soon_as_the_lower_bound_says_so(tmp_path: Path) -> None:
    record = rig.run_activation(firmware="never-returns", out=tmp_path)
    decided = record.bench["decided_at_s"]
    cut_at = 3.0
    assert cut_at + 180.0 <= decided <= cut_at + 182.0
    assert record.coverage.to_s <= decided + 90.0 + 2.0  # and is followed for its length no longer than follow_s
    assert record.reasons[0].code == "limit_exceeded"


def test_a_run_ends_only_when_the_version_has_changed_and_the_rail_was_quiet(tmp_path: Path) -> None:
    record = rig.run_activation(firmware="late", out=tmp_path)
    assert record.outages[0].start_s == pytest.approx(2400.0, abs=0.1)
    assert record.coverage.to_s >= 2445.0 + 60.0


def test_a_limit_of_ones_own_decides(tmp_path: Path) -> None:
    assert rig.run_activation(firmware="cut-45s", limit_s=44.0, out=tmp_path).verdict == "FAIL"
    assert rig.run_activation(firmware="cut-45s", limit_s=45.0, out=tmp_path).verdict == "INCONCLUSIVE"
    straddling = rig.run_activation(firmware="cut-45s", limit_s=45.0, comparison="gt", out=tmp_path)
    assert [r.code for r in straddling.reasons] == ["straddles_limit"]
    assert rig.run_activation(firmware="cut-45s", limit_s=46.0, out=tmp_path).verdict == "PASS"


def test_the_capture_shows_the_same_cut_as_the_lines(tmp_path: Path) -> None:
    record = rig.run_activation(firmware="cut-45s", out=tmp_path)
    capture = load_capture(tmp_path / record.labels.run_id / "activation.h5")
    volts = (capture.codes.astype(float) - capture.zero_code) * capture.volts_per_code
    below = (volts < 8.0).sum() * capture.dt_s
    assert below == pytest.approx(45.0, abs=0.05)
    assert "scope" in record.outages[0].sources


def test_a_meter_that_runs_another_version_is_not_touched(tmp_path: Path) -> None:
    """The twin's meter starts from the fixture's old version; a fixture of the lab's own may not fit it."""
    source = firmware.load("no-cut").folder
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "image.ota").write_bytes(firmware.load("no-cut").image.read_bytes())
    for path in source.iterdir():
        (mine / path.name).write_bytes(path.read_bytes())
    assert rig.run_activation(firmware=str(mine), out=tmp_path / "runs").verdict == "PASS"
