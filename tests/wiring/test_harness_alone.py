"""What is wrong in the harness alone: isolation, parts and pins that are not there. Told with both files, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wiring.case import SENSE, WIRING, Case

CASES: dict[str, Case] = {
    # -- isolation
    "the hub's common on the Pi's ground": Case(
        [],
        [("  - [{ISO: [11]}, {W57: [1]}, {TC: [9]}]", "  - [{ISO: [3]}, {W57: [1]}, {TC: [9]}]")],
        "the header's side and the hub's side are joined: ICHIS common is not shown to be isolated from mains",
        "PI:9 - ISO:3 - TC:9",
        "an isolator or a coil between",
        SENSE,
        WIRING,
        in_harness=True,
    ),
    "the supply's minus on the coils' 0 V": Case(
        [],
        [("  - [{PS24: [2]}, {W25: [1]}, {H1: [2]}]", "  - [{PS24: [2]}, {W25: [1]}, {PSU: ['-']}]")],
        "the header's side and the hub's side are joined",
        "PS24:2 - PSU:-",
        "an isolator or a coil between",
        "{PS24: [2]}, {W22",
        WIRING,
        in_harness=True,
    ),
    "the hub's common on neutral": Case(
        [],
        [("  - [{BOX: [PE]}, {W31: [1]}, {MAINS: [PE]}]", "  - [{TC: [9]}, {W31: [1]}, {MAINS: [N]}]")],
        "the hub's side and mains are joined",
        "XH:3 - TC:2 - TC:9 - MAINS:N",
        "an isolator or a coil between",
        "{TC: [2, 3]}, {W47",
        WIRING,
        in_harness=True,
    ),
    # -- the harness alone
    "no minimum load": Case(
        [],
        [("    LOAD: {kind: load, between: [1, 2], ohm: *load, watts: 3 W}\n", "")],
        "the harness has one part of the kind load",
        "0",
        "1",
        "  parts:\n",
        WIRING,
        in_harness=True,
    ),
    "two emergency stops": Case(
        [],
        [("    TE: {kind: terminal}", "    TE: {kind: emergency-stop, breaks: [[1, 2]]}")],
        "the harness has one part of the kind emergency-stop",
        "2",
        "1",
        "  parts:\n",
        WIRING,
        in_harness=True,
    ),
    "a part that is not drawn": Case(
        [],
        [("    TE: {kind: terminal}", "    TX: {kind: terminal}")],
        "no connector has this name",
        "TX",
        "one of connectors",
        "    TX: {kind",
        WIRING,
        in_harness=True,
    ),
    "a pin that is not drawn": Case(
        [],
        [("makes: [[11, 14]], breaks: [[11, 12]]", "makes: [[11, 15]], breaks: [[11, 12]]")],
        "KW has no such pin",
        "15",
        "A1, A2, 11, 12, 14",
        "    KW: {kind",
        WIRING,
        in_harness=True,
    ),
    "a header that is too short": Case(
        [],
        [
            ("GPIO20, GND, GPIO21]", "GPIO20]"),
            ("{PI: [1, 40, 1, 22]}, {W5: [1, 2, 3, 4]}", "{PI: [1, 38, 1, 22]}, {W5: [1, 2, 3, 4]}"),
        ],
        "PI has no pin 39",
        "38",
        "39",
        "  PI:\n",
        WIRING,
        in_harness=True,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_is_told_with_file_and_line_of_both(case: Case, tmp_path: Path) -> None:
    case.check(tmp_path)
