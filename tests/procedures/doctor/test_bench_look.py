"""The doctor at the twin's bench: over its real wires, on its virtual clock, with faults and without."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gpiod import LineInfo

from rig.bench.config import SenseRole
from rig.errors import InputError
from rig.instruments.chips import Chip
from rig.procedures.doctor import lines as doctor_lines
from rig.procedures.doctor.lines import plausible
from rig.twin.gpio import TwinChipFace
from rig.twin.modbus import TwinModbus
from rig.twin.scpi import ScpiFace
from rig.twin.wire import Answer
from tests.procedures.doctor.benches import look, seen, the_look, twin, with_supply
from tests.procedures.doctor.machines import one

GOOD: dict[SenseRole, bool] = {
    "rail_up": False,
    "rail_down": True,
    "mains": True,
    "ac_lo": False,
    "mt_pr": True,
    "ch_pr": True,
}


def test_a_good_bench_has_nothing_to_do(tmp_path: Path) -> None:
    checks = seen(tmp_path)
    assert {check.status for check in checks.values()} == {"ok"}
    assert checks["psu: identity"].found == "RIGOL TECHNOLOGIES DP832, serial DP8TWIN00000000"
    assert checks["scope: firmware"].found == "00.04.05.SP2"
    assert checks["psu: output"].found == "off, 0.00 V, 0.000 A"
    assert checks["meter: identity"].found == "Synthetic Meters SM-ESME-1, serial SM0000001"
    assert checks["meter: firmware"].found == "1.0.0"
    assert checks["free lines"].found.startswith("K1 17, K2 27, K3 22, rail_up 5, ")


# -- nothing is changed ------------------------------------------------------------------------------------------------


def test_only_questions_are_sent_and_all_of_them_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    functions: set[int] = set()
    handle, answer = ScpiFace.handle, TwinModbus.answer

    def heard(face: ScpiFace, line: str) -> Answer:
        lines.append(line)
        return handle(face, line)

    def asked(face: TwinModbus, unit: int, pdu: bytes) -> bytes | None:
        functions.add(pdu[0])
        return answer(face, unit, pdu)

    monkeypatch.setattr(ScpiFace, "handle", heard)
    monkeypatch.setattr(TwinModbus, "answer", asked)
    checks = seen(tmp_path)
    assert lines
    assert all(line.endswith("?") or "? " in line for line in lines), lines
    told = {question for check in checks.values() for question in check.asked}
    assert set(lines) == {question for question in told if not question.startswith("Modbus")}
    assert functions == {3}, "read holding registers"


def test_no_relay_line_is_requested_and_nothing_moves(tmp_path: Path) -> None:
    with twin() as bench:

        def standing() -> tuple[Any, ...]:
            gpio, world = bench.world.gpio, bench.world
            moved = {role: (contact.closed, contact._moves) for role, contact in world.contacts.items()}
            return set(gpio._outputs), dict(gpio._levels), moved, dict(world.chip._taken), bench.supply._channels[1].on

        before = standing()
        look(bench, tmp_path)
        assert standing() == before
        look(bench, tmp_path)


def test_the_error_queue_of_an_instrument_is_left_to_whom_it_belongs(tmp_path: Path) -> None:
    with twin() as bench:
        bench.supply.error(-222, "Data out of range")
        look(bench, tmp_path)
        assert list(bench.supply._errors) == ['-222,"Data out of range"']


# -- dead instruments --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "costs_s"),
    [
        (("supply-silent",), 3.0),
        (("scope-silent",), 5.0),
        (("supply-silent", "scope-silent"), 5.0),
        (("supply-silent", "scope-silent", "mains-lost"), 5.0),  # a meter without mains is silent for 2 s
    ],
)
def test_dead_instruments_cost_the_longest_of_their_timeouts_and_not_the_sum(
    tmp_path: Path, faults: tuple[str, ...], costs_s: float
) -> None:
    with twin(*faults) as bench:
        start = bench.clock.now()
        checks = look(bench, tmp_path)
        assert bench.clock.now() - start == pytest.approx(costs_s * 1e9, abs=1e6)
        assert one(checks, "GPIO chip").status == "ok"
        assert {check.what for check in checks if check.status == "failed"} == {
            f"{'psu' if fault == 'supply-silent' else 'scope'}: identity" for fault in faults if fault != "mains-lost"
        }


@pytest.mark.parametrize(
    ("fault", "what", "found"),
    [
        ("scope-dead", "scope: identity", "scope: '*IDN?': the link broke"),
        ("scope-silent", "scope: identity", "scope: '*IDN?': no answer within 5 s"),
        ("supply-dead", "psu: identity", "psu: '*IDN?': the link broke"),
        ("supply-silent", "psu: identity", "psu: '*IDN?': no answer within 3 s"),
        ("meter-dead", "meter: identity", "meter: cannot connect"),
        ("rail-up-stuck-high", "sense levels", "the rail is said to be up and down at once"),
        ("clock-slewed", "twin's clock slew", "+1001.0 ppm"),
    ],
)
def test_a_fault_that_can_be_seen_fails_and_alone(tmp_path: Path, fault: str, what: str, found: str) -> None:
    checks = seen(tmp_path, fault)
    assert checks[what].status == "failed"
    assert checks[what].found.startswith(found)
    assert checks[what].to_do
    assert {check.what for check in checks.values() if check.status == "failed"} == {what}


@pytest.mark.parametrize(
    ("fault", "what", "found"),
    [
        ("rail-down-stuck-low", "sense levels", "the rail is neither up nor down"),
        ("k2-welded", "sense levels", "the rail is up"),
    ],
)
def test_what_is_odd_and_may_be_right_is_a_warning(tmp_path: Path, fault: str, what: str, found: str) -> None:
    checks = seen(tmp_path, fault)
    assert checks[what].status == "warning"
    assert checks[what].found.startswith(found)
    assert {check.status for check in checks.values() if check.what != what} == {"ok"}


def test_a_meter_that_answers_late_but_in_time_is_fine(tmp_path: Path) -> None:
    assert seen(tmp_path, "meter-late")["meter: identity"].status == "ok"


def test_a_meter_without_mains_is_not_blamed_for_its_silence(tmp_path: Path) -> None:
    check = seen(tmp_path, "mains-lost")["meter: identity"]
    assert check.status == "warning"
    assert check.found.endswith("there is no mains at its terminals")
    assert "the doctor does not do" in (check.to_do or "")


# -- identities --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "value"), [("model", "DP832A"), ("serial", "DP8A000000001")])
def test_another_instrument_than_the_bench_file_expects_fails(tmp_path: Path, key: str, value: str) -> None:
    with twin() as bench:
        checks = look(bench, tmp_path, with_supply(bench.config, **{key: value}))
    check = one(checks, "psu: identity")
    assert check.status == "failed"
    assert check.found.endswith(f"the bench file expects {key} {value}")


def test_another_firmware_is_a_warning(tmp_path: Path) -> None:
    with twin() as bench:
        checks = look(bench, tmp_path, with_supply(bench.config, firmware="00.01.14"))
    check = one(checks, "psu: firmware")
    assert (check.status, check.found) == ("warning", "00.01.16; the bench file expects 00.01.14")
    assert one(checks, "psu: identity").status == "ok"


def test_an_instrument_of_another_kind_fails(tmp_path: Path) -> None:
    with twin() as bench:
        checks = look(bench, tmp_path, with_supply(bench.config, address=bench.config.oscilloscope[0].address))
    assert one(checks, "psu: identity").status == "failed"
    assert "this is another instrument" in one(checks, "psu: identity").found


@pytest.mark.parametrize(("tripped", "status"), [(False, "warning"), (True, "failed")])
def test_an_output_that_is_on_or_tripped_is_told(tmp_path: Path, tripped: bool, status: str) -> None:
    with twin() as bench:
        channel = bench.supply._channels[1]
        channel.volts, channel.on, channel.ovp_tripped = 12.0, not tripped, tripped
        bench.supply._drive(1)
        check = one(look(bench, tmp_path), "psu: output")
        assert channel.on is not tripped, "the doctor switches nothing"
    assert check.status == status


# -- calibration -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "status", "found"),
    [
        (-1, "failed", "1 days ago"),
        (0, "failed", "0 days ago"),
        (1, "warning", "in 1 days"),
        (30, "warning", "in 30 days"),
        (31, "ok", "in 31 days"),
    ],
)
def test_calibration_is_overdue_from_its_day_on_and_near_for_thirty_days(
    tmp_path: Path, days: int, status: str, found: str
) -> None:
    with twin() as bench:
        due = bench.clock.utc().date() + timedelta(days=days)
        check = one(look(bench, tmp_path, with_supply(bench.config, calibration_due=due)), "psu: calibration")
    assert check.status == status
    assert check.found == f"due on {due}, {found}"


def test_how_bad_overdue_is_the_bench_file_says(tmp_path: Path) -> None:
    with twin() as bench:
        limits = bench.config.limits.model_copy(update={"calibration_overdue": "warning"})
        config = with_supply(bench.config, calibration_due=bench.clock.utc().date()).model_copy(
            update={"limits": limits}
        )
        assert one(look(bench, tmp_path, config), "psu: calibration").status == "warning"


def test_a_real_instrument_without_a_date_is_a_warning(tmp_path: Path) -> None:
    with twin() as bench:
        check = one(look(bench, tmp_path, real=True), "scope: calibration")
    assert check.status == "warning"
    assert "calibration_due" in (check.to_do or "")


# -- lines -------------------------------------------------------------------------------------------------------------


class Used(TwinChipFace):
    """The twin's chip, on which others have taken lines."""

    def __init__(self, face: TwinChipFace, consumers: dict[int, str]) -> None:
        super().__init__(face._chip)
        self._consumers = consumers

    def get_line_info(self, line: int | str) -> LineInfo:
        info = super().get_line_info(line)
        assert isinstance(line, int)
        if line in self._consumers:
            object.__setattr__(info, "used", True)
            object.__setattr__(info, "consumer", self._consumers[line])
        return info


@pytest.mark.parametrize(
    ("line", "consumer", "what", "to_do"),
    [
        (27, "lg", "line of relay K2", "end that program"),
        (5, "spi0 CS0", "line of sense rail_up", "end that program"),
        (6, "ichis-rig", "line of sense rail_down", "a run has it"),
    ],
)
def test_a_line_that_another_process_has_taken_is_named_with_its_consumer(
    tmp_path: Path, line: int, consumer: str, what: str, to_do: str
) -> None:
    with twin() as bench:

        def open_chip(path: str) -> Chip:
            return Used(bench.world.chip.open(path), {line: consumer})

        call_sets = replace(bench.call_sets, open_chip=open_chip)
        checks = the_look(bench, tmp_path, call_sets=call_sets).checks()
    check = one(checks, what)
    assert (check.status, check.found) == ("failed", f"line {line} is taken by '{consumer}'")
    assert (check.to_do or "").startswith(to_do)
    levels = one(checks, "sense levels")
    assert (levels.status == "ok") is (line == 27), "a relay's line does not keep the sense lines from being read"
    assert f" {line}" not in one(checks, "free lines").found


def test_relay_lines_that_a_keeper_holds_are_as_they_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_lines, "holder", lambda state, line: 4711 if line in (17, 27) else None)
    with twin() as bench:

        def open_chip(path: str) -> Chip:
            return Used(bench.world.chip.open(path), {17: "lg", 27: "lg", 22: "lg"})

        checks = the_look(bench, tmp_path, call_sets=replace(bench.call_sets, open_chip=open_chip)).checks()
    check = one(checks, "kept lines")
    assert check.status == "ok"
    assert check.found.startswith("K1 17, K2 27: held by process 4711")
    assert one(checks, "line of relay K3").status == "failed"


def test_lines_of_a_run_that_goes_on_are_not_read(tmp_path: Path) -> None:
    from rig.bench.opening import open_sense

    with twin() as bench:
        lines = open_sense(bench.config, bench.clock, bench.call_sets)
        checks = look(bench, tmp_path)
        lines.close()
    assert one(checks, "line of sense rail_up").found == "line 5 is taken by 'ichis-rig'"
    assert one(checks, "sense levels").found.startswith("not read: rail_up, rail_down, ")


def test_a_chip_that_is_not_there_fails_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    with twin() as bench:
        sense = [line.model_copy(update={"chip": "/dev/gpiochip9"}) for line in bench.config.sense]
        checks = look(bench, tmp_path, bench.config.model_copy(update={"sense": sense}))
    check = one(checks, "GPIO chip")
    assert (check.status, check.found) == ("failed", "/dev/gpiochip9: No such file or directory")
    assert one(checks, "scope: identity").status == "ok"


def test_a_line_that_the_chip_has_not_fails(tmp_path: Path) -> None:
    with twin() as bench:
        first, *others = bench.config.sense
        sense = [first.model_copy(update={"line": 60}), *others]
        checks = look(bench, tmp_path, bench.config.model_copy(update={"sense": sense}))
    assert one(checks, "lines").found == "/dev/gpiochip0 has no line 60; it has 54"


@pytest.mark.parametrize(
    ("changed", "status", "found"),
    [
        ({}, "ok", "the rail is down"),
        ({"mains": False, "ac_lo": True, "mt_pr": False}, "ok", "the rail is down"),
        ({"rail_up": True}, "failed", "the rail is said to be up and down at once"),
        ({"rail_up": True, "rail_down": False}, "warning", "the rail is up"),
        ({"rail_down": False}, "warning", "the rail is neither up nor down"),
        ({"ac_lo": True}, "warning", "the meter says AC lost while the detector sees mains"),
        ({"mt_pr": False}, "warning", "no meter is said to be present while it has mains"),
        ({"ch_pr": False}, "warning", "no hub is said to be present"),
    ],
)
def test_levels_that_contradict_each_other_are_told(changed: dict[SenseRole, bool], status: str, found: str) -> None:
    check = plausible({**GOOD, **changed}, "ichis")
    assert check.status == status
    assert check.found.startswith(found)


def test_lines_that_are_not_wired_are_not_missed() -> None:
    assert plausible({"rail_up": False, "rail_down": True, "mains": True}, "ichis").status == "ok"


def test_where_the_supply_is_the_hubs_normal_feed_the_rail_may_be_up() -> None:
    check = plausible({**GOOD, "rail_up": True, "rail_down": False}, "hot-shoe")
    assert check.status == "ok"
    assert check.found.startswith("the rail is up")


def test_an_unknown_profile_is_bad_input_before_anything_is_asked(tmp_path: Path) -> None:
    with twin() as bench:
        meter = bench.config.meter.model_copy(update={"profile": "synthetic-esm"})
        with pytest.raises(InputError, match="did you mean 'synthetic-esme'"):
            look(bench, tmp_path, bench.config.model_copy(update={"meter": meter}))


def test_a_real_bench_is_told_that_its_drivers_were_never_seen_on_hardware(tmp_path: Path) -> None:
    with twin() as bench:
        checks = look(bench, tmp_path, real=True)
    for name, driver in (("psu", "rigol-dp800"), ("scope", "rigol-ds1000z")):
        check = one(checks, f"{name}: driver")
        assert check.status == "ok"
        assert check.found.startswith(f"{driver} (Rigol ")
        assert check.found.endswith("never seen on hardware")
