"""A GPIO that does not go to what its role says: each is told with file and line of both files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wiring.case import DRIVE, SENSE, WIRING, Case

PINS = {"K1": ("mains", 17), "K2": ("meter-feed", 27), "K3": ("supply-feed", 22)}


def pin(name: str, number: int) -> tuple[str, str]:
    """A relay of the bench file on another GPIO."""
    role, old = PINS[name]
    head = f'name = "{name}"\nrole = "{role}"\ndriver = "rpi-gpio"\npin = '
    return f"{head}{old}", f"{head}{number}"


ACTIVE_LOW = ('pin = 27\nactive = "high"', 'pin = 27\nactive = "low"')

CASES: dict[str, Case] = {
    # -- pins
    "two relays change places": Case(
        [pin("K2", 22), pin("K3", 27)],
        [],
        "GPIO 22 does not drive K2",
        "relay K3:A2",
        "relay K2",
        "pin = 22",
        DRIVE,
    ),
    "a relay on a line that goes nowhere": Case(
        [pin("K2", 18)], [], "GPIO 18 does not drive K2", "nothing", "relay K2", "pin = 18", "  PI:\n"
    ),
    "a relay of another name": Case(
        [('name = "K2"', 'name = "K9"')], [], "GPIO 27 does not drive K9", "relay K2:A2", "relay K9", "pin = 27", DRIVE
    ),
    "a relay on the pin of the watchdog": Case(
        [pin("K2", 23), ("watchdog_pin = 23 ", "watchdog_pin = 27 ")],
        [],
        "GPIO 23 does not drive K2",
        "watchdog WD:3",
        "relay K2",
        "pin = 23\nactive",
        "{PI: [17, 20, 16]}",
    ),
    "one line that drives two relays": Case(
        [],
        [("{DRV: [17]}, {W19: [1]}, {K2: [A2]}", "{DRV: [18]}, {W19: [1]}, {K2: [A2]}")],
        "GPIO 17 does not drive K1",
        "relay K1:A2, relay K2:A2",
        "relay K1",
        "pin = 17",
        "{PI: [11, 13, 15, 6]}",
    ),
    "a coil without a driver": Case(
        [],
        [
            ("{DRV: [17]}, {W19: [1]}", "{PI: [13]}, {W19: [1]}"),
            (
                "{PI: [11, 13, 15, 6]}, {W1: [1, 2, 3, 4]}, {DRV: [1, 2, 3, 9]}",
                "{PI: [11, 15, 6]}, {W1: [1, 3, 4]}, {DRV: [1, 3, 9]}",
            ),
        ],
        "GPIO 27 is joined to the coil of K2 without a driver",
        "K2:A2",
        "a driver between",
        "pin = 27",
        "{PI: [13]}, {W19",
    ),
    "an active-low relay": Case(
        [ACTIVE_LOW],
        [],
        "the Pi pulls GPIO 27 down at boot, which energises K2 before any software runs",
        "low",
        "high, with an active-high driver",
        'active = "low"\nsafe = "open"',
        DRIVE,
    ),
    "an active-low relay behind a driver that does not invert": Case(
        [ACTIVE_LOW],
        [],
        "K2 is energised by the other level",
        "low",
        "high",
        'active = "low"\nsafe = "open"',
        "    DRV: {kind: driver",
    ),
    "a relay on a line that is pulled up at boot": Case(
        [pin("K3", 4)],
        [("{PI: [11, 13, 15, 6]}", "{PI: [11, 13, 7, 6]}")],
        "the Pi pulls GPIO 4 up at boot, which energises K3 before any software runs",
        "GPIO 4",
        "a GPIO from 9 to 27",
        "pin = 4",
        "{PI: [11, 13, 7, 6]}",
    ),
    "two lines on one net": Case(
        [],
        [("{PI: [17, 20, 16]}", "{PI: [17, 20, 15]}")],
        "GPIO 22 does not drive K3",
        "relay K3:A2, watchdog WD:3",
        "relay K3",
        "pin = 22",
        DRIVE,
    ),
    "two pins of the header joined": Case(
        [],
        [("{DRV: [1, 2, 3, 9]}", "{DRV: [1, 1, 3, 9]}")],
        "wires join pins of the header",
        "pin 11 (GPIO17), pin 13 (GPIO27)",
        "one signal on one net",
        "{DRV: [1, 1, 3, 9]}",
        WIRING,
        in_harness=True,
    ),
    "a line shorted to 5 V": Case(
        [],
        [
            (
                "{PI: [1, 2, 9, 29, 31, 33, 36, 37, 38]}, {W3: [1, 2, 3, 4, 5, 6, 7, 8, 9]}, {ISO: [1, 2, 3, 4,",
                "{PI: [1, 2, 9, 29, 31, 33, 36, 37, 38]}, {W3: [1, 2, 3, 4, 5, 6, 7, 8, 9]}, {ISO: [1, 4, 3, 4,",
            )
        ],
        "wires join pins of the header",
        "pin 2 (5V), pin 29 (GPIO5)",
        "one signal on one net",
        SENSE,
        WIRING,
        in_harness=True,
    ),
    "a label of the header at another pin": Case(
        [],
        [("GPIO17, GPIO18, GPIO27", "GPIO18, GPIO17, GPIO27")],
        "pin 11 of PI is another signal",
        "GPIO18",
        "GPIO17",
        "GPIO18, GPIO17, GPIO27",
        WIRING,
        in_harness=True,
    ),
    "a line that the header does not have": Case(
        [('role = "rail_up"\ndriver = "gpiod"\nline = 5', 'role = "rail_up"\ndriver = "gpiod"\nline = 30')],
        [],
        "the header has no GPIO 30",
        "30",
        "0 to 27",
        "line = 30",
        "  parts:\n",
    ),
    # -- signals
    "the comparators change places": Case(
        [("line = 5\n", "line = 6\n"), ("line = 6\n", "line = 5\n")],
        [],
        "the comparator of rail_up tells the opposite",
        "active when the rail is below",
        "active when it is above its band",
        'role = "rail_up"',
        "        5: {high: below",
    ),
    "a comparator's line on an ICHIS signal": Case(
        [("line = 5\n", "line = 13\n"), ("line = 13\n", "line = 5\n")],
        [],
        "GPIO 13 is not driven as rail_up needs",
        "ICHIS XH:9, ICHIS XM:9",
        "one comparator",
        "line = 13",
        SENSE,
    ),
    "two ICHIS signals change places": Case(
        [],
        [("{XH: [9, 6, 5]}", "{XH: [6, 9, 5]}")],
        "GPIO 13 reads another pin of ICHIS than ac_lo",
        "pin 6",
        "pin 9",
        "line = 13",
        "{W53:",
    ),
    "an ICHIS signal of the other polarity": Case(
        [
            (
                'role = "mt_pr"\ndriver = "gpiod"\nline = 16\nactive = "low"',
                'role = "mt_pr"\ndriver = "gpiod"\nline = 16',
            )
        ],
        [],
        "mt_pr is active at the other level",
        "high",
        "low",
        'role = "mt_pr"',
        "    XH: {kind: ichis",
    ),
    "a level input that inverts": Case(
        [],
        [("LVL: {kind: level, channels", "LVL: {kind: level, inverting: true, channels")],
        "ac_lo is active at the other level",
        "high",
        "low",
        'role = "ac_lo"',
        "    XH: {kind: ichis",
    ),
    "the mains detector in front of the contactor": Case(
        [],
        [("{W34: [1, 2]}, {METER: [L, N]}", "{W34: [1, 2]}, {F1: [2, 4]}")],
        "the detector of mains is not at the meter's terminal",
        "MD:A1 at F1:2, K1:1",
        "METER:L",
        'role = "mains"\ndriver = "gpiod"',
        "{W34: [1, 2]}, {F1: [2, 4]}",
    ),
    "two phases change places": Case(
        [],
        [
            ("{W35: [1, 2]}, {METER: [L2, N]}", "{W35: [1, 2]}, {METER: [L3, N]}"),
            ("{W36: [1, 2]}, {METER: [L3, N]}", "{W36: [1, 2]}, {METER: [L2, N]}"),
        ],
        "the detector of mains_l2 is not at the meter's terminal",
        "MD2:A1 at K1:6, METER:L3",
        "METER:L2",
        'role = "mains_l2"',
        "{W35: [1, 2]}",
        name="polyphase",
    ),
    "the emergency stop's wire on nothing": Case(
        [],
        [
            (
                "{PI: [1, 40, 1, 22]}, {W5: [1, 2, 3, 4]}, {ES: [21, 22, 31, 32]}",
                "{PI: [40, 1, 22]}, {W5: [2, 3, 4]}, {ES: [22, 31, 32]}",
            )
        ],
        "the contact of estop does not join it to 3.3 V or ground",
        "ES:22",
        "3V3 or GND behind it",
        "line = 21",
        "{ES: [22, 31, 32]}",
    ),
    "the emergency stop of the other polarity": Case(
        [('line = 21\nactive = "low"', 'line = 21\nactive = "high"')],
        [],
        "estop is active at the other level",
        "high",
        "low",
        'active = "high"              # pressed',
        "    ES: {kind",
    ),
    "a current sensor that is not there": Case(
        [],
        [("  - [{ISO: [10, 11, 17]}, {W56: [1, 2, 3]}, {CUR: [3, 4, 5]}]\n", "")],
        "GPIO 20 is not driven as current needs",
        "nothing",
        "one current sensor",
        "line = 20",
        SENSE,
    ),
    # -- the guardian's own lines
    "a guardian that pulses another line": Case(
        [("watchdog_pin = 23 ", "watchdog_pin = 18 ")],
        [],
        "the guardian's pin does not feed the watchdog",
        "GPIO 18",
        "GPIO 23",
        "watchdog_pin = 18",
        "{PI: [17, 20, 16]}",
    ),
    "pulses that come too late": Case(
        [("watchdog_period_s = 0.5", "watchdog_period_s = 1.5")],
        [],
        "the watchdog may let go between two pulses",
        "1.5 s",
        "less than 1.23 s",
        "watchdog_period_s = 1.5",
        "    WD: {kind",
    ),
    "a watchdog that is too quick": Case(
        [],
        [("subtype: &wd_r 1 Mohm 1 %", "subtype: &wd_r 330 kohm 1 %")],
        "the watchdog may let go between two pulses",
        "0.5 s",
        "less than 0.408 s",
        "watchdog_period_s = 0.5",
        "    WD: {kind",
    ),
    "a guardian that reads another line than the emergency stop": Case(
        [("estop_pin = 25", "estop_pin = 18")],
        [],
        "GPIO 18 does not read the emergency stop",
        "nothing",
        "one emergency stop",
        "estop_pin = 18",
        "  PI:\n",
    ),
    "a guardian that takes a pressed emergency stop for a released one": Case(
        [('estop_pressed = "low" ', 'estop_pressed = "high"')],
        [],
        "a pressed emergency stop reads otherwise",
        "high",
        "low",
        "estop_pressed =",
        "    ES: {kind",
    ),
    "a guardian's contact on nothing": Case(
        [],
        [
            (
                "{PI: [1, 40, 1, 22]}, {W5: [1, 2, 3, 4]}, {ES: [21, 22, 31, 32]}",
                "{PI: [1, 40, 22]}, {W5: [1, 2, 4]}, {ES: [21, 22, 32]}",
            )
        ],
        "the emergency stop's contact does not join the guardian's pin to 3.3 V or ground",
        "ES:32",
        "3V3 or GND behind it",
        "estop_pin = 25",
        "{ES: [21, 22, 32]}",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_is_told_with_file_and_line_of_both(case: Case, tmp_path: Path) -> None:
    case.check(tmp_path)
