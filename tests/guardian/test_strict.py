"""The guardian's charge is checked strictly: what is not exactly right is told with its key, and nothing begins."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from rig.bench.config import load_bench
from rig.bench.guarding import charge
from rig.errors import InputError
from rig.guardian.charge import Charge
from rig.guardian.strict import from_json, to_json
from tests.bench.files import GOOD, checked

CHARGE = charge(checked(), Path("/var/lib/ichis-rig"))
GOOD_JSON: dict[str, Any] = json.loads(json.dumps(to_json(CHARGE)))


def test_what_a_bench_file_gives_comes_back_whole() -> None:
    assert from_json(Charge, GOOD_JSON) == CHARGE


def test_relays_on_a_board_come_back_whole_too() -> None:
    board = 'driver = "modbus-coil"\naddress = "192.0.2.20:502"\ncoil = '
    text = GOOD.replace('driver = "rpi-gpio"\npin = ', board).replace('active = "high"\nsafe', "safe")
    found = charge(checked(text), Path("/state"))
    assert [relay.coil.coil for relay in found.relays if relay.coil] == [17, 27, 22]
    assert from_json(Charge, json.loads(json.dumps(to_json(found)))) == found


@pytest.mark.parametrize("name", ["single-phase", "twin-element", "polyphase", "gas-hot-shoe"])
def test_every_bench_that_can_be_built_has_a_charge(name: str) -> None:
    found = charge(load_bench(Path(__file__).parents[2] / "wiring" / f"{name}.toml"), Path("/state"))
    assert from_json(Charge, json.loads(json.dumps(to_json(found)))) == found
    both = ("meter-feed", "supply-feed")
    assert found.rules.feeds == (both[1:] if name == "gas-hot-shoe" else both)
    assert found.rules.forbidden == (() if name == "gas-hot-shoe" else (both,))
    assert found.watchdog is not None
    assert found.stop is not None


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("bench",), None, "bench"),
        (("beat_s",), "soon", "a finite number"),
        (("beat_s",), float("nan"), "a finite number"),
        (("beat_s",), True, "a finite number"),
        (("retry_s",), -1.0, "out of range"),
        (("beat_s",), 4.0, "a beat every 4 s"),
        (("relays",), {}, "an array"),
        (("relays", 0, "role"), "meter-feed", "interlocks for"),
        (("relays", 1, "gpio", "pin"), 17, "a pin is used twice"),
        (("relays", 1, "gpio", "pin"), 27.0, "int"),
        (("relays", 1, "gpio"), None, "either a line or a coil"),
        (("relays", 1, "safe_closed"), 0, "bool"),
        (("rules", "feeds"), ["meter-feed", "supply-fed"], "interlocks for"),
        (("rules", "forbidden"), [["meter-feed"]], "entries"),
        (("rules", "energised_ns"), 0, "out of range"),
        (("rules", "dwell_ns"), {"mains": "long"}, "rules.dwell_ns.mains"),
        (("supplies", 0, "off"), "", "not a command line"),
        (("supplies", 0, "off"), ":OUTP CH1,ON\n:OUTP CH1,OFF", "not a command line"),
        (("supplies", 0, "timeout_s"), 0, "out of range"),
        (("supplies", 0, "address"), "GPIB::1::INSTR", "no address like"),
        (("supplies", 0, "says_off"), [], "cannot be told"),
        (("supplies", 0, "parity"), "mark", "no such line"),
        (("watchdog",), {"pin": 4, "period_s": 0.0}, "fed every 0 s"),
        (("nonsense",), 1, "nonsense"),
    ],
)
def test_whatever_is_wrong_is_told_by_its_key_or_its_words(path: tuple[Any, ...], value: object, told: str) -> None:
    body = deepcopy(GOOD_JSON)
    at: Any = body
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(InputError) as caught:
        from_json(Charge, body)
    assert told in caught.value.one_line()


def test_a_missing_key_is_told() -> None:
    body = {key: value for key, value in GOOD_JSON.items() if key != "retry_s"}
    with pytest.raises(InputError, match="cannot be led"):
        from_json(Charge, body)


@pytest.mark.parametrize("body", [None, 3, [], "charge"])
def test_what_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(InputError):
        from_json(Charge, body)
