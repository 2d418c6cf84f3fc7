"""Every fault of the twin, end to end: none makes an outage of 240 s pass, and what is told is what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

import rig
from rig.errors import InputError
from rig.records.run import RunRecord
from rig.twin.faults import KINDS, Fault, parse, parse_from_start

pytestmark = pytest.mark.usefixtures("short_twin")

SHORT, LONG = "cut-45s", "cut-240s"
Faults = tuple[str, ...]
Codes = set[str]
Row = tuple[str, Codes]

NOT_STARTED = {"activation_not_started", "instrument_lost"}
BLIND = NOT_STARTED | {"control_missing", "unseen_gap"}
CONTRADICTED = NOT_STARTED | {"control_missing", "sources_disagree"}
UNSAFE = {"safe_state_unproven"}
BROKEN = {"limit_exceeded"}
NO_SUPPLY = UNSAFE | {"instrument_lost", "cause_unknown"}

TABLE: dict[Faults, tuple[Row, Row]] = {
    # faults: (with a cut of 45 s, with a cut of 240 s), each (verdict, reason codes)
    (): (("PASS", set()), ("FAIL", BROKEN)),
    # where the fault does not matter
    ("meter-late",): (("PASS", set()), ("FAIL", BROKEN)),
    ("k3-welded@20",): (("PASS", set()), ("FAIL", BROKEN)),  # the supply is off: nothing feeds through it
    # not the meter
    ("mains-lost",): (("INCONCLUSIVE", {"cause_not_meter", "version_unchanged"}),) * 2,
    ("mains-lost-in-transfer",): (("INCONCLUSIVE", {"cause_not_meter"}), ("FAIL", BROKEN | {"cause_not_meter"})),
    ("mains-lost-in-verification",): (("ERROR", NOT_STARTED | {"cause_not_meter", "straddles_limit"}),) * 2,
    # the meter's own doing: its cuts count like any other
    ("meter-resets",): (("PASS", set()), ("INCONCLUSIVE", {"version_unchanged"})),  # ends the long cut after 107 s
    ("meter-resets-in-transfer",): (("PASS", set()), ("FAIL", BROKEN)),
    ("activates-twice",): (("PASS", set()), ("FAIL", BROKEN)),
    # the meter does not take the image, or not the command
    ("image-damaged",): (("INCONCLUSIVE", {"activation_not_started"}),) * 2,
    ("hash-mismatch",): (("INCONCLUSIVE", {"activation_not_started"}),) * 2,
    ("other-hardware",): (("ERROR", NOT_STARTED | {"unseen_gap"}),) * 2,
    # the control or the path finds it before anything is activated
    ("rail-up-stuck-high",): (("ERROR", CONTRADICTED | UNSAFE),) * 2,
    ("rail-up-stuck-low",): (("ERROR", BLIND),) * 2,
    ("rail-down-stuck-high",): (("ERROR", CONTRADICTED),) * 2,
    ("rail-down-stuck-low",): (("ERROR", BLIND | UNSAFE),) * 2,
    ("scope-dead",): (("ERROR", BLIND),) * 2,
    ("scope-silent",): (("ERROR", BLIND),) * 2,
    ("scope-stale",): (("ERROR", BLIND),) * 2,
    ("supply-dead",): (("ERROR", BLIND | UNSAFE),) * 2,
    ("supply-silent",): (("ERROR", BLIND | UNSAFE),) * 2,
    ("k3-welded",): (("ERROR", BLIND),) * 2,
    ("meter-dead",): (("ERROR", BLIND),) * 2,
    ("meter-too-late",): (("ERROR", BLIND),) * 2,
    ("mains-stuck",): (("ERROR", BLIND),) * 2,
    # in the middle of the activation
    ("rail-up-stuck-high@1",): (("ERROR", {"sources_disagree"} | UNSAFE),) * 2,
    ("rail-up-stuck-high@20",): (("ERROR", {"sources_disagree"} | UNSAFE),) * 2,
    ("rail-up-stuck-low@20",): (("INCONCLUSIVE", {"straddles_limit"}), ("FAIL", BROKEN)),
    ("rail-down-stuck-high@20",): (("INCONCLUSIVE", {"sources_disagree"}),) * 2,
    ("rail-down-stuck-low@20",): (("ERROR", UNSAFE), ("ERROR", UNSAFE | BROKEN)),
    ("edges-lost",): (("INCONCLUSIVE", {"unseen_gap"}), ("FAIL", BROKEN)),
    ("scope-dead@20",): (("INCONCLUSIVE", {"instrument_lost"}), ("FAIL", BROKEN | {"instrument_lost"})),
    ("scope-silent@20",): (("INCONCLUSIVE", {"instrument_lost"}), ("FAIL", BROKEN | {"instrument_lost"})),
    ("scope-stale@1",): (("INCONCLUSIVE", {"instrument_lost"}), ("FAIL", BROKEN | {"instrument_lost"})),
    ("scope-drops@20",): (("PASS", set()), ("FAIL", BROKEN)),
    ("supply-drops@20",): (("PASS", set()), ("FAIL", BROKEN)),
    ("scope-drops",): (("PASS", set()), ("FAIL", BROKEN)),
    ("supply-drops",): (("PASS", set()), ("FAIL", BROKEN)),
    ("supply-dead@20",): (("ERROR", NO_SUPPLY), ("ERROR", NO_SUPPLY | BROKEN)),
    ("supply-silent@20",): (("ERROR", NO_SUPPLY), ("ERROR", NO_SUPPLY | BROKEN)),
    ("meter-dead@20",): (("INCONCLUSIVE", {"version_unchanged"}), ("FAIL", BROKEN | {"version_unchanged"})),
    # the same, and back after ten minutes: after the run, but for the meter
    ("scope-away",): (("INCONCLUSIVE", {"instrument_lost"}), ("FAIL", BROKEN | {"instrument_lost"})),
    ("supply-away",): (("ERROR", NO_SUPPLY), ("ERROR", NO_SUPPLY | BROKEN)),
    ("meter-away",): (("INCONCLUSIVE", {"version_unchanged"}), ("FAIL", BROKEN | {"version_unchanged"})),
    ("utc-stepped",): (("PASS", set()), ("FAIL", BROKEN)),
    ("k2-welded",): (("ERROR", UNSAFE), ("ERROR", UNSAFE | BROKEN)),
    ("k2-line-stuck",): (("ERROR", UNSAFE), ("ERROR", UNSAFE | BROKEN)),
    ("clock-slewed",): (("INCONCLUSIVE", {"unseen_gap"}),) * 2,
    # No sensor sees K2's own contact: a contact that drops open looks like a meter that never feeds again.
    ("k2-opens",): (("FAIL", BROKEN),) * 2,
    # both comparators lie together: the oscilloscope alone contradicts them
    ("rail-up-stuck-high@1", "rail-down-stuck-low@1"): (("ERROR", {"sources_disagree"} | UNSAFE),) * 2,
}

ELSEWHERE = {"k3-opens", "mains-l2-lost", "meter-noise", "wrong-check", "password-changed", "meter-resets-in-answer"}
ELSEWHERE |= {k for k in KINDS if k.startswith(("dlms-", "hdlc-", "head-"))}
"""What this bench cannot have, or what changes nothing on it: tests/procedures/test_variants.py, test_dlms_runs.py,
test_optical_runs.py."""

UNPROVEN = {
    "k2-welded": {"rail discharged"},
    "k2-line-stuck": {"relay K2", "rail discharged"},
    "supply-dead": {"supply psu off"},
    "supply-silent": {"supply psu off"},
    "supply-away": {"supply psu off"},
    "rail-up-stuck-high": {"rail discharged"},
    "rail-down-stuck-low": {"rail discharged"},
}
"""What of the safe state each fault leaves unproven; nothing for all others."""


def run(firmware: str, faults: Faults, out: Path) -> RunRecord:
    return rig.run_activation(firmware=firmware, faults=faults, out=out)


@pytest.mark.parametrize("firmware", [SHORT, LONG])
@pytest.mark.parametrize("faults", TABLE, ids=lambda faults: "+".join(faults) or "none")
def test_a_fault_gives_its_verdict_its_reasons_and_its_safe_state(
    firmware: str, faults: Faults, tmp_path: Path
) -> None:
    verdict, codes = TABLE[faults][firmware == LONG]
    record = run(firmware, faults, tmp_path)
    assert (record.verdict, {reason.code for reason in record.reasons}) == (verdict, codes)
    unproven = {check.what for check in record.safe_state.checks if not check.proven}
    assert unproven == set().union(*(UNPROVEN.get(fault.split("@")[0], set()) for fault in faults))
    assert record.safe_state.proven == (not unproven)
    assert record.verdict == "ERROR" or record.safe_state.proven, "a safe state that is not proven is an error"


def test_no_row_above_lets_an_outage_of_240_s_pass() -> None:
    assert all(long[0] != "PASS" for _, long in TABLE.values())
    assert {faults for faults, (short, _) in TABLE.items() if short[0] == "PASS"} == {
        (),
        ("meter-late",),
        ("k3-welded@20",),
        ("meter-resets",),
        ("meter-resets-in-transfer",),
        ("activates-twice",),
        ("utc-stepped",),
        *((name,) for name in ("scope-drops", "scope-drops@20", "supply-drops", "supply-drops@20")),
    }


def test_every_fault_is_in_the_table() -> None:
    assert {fault.split("@")[0] for faults in TABLE for fault in faults} | ELSEWHERE == set(KINDS)


PAIRS = [
    ("edges-lost", "scope-dead@1"),
    ("rail-up-stuck-high@1", "scope-stale@1"),
    ("rail-down-stuck-low@1", "scope-dead@1"),
    ("meter-dead@1", "edges-lost"),
    ("mains-lost@100", "scope-dead@20"),
    ("clock-slewed@100", "scope-dead@1"),
    ("rail-up-stuck-high@1", "rail-down-stuck-low@1", "scope-dead@1"),
    ("rail-up-stuck-high@1", "rail-down-stuck-low@1", "scope-stale@1"),
]


@pytest.mark.parametrize("faults", PAIRS, ids="+".join)
def test_faults_together_never_let_an_outage_of_240_s_pass(faults: Faults, tmp_path: Path) -> None:
    assert run(LONG, faults, tmp_path).verdict != "PASS"


# -- names ---------------------------------------------------------------------------------------------------------


def test_a_fault_acts_at_its_own_time_or_at_the_one_that_is_asked_for() -> None:
    assert parse("scope-dead") == Fault("scope-dead", None)
    assert parse("mains-lost") == Fault("mains-lost", 10.0)
    assert parse("scope-dead@2.5") == Fault("scope-dead", 2.5)
    assert parse("mains-lost@0") == Fault("mains-lost", 0.0)


@pytest.mark.parametrize("text", ["scope-ded", "", "@3", "SCOPE-DEAD"])
def test_an_unknown_fault_is_told_with_the_known_ones(text: str) -> None:
    with pytest.raises(InputError, match="no fault") as caught:
        parse(text)
    assert caught.value.where.expected == ", ".join(sorted(KINDS))


@pytest.mark.parametrize("time", ["", "soon", "-1", "nan", "inf", "86401", "1e9"])
def test_a_time_that_is_none_is_told(time: str) -> None:
    with pytest.raises(InputError, match="not a time") as caught:
        parse(f"scope-dead@{time}")
    assert caught.value.where.found == time


def test_every_fault_says_what_it_is() -> None:
    assert all(kind.text and "\n" not in kind.text for kind in KINDS.values())


@pytest.mark.parametrize("name", KINDS)
def test_where_nothing_is_activated_every_fault_acts_from_the_start(name: str) -> None:
    assert parse_from_start(name) == Fault(name, None)


def test_where_nothing_is_activated_a_time_is_refused() -> None:
    with pytest.raises(InputError, match="a fault acts from the start"):
        parse_from_start("scope-dead@3")
    with pytest.raises(InputError, match="did you mean 'scope-dead'"):
        parse_from_start("scope-ded")
