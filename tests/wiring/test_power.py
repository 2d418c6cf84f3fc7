"""A rail, a meter or a coil that is fed when it must not be: each is told with file and line of both files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wiring.case import MAINS_ROLE, SAFE_K2, WIRING, Case

CASES: dict[str, Case] = {
    # -- what feeds the rail
    "a feed on a break contact": Case(
        [],
        [("  - [{K2: [14]}, {W41: [1]}", "  - [{K2: [12]}, {W41: [1]}")],
        "the safe position, every relay released, feeds the rail",
        "the meter",
        "nothing",
        SAFE_K2,
        "    K2: {kind",
    ),
    "both feeds on break contacts": Case(
        [],
        [
            ("  - [{K2: [14]}, {W41: [1]}", "  - [{K2: [12]}, {W41: [1]}"),
            ("  - [{K3: [14]}, {W44", "  - [{K3: [12]}, {W44"),
        ],
        "the safe position, every relay released, feeds the rail twice",
        "the supply and the meter",
        "nothing",
        SAFE_K2,
        "    K3: {kind",
    ),
    "a wire around K2": Case(
        [],
        [("  - [{K2: [14]}, {W41: [1]}, {CUR: [1]}]", "  - [{K2: [11]}, {W41: [1]}, {CUR: [1]}]")],
        "the safe position, every relay released, feeds the rail",
        "the meter",
        "nothing",
        SAFE_K2,
        "    K2: {kind",
    ),
    "the feeds change places": Case(
        [],
        [
            ("  - [{K2: [11, 11]}, {W40: [1, 2]}", "  - [{K3: [11, 11]}, {W40: [1, 2]}"),
            ("  - [{K3: [11, 21]}, {W43: [1, 2]}", "  - [{K2: [11, 21]}, {W43: [1, 2]}"),
        ],
        "with K2 alone closed, node hub is not fed by the meter",
        "the supply",
        "the meter",
        'role = "meter-feed"',
        "    K2: {kind",
    ),
    "a feed that goes nowhere": Case(
        [],
        [("  - [{K3: [14]}, {W44: [1]}, {TN: [2]}]", "  - [{K3: [34]}, {W44: [1]}, {TN: [2]}]")],
        "with K3 alone closed, node hub is not fed by the supply",
        "nothing",
        "the supply",
        'role = "supply-feed"',
        "    K3: {kind",
    ),
    "a supply without its return": Case(
        [],
        [("  - [{K3: [24]}, {W45: [1]}, {TC: [1]}]\n", "")],
        "with K3 closed, the supply has no return from the hub's common",
        "PSU:-",
        "joined to common",
        'role = "supply-feed"',
        "{PSU: [+, '-']}",
    ),
    "a current sensor beside the way": Case(
        [],
        [("  - [{K2: [14]}, {W41: [1]}, {CUR: [1]}]", "  - [{K2: [14]}, {W41: [1]}, {TN: [1]}]")],
        "the current sensor is not in series between K2 and node hub",
        "XH:1 - TN:3 - TN:1 - K2:14 - K2:11 - XM:1",
        "through CUR",
        'role = "current"',
        "    CUR: {kind",
    ),
    # -- mains
    "live and neutral change places at the meter": Case(
        [],
        [("{METER: [L, N]}, {W33: [1, 2]}, {K1: [2, 4]}", "{METER: [L, N]}, {W33: [1, 2]}, {K1: [4, 2]}")],
        "with K1 closed, the meter's terminal is not at its conductor",
        "METER:L at MAINS:N",
        "MAINS:L",
        MAINS_ROLE,
        "{METER: [L, N]}]\n",
    ),
    "a wire around the contactor": Case(
        [],
        [("{METER: [L, N]}, {W33: [1, 2]}, {K1: [2, 4]}", "{METER: [L, N]}, {W33: [1, 2]}, {F1: [2, 4]}")],
        "with K1 open, the meter's live terminal is still at the mains",
        "METER:L at MAINS:L",
        "nothing",
        MAINS_ROLE,
        "{METER: [L, N]}]\n",
    ),
    "a meter of more phases than the inlet": Case(
        [],
        [("    MAINS: {kind: mains, live: [L1, L2, L3]", "    MAINS: {kind: mains, live: [L1, L2]")],
        "the meter has more live terminals than the inlet has conductors",
        "3",
        "at most 2",
        MAINS_ROLE,
        "    METER: {kind",
        name="polyphase",
    ),
    # -- coils
    "coils that the emergency stop does not reach": Case(
        [],
        [("  - [{ES: [12]}, {W11: [1]}, {TE: [1]}]", "  - [{PS24: [1]}, {W11: [1]}, {TE: [1]}]")],
        "the emergency stop does not take the supply from the coil of K1",
        "K1:A1 - TE:5 - TE:1 - PS24:1",
        "K1:A1 apart from PS24:1",
        MAINS_ROLE,
        "{W14: [1]}",
    ),
    "a feed that the watchdog does not reach": Case(
        [],
        [("  - [{KW: [14]}, {W15: [1]}, {K2: [41]}]", "  - [{KW: [11]}, {W15: [1]}, {K2: [41]}]")],
        "the watchdog does not take the supply from the coil of K3",
        "K3:A1",
        "K3:A1 apart from PS24:1",
        'role = "supply-feed"',
        "{W17: [1, 2]}",
    ),
    "mains that the watchdog cuts": Case(
        [],
        [("  - [{TE: [5]}, {W14: [1]}, {K1: [A1]}]", "  - [{KW: [14]}, {W14: [1]}, {K1: [A1]}]")],
        "the watchdog takes the supply from K1: mains cut in the middle of an activation can brick a meter",
        "no way",
        "K1:A1 joined to PS24:1",
        MAINS_ROLE,
        "{W14: [1]}",
    ),
    "feeds without an interlock": Case(
        [],
        [("  - [{KW: [14]}, {W16: [1]}, {K3: [41]}]", "  - [{KW: [14]}, {W16: [1]}, {K3: [42]}]")],
        "nothing but software keeps K2 open while K3 is closed",
        "K2:A1 - K3:42 - KW:14",
        "K2:A1 apart from PS24:1",
        'role = "meter-feed"',
        "{W17: [1, 2]}",
    ),
    "a coil without a supply": Case(
        [],
        [("  - [{TE: [5]}, {W14: [1]}, {K1: [A1]}]\n", "")],
        "the coil of K1 has no supply",
        "no way",
        "K1:A1 joined to PS24:1",
        MAINS_ROLE,
        "  K1:\n",
    ),
    "a watchdog that nothing feeds": Case(
        [],
        [
            (
                "  - [{PI: [17, 20, 16]}, {W2: [1, 2, 3]}, {WD: [1, 2, 3]}]",
                "  - [{PI: [17, 20]}, {W2: [1, 2]}, {WD: [1, 2]}]",
            )
        ],
        "the watchdog is fed by no GPIO, or by several",
        "nothing",
        "one GPIO",
        "  WD:\n",
        WIRING,
        in_harness=True,
    ),
    "a watchdog that keeps nothing": Case(
        [],
        [("  - [{WD: [4]}, {W6: [1]}, {DRV: [4]}]\n", "")],
        "the watchdog keeps no relay",
        "WD:4",
        "a coil",
        "    WD: {kind",
        WIRING,
        in_harness=True,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_is_told_with_file_and_line_of_both(case: Case, tmp_path: Path) -> None:
    case.check(tmp_path)
