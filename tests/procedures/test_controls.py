"""Controls: a bench that sees what it does itself is valid; each way of not seeing it, or not doing it, is named."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

import rig
from rig.cli import main
from rig.controls import ControlsOutcome, ControlsRequest, PreparedControls
from rig.errors import InputError
from rig.procedures.progress import Silent
from rig.twin import bench as twin_bench
from rig.twin.meter import ImageCode
from tests.runs import bundles


@pytest.fixture(autouse=True)
def small_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin_bench, "Twin", partial(twin_bench.Twin, depth=120_000))


def controls(out: Path, *faults: str, long: bool = False) -> ControlsOutcome:
    return PreparedControls(ControlsRequest(out=out, long=long, faults=faults)).run(Silent())


def test_a_good_bench_calls_every_control_rightly(tmp_path: Path) -> None:
    record = controls(tmp_path).record
    assert record.valid
    assert [row.kind for row in record.control.results] == ["quiet", "supply-feed", "meter-feed", "mains"]
    for row in record.control.results[1:3]:
        assert {s.source for s in row.sources} == {"rail_up", "rail_down", "scope"}
        for source in row.sources:
            assert source.lower_s is None or source.lower_s <= 5.01
            assert source.upper_s is None or source.upper_s >= 4.9
        assert row.fall_s is not None
        assert 0 < row.fall_s < 0.2
        assert row.lowest_v is not None
        assert row.lowest_v < 0.5


def test_long_cuts_around_the_limit_get_the_verdict_of_their_length(tmp_path: Path) -> None:
    record = controls(tmp_path, long=True).record
    assert record.valid
    lengths = [row.commanded_s for row in record.control.results if row.commanded_s > 100]
    assert lengths == pytest.approx([179.0, 181.0, 200.0], abs=0.001)


def with_a_meter_that_says(code: ImageCode, monkeypatch: pytest.MonkeyPatch) -> None:
    made = twin_bench.Twin

    def twin(*words: object, **named: object) -> twin_bench.Twin:
        found = made(*words, **named)  # type: ignore[arg-type]
        found.world.meter.image_code = code
        return found

    monkeypatch.setattr(twin_bench, "Twin", twin)


def test_a_transfer_that_a_killed_run_left_half_done_does_not_keep_the_next_from_its_controls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_a_meter_that_says(ImageCode.TRANSFERRING, monkeypatch)
    assert controls(tmp_path).record.valid


def test_mains_is_not_cut_while_a_meter_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_meter_that_says(ImageCode.VERIFYING, monkeypatch)
    record = controls(tmp_path).record
    assert not record.valid
    assert "the meter says 'verifying', so its mains is not cut" in (record.error or "")


NAMED = {
    "k2-welded": "K2 was opened, and the rail is still up",
    "mains-lost": "the mains detector sees no mains",
    "k2-opens": "K2 is closed, but the meter does not bring the rail up",
    "rail-up-stuck-low": "the rail is not proven up",
    "scope-dead": "scope",
    "supply-silent": "psu",
    "meter-dead": "meter: cannot connect",
    "clock-slewed": "the clock is being slewed",
}


@pytest.mark.parametrize("fault", NAMED)
def test_a_bench_that_does_not_do_or_see_its_own_cut_is_not_valid(fault: str, tmp_path: Path) -> None:
    record = controls(tmp_path, fault).record
    assert not record.valid
    assert NAMED[fault] in (record.error or "")


def test_a_mains_detector_that_never_tells_is_found(tmp_path: Path) -> None:
    """A detector stuck at 'mains is there' would make every cut the meter's."""
    record = controls(tmp_path, "mains-stuck").record
    assert not record.valid
    assert "K1 was opened, and the mains detector still sees mains" in (record.error or "")


def test_the_evidence_is_kept_and_the_verb_says_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["controls", "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "VALID: every source called every control rightly." in told
    (folder,) = bundles(tmp_path)
    kept = json.loads((folder / "controls.json").read_text())
    assert kept["schema"] == "rig.controls/1"
    assert kept["valid"] is True
    assert {p.name for p in folder.iterdir()} >= {"SHA256SUMS", "events.jsonl", "control-supply-feed.h5"}


def test_a_bench_that_is_not_valid_is_an_error_for_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["controls", "--json", "--fault", "mains-lost", "--out", str(tmp_path)]) == 4
    assert json.loads(capsys.readouterr().out)["valid"] is False


def test_without_controls_no_run_is_a_pass(tmp_path: Path) -> None:
    record = rig.run_activation(firmware="no-cut", out=tmp_path, controls="never")
    assert record.verdict == "INCONCLUSIVE"
    assert {reason.code for reason in record.reasons} >= {"control_missing"}
    assert record.control.results == ()
    assert record.activation.version_after == record.activation.version_expected, "it was watched all the same"


def test_an_unknown_way_to_make_controls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a way to make controls"):
        rig.run_activation(out=tmp_path, controls="sometimes")


def test_long_controls_of_a_commissioned_hub_are_refused_before_anything_is_touched(tmp_path: Path) -> None:
    text = twin_bench.template("twin").replace("commissioned = false", "commissioned = true")
    for name, port in (("supply", 1), ("oscilloscope", 2)):
        text = text.replace(f"${name}", f"TCPIP::127.0.0.1::{port}::SOCKET")
    file = tmp_path / "live.toml"
    file.write_text(text.replace("$modbus", "127.0.0.1:3"))
    with pytest.raises(InputError, match="never made with a commissioned hub"):
        PreparedControls(ControlsRequest(bench=str(file), long=True))
