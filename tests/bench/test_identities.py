"""Who answers, against who the bench file says must answer."""

from __future__ import annotations

from pathlib import Path

import pytest

import rig
from rig.bench.identities import check_identity, other_than_expected
from rig.errors import BenchError
from rig.instruments.ports import Identity
from rig.twin import bench as twin_bench
from tests.bench.files import checked

WHO = Identity("RIGOL TECHNOLOGIES", "DP832", "DP8A1", "00.01.16")
SUPPLY = checked().supply[0]


def test_where_the_bench_file_says_nothing_anybody_may_answer() -> None:
    check_identity(SUPPLY, WHO)
    assert other_than_expected(SUPPLY, WHO, "model", "serial", "firmware") is None


def test_who_is_expected_may_answer() -> None:
    table = SUPPLY.model_copy(update={"model": "DP832", "serial": "DP8A1", "firmware": "00.01.16"})
    check_identity(table, WHO)
    assert other_than_expected(table, WHO, "model", "serial", "firmware") is None


@pytest.mark.parametrize(("key", "expected", "found"), [("model", "DP831", "DP832"), ("serial", "DP8A2", "DP8A1")])
def test_another_model_or_serial_number_is_refused(key: str, expected: str, found: str) -> None:
    table = SUPPLY.model_copy(update={key: expected})
    with pytest.raises(BenchError, match="psu: this is not the instrument of the bench file") as error:
        check_identity(table, WHO)
    assert (error.value.where.key, error.value.where.expected, error.value.where.found) == (key, expected, found)


def test_another_firmware_is_no_reason_to_refuse_a_run() -> None:
    table = SUPPLY.model_copy(update={"firmware": "00.01.14"})
    check_identity(table, WHO)
    other = other_than_expected(table, WHO, "firmware")
    assert other is not None
    assert (other.expected, other.found) == ("00.01.14", "00.01.16")


def test_a_run_on_another_instrument_than_the_bench_file_names_ends_before_anything_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = twin_bench.template
    wrong = 'probe = 10.0\nserial = "DS1ZA1"'
    monkeypatch.setattr(twin_bench, "template", lambda name: template(name).replace("probe = 10.0", wrong))
    record = rig.run_activation(out=tmp_path)
    assert record.verdict != "PASS"
    assert any("scope: this is not the instrument of the bench file" in reason.text for reason in record.reasons)
    assert record.control.results == ()
    assert record.safe_state.proven
