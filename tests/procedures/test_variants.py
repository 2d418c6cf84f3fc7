"""Every variant of the twin, on TCP and on a serial line, with what may go wrong at its meter: never a false PASS."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import rig
from rig.controls import ControlsRequest, PreparedControls
from rig.errors import InputError
from rig.procedures.progress import Silent
from rig.records import schema_text
from rig.records.run import RunRecord
from rig.twin.bench import names
from tests.runs import bundles

pytestmark = pytest.mark.usefixtures("short_twin")

ICHIS = ("twin", "twin-twin-element", "twin-polyphase")
HOT_SHOE = "twin-hot-shoe"
WIRES = ("", "-rtu")
SHORT, LONG = "cut-45s", "cut-240s"


def run(bench: str, out: Path, firmware: str = SHORT, *faults: str) -> RunRecord:
    return rig.run_activation(bench, firmware, faults=faults, out=out)


def codes(record: RunRecord) -> set[str]:
    return {reason.code for reason in record.reasons}


def test_the_variants_are_there_on_both_wires() -> None:
    assert set(names()) == {b + w for b in (*ICHIS, HOT_SHOE) for w in (*WIRES, "-optical", "-dlms")} | {"twin-outside"}


@pytest.mark.parametrize("wire", WIRES, ids=["tcp", "rtu"])
@pytest.mark.parametrize("bench", ICHIS)
def test_a_short_cut_passes_and_a_long_one_fails_on_every_variant(bench: str, wire: str, tmp_path: Path) -> None:
    passed = run(bench + wire, tmp_path)
    assert (passed.verdict, codes(passed)) == ("PASS", set())
    assert passed.longest_outage.lower_s <= 45.0 <= (passed.longest_outage.upper_s or 0.0)
    (restart,) = passed.activation.restarts
    assert (restart.outage, restart.uptime_before_s > restart.uptime_after_s) == (1, True)
    assert restart.from_s <= 53.0 <= restart.to_s + 0.1, "the fixture's meter answers again 53 s after the command"
    assert passed.activation.transferred
    failed = run(bench + wire, tmp_path, LONG)
    assert (failed.verdict, codes(failed)) == ("FAIL", {"limit_exceeded"})


NEVER_BEGUN = {"activation_not_started", "instrument_lost"}
FAULTS = {
    "mains-lost": ("INCONCLUSIVE", {"cause_not_meter", "version_unchanged"}),
    "mains-lost-in-transfer": ("INCONCLUSIVE", {"cause_not_meter"}),
    "mains-lost-in-verification": ("ERROR", {"straddles_limit", "cause_not_meter", *NEVER_BEGUN}),
    "image-damaged": ("INCONCLUSIVE", {"activation_not_started"}),
    "hash-mismatch": ("INCONCLUSIVE", {"activation_not_started"}),
    "other-hardware": ("ERROR", {"unseen_gap", *NEVER_BEGUN}),
    "meter-resets-in-transfer": ("PASS", set[str]()),  # 10 s of the meter's own making: less than the limit
    "meter-resets": ("PASS", set[str]()),
    "activates-twice": ("PASS", set[str]()),
}
"""With a cut of 45 s: the verdict and its reasons."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("bench", ["twin", "twin-rtu", "twin-polyphase"])
def test_what_goes_wrong_at_the_meter_gives_its_verdict(bench: str, fault: str, tmp_path: Path) -> None:
    record = run(bench, tmp_path, SHORT, fault)
    assert (record.verdict, codes(record)) == FAULTS[fault]
    assert record.safe_state.proven


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("bench", ["twin-twin-element-rtu"])
def test_what_goes_wrong_at_the_meter_never_lets_an_outage_of_240_s_pass(
    bench: str, fault: str, tmp_path: Path
) -> None:
    assert run(bench, tmp_path, LONG, fault).verdict != "PASS"


def test_a_failed_activation_is_two_cuts_and_the_old_image_and_no_pass(tmp_path: Path) -> None:
    for wire in WIRES:
        record = run("twin" + wire, tmp_path, "stays-old")
        assert (record.verdict, codes(record)) == ("INCONCLUSIVE", {"version_unchanged"})
        assert len(record.outages) == 2
        assert record.activation.image_state == "activation failed"
        assert record.activation.version_after == record.activation.version_before


def test_cuts_that_the_meter_adds_are_judged_as_its_first(tmp_path: Path) -> None:
    """A meter that activates twice, the second time long enough; one that resets itself once more."""
    record = run("twin", tmp_path, SHORT, "activates-twice")
    assert [outage.cause for outage in record.outages] == ["meter", "meter"]
    assert len(record.activation.restarts) == 2
    reset = run("twin", tmp_path, SHORT, "meter-resets")
    lower, upper = reset.outages[1].lower_s, reset.outages[1].upper_s
    assert upper is not None
    assert 9.8 <= lower <= 10.6 <= upper + 0.7


def test_a_phase_that_is_lost_while_the_rail_is_away_takes_the_cause_from_the_meter(tmp_path: Path) -> None:
    for bench in ("twin-polyphase", "twin-twin-element-rtu"):
        record = run(bench, tmp_path, SHORT, "mains-l2-lost")
        assert (record.verdict, codes(record)) == ("INCONCLUSIVE", {"cause_not_meter"})
        assert {outage.cause for outage in record.outages} == {"mains"}


@pytest.mark.parametrize("wire", WIRES, ids=["tcp", "rtu"])
def test_a_gas_meter_does_not_feed_the_hub_and_every_place_says_so(
    wire: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rig.cli import main

    assert main(["run", "--bench", HOT_SHOE + wire, "--firmware", LONG, "--out", str(tmp_path)]) == 0
    sentence = "the gas meter does not feed the hub"
    out = capsys.readouterr().out
    assert sentence in out.split("PASS:")[0]
    assert sentence in out.split("PASS:")[1]
    (folder,) = bundles(tmp_path)
    body = json.loads((folder / "run.json").read_text())
    jsonschema.validate(body, json.loads(schema_text()))
    assert any(sentence in row["value"] for row in body["assumptions"])
    assert body["bench"]["topology"] == "hot-shoe"
    assert body["outages"] == []
    assert sentence in (folder / "report.html").read_text().lower()


@pytest.mark.parametrize("bench", [name for name in names() if name != "twin"])
def test_the_controls_of_every_variant_are_valid(bench: str, tmp_path: Path) -> None:
    outcome = PreparedControls(ControlsRequest(bench, tmp_path)).run(Silent())
    made = [row.kind for row in outcome.record.control.results]
    assert outcome.record.control.valid
    assert made == ["quiet", "supply-feed", *([] if "hot-shoe" in bench else ["meter-feed", "mains"])]


def test_a_hub_that_loses_its_hot_shoe_was_not_cut_by_the_gas_meter(tmp_path: Path) -> None:
    record = run(HOT_SHOE, tmp_path, LONG, "k3-opens")
    assert record.verdict == "INCONCLUSIVE"
    assert "cause_not_meter" in codes(record)
    assert {outage.cause for outage in record.outages} == {"supply"}
    assert record.rail_verdict != "PASS"


@pytest.mark.parametrize("noisy", ["twin-rtu", "twin-hot-shoe-rtu"])
def test_flipped_bits_before_the_command_end_the_run_by_their_name(noisy: str, tmp_path: Path) -> None:
    record = run(noisy, tmp_path, SHORT, "meter-noise")
    assert record.verdict == "ERROR"
    assert codes(record) >= NEVER_BEGUN
    assert any("bits were flipped on the line" in reason.text for reason in record.reasons)
    assert record.safe_state.proven


@pytest.mark.parametrize(
    ("bench", "fault", "lacks"),
    [
        ("twin", "mains-l2-lost", "second live terminal"),
        ("twin", "meter-noise", "serial line"),
        (HOT_SHOE, "k2-welded", "K2"),
        (HOT_SHOE, "mains-lost", "mains at its meter"),
        ("twin-outside", "image-damaged", "image that goes from the rig"),
    ],
)
def test_a_fault_that_a_bench_cannot_have_is_refused(bench: str, fault: str, lacks: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"this bench has no {lacks}") as caught:
        run(bench, tmp_path, SHORT, fault)
    assert caught.value.where.key == "--fault"
    assert list(tmp_path.iterdir()) == []
