"""What does not look at the judged node, or switches elsewhere than stated: told with file and line of both files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wiring.case import WIRING, Case
from tests.wiring.files import copy_of, spoil

LOAD = (
    "[load]\nohm = 470.0\ntolerance = 0.05\nwatts = 3.0\n"
    "capacitance_f = 1e-3        # the hub's input and the bench's own: see how fast a control falls\n"
)

CASES: dict[str, Case] = {
    # -- the connector and the node
    "a label of ICHIS at another pin": Case(
        [],
        [
            (
                "for the hub\n    pinlabels: [12 V, 12 V, COM, COM, CH_PR, MT_PR, TX_MT, RX_MT, AC LO,",
                "for the hub\n    pinlabels: [12 V, 12 V, COM, COM, CH_PR, MT_PR, TX_MT, AC LO, RX_MT,",
            )
        ],
        "pin 8 of XH is another signal",
        "AC LO",
        "RXMT",
        "TX_MT, AC LO, RX_MT",
        WIRING,
        in_harness=True,
    ),
    "a node of another name": Case(
        [
            ('node = "hub"                # the hub', 'node = "rail"               # the hub'),
            ('node = "hub"\nwindow_s', 'node = "rail"\nwindow_s'),
            ("line = 5\n", 'node = "rail"\nline = 5\n'),
            ("line = 6\n", 'node = "rail"\nline = 6\n'),
        ],
        [],
        "the judged node is not the one that the harness has at the hub",
        "rail",
        "hub",
        'node = "rail"               #',
        "    XH: {kind: ichis",
    ),
    "a hub that is fed at one of its two pins": Case(
        [],
        [("  - [{TN: [3, 4]}, {W46: [1, 2]}, {XH: [1, 2]}]", "  - [{TN: [3]}, {W46: [1]}, {XH: [1]}]")],
        "pins 1 and 2 of the hub's ICHIS are not joined",
        "two nets",
        "one net",
        "  XH:\n",
        WIRING,
        in_harness=True,
    ),
    "comparators at the meter's side of K2": Case(
        [],
        [("  - [{CMP: [1]}, {W50: [1]}, {TN: [5]}]", "  - [{CMP: [1]}, {W50: [1]}, {K2: [11]}]")],
        "the comparator of rail_up does not look at node hub",
        "CMP:1",
        "XH:1",
        'role = "rail_up"',
        "{W50: [1]}, {K2: [11]}",
    ),
    "the minimum load at the meter's side of K2": Case(
        [],
        [("  - [{TN: [6]}, {W49: [1]}, {LOAD: [1]}]", "  - [{K2: [11]}, {W49: [1]}, {LOAD: [1]}]")],
        "the minimum load does not stand across node hub and common",
        "LOAD:1 at K2:11, XM:1, XM:2",
        "XH:1",
        'node = "hub"                #',
        "{W49: [1]}",
    ),
    "the probe at the supply": Case(
        [],
        [("  - [{TN: [7]}, {W51: [1]}, {PRB: [+]}]", "  - [{PSU: [+]}, {W51: [1]}, {PRB: [+]}]")],
        "the probe does not stand across node hub and common",
        "PRB:+ at K3:11, PSU:+",
        "XH:1",
        'node = "hub"\nwindow_s',
        "{W51: [1]}",
    ),
    "a probe that divides otherwise": Case(
        [("probe = 10.0", "probe = 1.0")], [], "the probe divides otherwise", "1", "10", "probe = 1.0", "    PRB: {kind"
    ),
    # -- bands
    "a band that the components may leave": Case(
        [("band_v = [10.2, 10.8]", "band_v = [10.3, 10.8]")],
        [],
        "the stated band does not hold what the components give at their worst",
        "10.3 to 10.8 V",
        "to hold 10.21 to 10.75 V",
        "band_v = [10.3",
        "        4: {high: above",
    ),
    "another resistor": Case(
        [],
        [("subtype: &down_top 115 kohm 0.2 %", "subtype: &down_top 150 kohm 0.2 %")],
        "the stated band does not hold what the components give at their worst",
        "4.7 to 5.2 V",
        "to hold 6.165 to 6.492 V",
        "band_v = [4.7",
        "        5: {high: below",
    ),
    "a resistor of a worse tolerance": Case(
        [],
        [("subtype: &up_top 255 kohm 0.2 %", "subtype: &up_top 255 kohm 5 %")],
        "the stated band does not hold what the components give at their worst",
        "10.2 to 10.8 V",
        "to hold 9.737 to 11.25 V",
        "band_v = [10.2",
        "        4: {high: above",
    ),
    "another shunt": Case(
        [],
        [("subtype: &shunt 0.2 ohm 1 %", "subtype: &shunt 0.1 ohm 1 %")],
        "the stated band does not hold what the components give at their worst",
        "0.006 to 0.014 A",
        "to hold 0.01402 to 0.02566 A",
        "band_a =",
        "    CUR: {kind",
    ),
    "another minimum load": Case(
        [("ohm = 470.0", "ohm = 330.0")],
        [],
        "the minimum load is another one",
        "330 ohm, tolerance 0.05",
        "470 ohm, tolerance 0.05 or more",
        "ohm = 330.0",
        "    LOAD: {kind",
    ),
    "a minimum load of a worse tolerance": Case(
        [("tolerance = 0.05", "tolerance = 0.01")],
        [],
        "the minimum load is another one",
        "470 ohm, tolerance 0.01",
        "470 ohm, tolerance 0.05 or more",
        "ohm = 470.0",
        "    LOAD: {kind",
    ),
    "a minimum load that stands less": Case(
        [],
        [("watts: 3 W", "watts: 0.5 W")],
        "the minimum load stands less than stated",
        "3 W",
        "at most 0.5 W",
        "watts = 3.0",
        "watts: 0.5 W",
    ),
    "a minimum load that the bench file does not know": Case(
        [(LOAD, "")],
        [],
        "the bench file does not state the minimum load that the harness has",
        "no [load]",
        "470 ohm",
        "    LOAD: {kind",
        WIRING,
        in_harness=True,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_is_told_with_file_and_line_of_both(case: Case, tmp_path: Path) -> None:
    case.check(tmp_path)


def test_a_contradiction_is_not_hidden_by_another(tmp_path: Path) -> None:
    pair = copy_of("single-phase", tmp_path)
    spoil(pair.bench, ("probe = 10.0", "probe = 1.0"), ("band_v = [10.2, 10.8]", "band_v = [10.3, 10.8]"))
    keys = [error.where.key for error in pair.check().errors]
    assert keys == ["sense[0].band_v", "oscilloscope[0].probe"]
