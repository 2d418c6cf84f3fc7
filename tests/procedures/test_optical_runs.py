"""Whole runs with the twin's meter behind an optical head, and what may go wrong there: never a false PASS."""

from __future__ import annotations

from pathlib import Path

import pytest

import rig
from rig.errors import InputError
from rig.records.run import RunRecord
from rig.twin.optical_commands import PASSWORD

pytestmark = pytest.mark.usefixtures("short_twin")

SHORT, LONG = "cut-45s", "cut-240s"


def run(out: Path, firmware: str = SHORT, *faults: str, bench: str = "twin-optical") -> RunRecord:
    return rig.run_activation(bench, firmware, faults=faults, out=out)


def texts(record: RunRecord) -> str:
    return "\n".join(reason.text for reason in record.reasons)


@pytest.mark.parametrize(
    "bench", ["twin-optical", "twin,meter=optical", "twin-twin-element-optical", "twin-polyphase-optical"]
)
def test_a_short_cut_passes_and_a_long_one_fails_behind_an_optical_head(bench: str, tmp_path: Path) -> None:
    passed = run(tmp_path, bench=bench)
    assert (passed.verdict, passed.reasons) == ("PASS", ())
    assert passed.longest_outage.lower_s <= 45.0 <= (passed.longest_outage.upper_s or 0.0)
    assert (passed.activation.version_before, passed.activation.version_after) == ("1.0.0", "1.1.0")
    assert passed.activation.transferred
    (restart,) = passed.activation.restarts
    assert restart.outage == 1
    assert run(tmp_path, LONG, bench=bench).verdict == "FAIL"


@pytest.mark.parametrize("firmware", ["stays-old", "never-returns", "rejects-image"])
def test_what_a_meter_does_instead_is_told_behind_an_optical_head_as_anywhere(firmware: str, tmp_path: Path) -> None:
    head, tcp = run(tmp_path, firmware), run(tmp_path, firmware, bench="twin")
    assert head.verdict == tcp.verdict != "PASS"
    assert {r.code for r in head.reasons} == {r.code for r in tcp.reasons}
    assert len(head.outages) == len(tcp.outages)


@pytest.mark.parametrize("fault", ["head-echoes", "head-lifted-in-transfer", "meter-late"])
def test_what_a_driver_can_mend_does_not_change_the_verdict(fault: str, tmp_path: Path) -> None:
    assert run(tmp_path, SHORT, fault).verdict == "PASS"
    assert run(tmp_path, LONG, fault).verdict == "FAIL"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("wrong-check", "the block check is wrong: bits were flipped on the line"),
        ("meter-too-late", "Lost during the run: meter: "),
        ("password-changed", "the meter refuses the password"),
        ("image-damaged", "The activation did not start. The meter says of the image: rejected."),
        ("hash-mismatch", "The activation did not start. The meter says of the image: activation failed."),
    ],
)
def test_what_it_cannot_mend_is_named_and_the_bench_is_safe(fault: str, told: str, tmp_path: Path) -> None:
    record = run(tmp_path, SHORT, fault)
    assert record.verdict in ("ERROR", "INCONCLUSIVE")
    assert told in texts(record)
    assert record.safe_state.proven


def test_noise_is_mended_or_named_and_never_hides_a_cut(tmp_path: Path) -> None:
    record = run(tmp_path, SHORT, "meter-noise")
    assert record.verdict == "PASS" or "bits were flipped on the line" in texts(record)
    assert run(tmp_path, LONG, "meter-noise").verdict != "PASS"


def test_power_that_is_lost_in_the_activation_keeps_the_new_image_pending_and_is_no_pass(tmp_path: Path) -> None:
    record = run(tmp_path, SHORT, "mains-lost")
    assert record.verdict == "INCONCLUSIVE"
    assert record.activation.version_after == "1.0.0"
    assert record.activation.image_state == "verified"


def test_a_meter_that_resets_in_the_middle_of_an_answer_is_sent_the_image_again(tmp_path: Path) -> None:
    assert run(tmp_path, SHORT, "meter-resets-in-answer").verdict == "PASS"


def test_a_head_that_is_lifted_off_while_the_meter_activates_is_no_pass_but_the_rail_is_watched(tmp_path: Path) -> None:
    record = run(tmp_path, SHORT, "head-lifted")
    assert record.verdict == "INCONCLUSIVE"
    assert record.outages[0].lower_s == pytest.approx(45.0, abs=0.2)
    assert run(tmp_path, LONG, "head-lifted").verdict == "FAIL"


def test_a_wrong_password_from_the_environment_is_named_and_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIG_METER_TWIN_PASSWORD", "geheim77")
    record = run(tmp_path)
    assert record.verdict == "ERROR"
    assert "the meter refuses the password" in texts(record)
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or not any(word in file.read_bytes() for word in (b"geheim77", PASSWORD.encode()))


def test_one_seed_gives_one_run_to_the_byte(tmp_path: Path) -> None:
    first, second = (run(tmp_path, SHORT, "meter-noise").to_json() for _ in range(2))
    first.pop("labels")
    second.pop("labels")
    assert first == second


def test_a_fault_of_a_head_needs_a_head(tmp_path: Path) -> None:
    for bench in ("twin", "twin-rtu", "twin,meter=optical-tcp", "twin,meter=dlms-tcp"):
        with pytest.raises(InputError, match="this bench has no optical head"):
            run(tmp_path, SHORT, "head-lifted", bench=bench)
    for bench in ("twin-rtu", "twin-dlms", "twin,meter=optical-tcp"):
        with pytest.raises(InputError, match="this bench has no optical head for mode C"):
            run(tmp_path, SHORT, "password-changed", bench=bench)
