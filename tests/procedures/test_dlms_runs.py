"""Whole runs with the twin's meter on DLMS, and what may go wrong there: never a false PASS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rig
from rig.errors import InputError
from rig.records.run import RunRecord
from rig.twin.meters import DLMS_SECRETS

SHORT, LONG = "cut-45s", "cut-240s"


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, short_twin: None) -> None:
    monkeypatch.setenv("ICHIS_RIG_STATE", str(tmp_path / "state"))


def run(out: Path, firmware: str = SHORT, *faults: str, bench: str = "twin-dlms") -> RunRecord:
    return rig.run_activation(bench, firmware, faults=faults, out=out)


def codes(record: RunRecord) -> set[str]:
    return {reason.code for reason in record.reasons}


def texts(record: RunRecord) -> str:
    return "\n".join(reason.text for reason in record.reasons)


@pytest.mark.parametrize(
    "bench",
    ["twin-dlms", "twin,meter=dlms-direct", "twin,meter=dlms-tcp", "twin-polyphase-dlms", "twin,meter=dlms-low"],
)
def test_a_short_cut_passes_and_a_long_one_fails_on_dlms(bench: str, tmp_path: Path) -> None:
    passed = run(tmp_path, bench=bench)
    assert (passed.verdict, passed.reasons) == ("PASS", ())
    assert passed.longest_outage.lower_s <= 45.0 <= (passed.longest_outage.upper_s or 0.0)
    assert (passed.activation.version_before, passed.activation.version_after) == ("1.0.0", "1.1.0")
    assert passed.activation.image_state == "activated"
    (restart,) = passed.activation.restarts
    assert restart.outage == 1
    assert run(tmp_path, LONG, bench=bench).verdict == "FAIL"


def test_high_level_security_with_ciphering_passes_and_no_secret_is_left_anywhere(tmp_path: Path) -> None:
    record = run(tmp_path / "runs", bench="twin,meter=dlms-gmac")
    assert record.verdict == "PASS"
    left = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for secret in DLMS_SECRETS.values():
        assert secret.encode("ascii") not in left
        assert secret.lower().encode("ascii") not in left


def test_a_gas_meter_on_dlms_says_what_its_run_cannot_show(tmp_path: Path) -> None:
    record = run(tmp_path, bench="twin-hot-shoe-dlms")
    assert record.verdict == "PASS"
    assert record.caveat is not None
    assert all(entry.agrees is None for entry in record.activation.meter_log), "it does not feed the rail"


@pytest.mark.parametrize("firmware", ["stays-old", "never-returns", "rejects-image"])
def test_what_a_meter_does_instead_is_told_on_dlms_as_anywhere(firmware: str, tmp_path: Path) -> None:
    dlms, modbus = run(tmp_path, firmware), run(tmp_path, firmware, bench="twin")
    assert dlms.verdict == modbus.verdict != "PASS"
    assert codes(dlms) == codes(modbus)
    assert len(dlms.outages) == len(modbus.outages)


@pytest.mark.parametrize(
    "fault",
    [
        "meter-late",
        "dlms-blocks-lost",
        "hdlc-fcs-wrong",
        "hdlc-noise",
        "head-echoes",
        "head-lifted-in-transfer",
        "meter-resets-in-answer",
    ],
)
def test_what_the_driver_can_mend_does_not_change_the_verdict(fault: str, tmp_path: Path) -> None:
    assert run(tmp_path, SHORT, fault).verdict == "PASS"
    assert run(tmp_path, LONG, fault).verdict == "FAIL"


@pytest.mark.parametrize("bench", ["twin,meter=dlms-direct", "twin,meter=dlms-gmac"])
def test_a_meter_that_resets_in_the_middle_of_an_answer_gets_the_rest_of_its_image(bench: str, tmp_path: Path) -> None:
    record = run(tmp_path, SHORT, "meter-resets-in-answer", bench=bench)
    assert record.verdict == "PASS"
    assert [outage.cause for outage in record.outages] == ["meter", "meter"]


def test_a_meter_that_resets_in_its_answer_to_the_command_is_not_believed_to_have_activated(tmp_path: Path) -> None:
    record = run(tmp_path, SHORT, "meter-resets-in-answer@0")
    assert record.verdict == "INCONCLUSIVE"
    assert codes(record) == {"version_unchanged"}


@pytest.mark.parametrize(
    ("fault", "verdict", "told"),
    [
        ("dlms-slot-small", "ERROR", "too large for its slot"),
        ("dlms-disabled", "ERROR", "image transfer is not enabled"),
        ("image-damaged", "INCONCLUSIVE", "did not start. The meter says of the image: rejected."),
        ("hdlc-dead", "INCONCLUSIVE", "did not report the new version"),
        ("head-lifted", "INCONCLUSIVE", "did not report the new version"),
    ],
)
def test_what_it_cannot_mend_is_told_and_never_a_pass(fault: str, verdict: str, told: str, tmp_path: Path) -> None:
    record = run(tmp_path, SHORT, fault)
    assert record.verdict == verdict
    assert told in texts(record)
    assert record.safe_state.proven
    assert run(tmp_path, LONG, fault).verdict != "PASS"


def test_a_meter_whose_port_refuses_is_an_error(tmp_path: Path) -> None:
    record = run(tmp_path, SHORT, "meter-dead", bench="twin,meter=dlms-tcp")
    assert record.verdict == "ERROR"
    assert "meter: connect: the link broke (ConnectionRefusedError)" in texts(record)


# -- the second witness --------------------------------------------------------------------------------------


def test_the_meters_own_log_is_put_beside_the_rail(tmp_path: Path) -> None:
    record = run(tmp_path)
    (entry,) = [e for e in record.activation.meter_log if e.duration_s is not None]
    assert (entry.duration_s, entry.outage, entry.agrees) == (45.0, 1, True)
    end_s = record.outages[0].end_s
    assert end_s is not None
    assert entry.from_s <= end_s <= entry.to_s
    assert "0x8F43" in {e.code for e in record.activation.meter_log}


def test_a_log_that_contradicts_the_rail_is_shown_loudly_and_decides_nothing(tmp_path: Path) -> None:
    for firmware, verdict in ((SHORT, "PASS"), (LONG, "FAIL")):
        record = run(tmp_path, firmware, "dlms-log-lies")
        assert record.verdict == verdict
        (entry,) = [e for e in record.activation.meter_log if e.duration_s is not None]
        assert entry.agrees is False
        folder = tmp_path / record.labels.run_id
        assert "CONTRADICTS outage 1 of the rail" in (folder / "report.html").read_text()
        kept = json.loads((folder / "run.json").read_text())["activation"]["meter_log"]
        assert [e["agrees"] for e in kept if e["duration_s"] is not None] == [False]


# -- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bench", ["twin", "twin,meter=dlms-tcp"])
def test_a_fault_of_a_line_that_is_not_there_is_refused(bench: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this bench has no meter on HDLC"):
        run(tmp_path, SHORT, "hdlc-noise", bench=bench)


def test_a_meter_that_is_said_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the meter is said twice"):
        run(tmp_path, bench="twin-dlms,meter=dlms-tcp")


def test_one_seed_gives_one_run_to_the_byte(tmp_path: Path) -> None:
    first, second = (run(tmp_path / name, SHORT, "hdlc-fcs-wrong").to_json() for name in ("a", "b"))
    assert first.pop("labels") != second.pop("labels")
    assert first == second
