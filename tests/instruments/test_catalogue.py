"""The one list of drivers: whole, and the same wherever a driver is known by its name."""

from __future__ import annotations

from typing import get_args

import pytest

from rig.bench.config import OscilloscopeTable, SupplyTable
from rig.instruments import catalogue
from rig.instruments.catalogue import OSCILLOSCOPES, SUPPLIES, OscilloscopeDriver, SupplyDriver
from rig.instruments.ports import Identity
from rig.twin import faces

SUPPLY_NAMES, SCOPE_NAMES = get_args(SupplyDriver), get_args(OscilloscopeDriver)


def test_every_name_has_facts_and_a_driver() -> None:
    assert tuple(SUPPLIES) == SUPPLY_NAMES
    assert tuple(OSCILLOSCOPES) == SCOPE_NAMES
    assert {name: catalogue.supply(name).open for name in SUPPLY_NAMES}.keys() == set(SUPPLY_NAMES)
    assert {name: catalogue.oscilloscope(name).open for name in SCOPE_NAMES}.keys() == set(SCOPE_NAMES)


def test_a_bench_file_may_name_every_one() -> None:
    assert get_args(SupplyTable.model_fields["driver"].annotation) == SUPPLY_NAMES
    assert get_args(OscilloscopeTable.model_fields["driver"].annotation) == SCOPE_NAMES


def test_what_the_twin_has_is_in_the_list() -> None:
    assert set(faces.SUPPLIES) <= set(SUPPLY_NAMES)
    assert set(faces.OSCILLOSCOPES) <= set(SCOPE_NAMES)


@pytest.mark.parametrize("who", [Identity("HEWLETT-PACKARD", "34401A", "0", "11-5-2"), Identity("a", "b", "c", "d")])
def test_a_stranger_has_no_driver(who: Identity) -> None:
    assert catalogue.supply_driver(who) is None
    assert catalogue.oscilloscope_driver(who) is None
