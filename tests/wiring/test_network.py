"""What is joined to what: by wires, by terminal blocks, and by contacts in each state of relays and emergency stop."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from rig.bench.wiring.harness import load_harness
from rig.bench.wiring.network import Network, State
from rig.bench.wiring.wires import PinRef
from tests.wiring.files import WIRING


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(load_harness(WIRING / "single-phase.harness.yml"))


def pin(text: str) -> PinRef:
    part, number = text.split(":")
    return PinRef(part, int(number) if number.isdigit() else number)


ON = frozenset({"K1", "K2", "K3", "KW"})


@pytest.mark.parametrize(("k1", "k2", "k3", "kw"), [*product([False, True], repeat=4)])
def test_each_feed_follows_its_own_relay_and_no_other(network: Network, k1: bool, k2: bool, k3: bool, kw: bool) -> None:
    energised = {name for name, on in zip(("K1", "K2", "K3", "KW"), (k1, k2, k3, kw), strict=True) if on}
    reached = network.reach(pin("XH:1"), State(frozenset(energised)))
    assert (pin("XM:1") in reached) == k2
    assert (pin("PSU:+") in reached) == k3
    assert (pin("METER:L") in network.reach(pin("MAINS:L"), State(frozenset(energised)))) == k1


@pytest.mark.parametrize(("pressed", "kw", "k3"), [*product([False, True], repeat=3)])
def test_the_coil_of_k2_is_supplied_only_when_nothing_forbids_it(
    network: Network, pressed: bool, kw: bool, k3: bool
) -> None:
    energised = {name for name, on in (("KW", kw), ("K3", k3)) if on}
    supplied = pin("PS24:1") in network.reach(pin("K2:A1"), State(frozenset(energised), pressed))
    assert supplied == (kw and not pressed and not k3)


def test_wires_and_terminal_blocks_join_and_contacts_do_not(network: Network) -> None:
    net = network.net(pin("TN:1"))
    assert {pin("TN:7"), pin("XH:1"), pin("XH:2"), pin("CUR:2"), pin("K3:14"), pin("PRB:+")} <= net
    assert not {pin("K3:11"), pin("CUR:1"), pin("TC:1")} & net


def test_a_way_is_the_shortest_and_starts_and_ends_where_asked(network: Network) -> None:
    way = network.way([pin("XH:1"), pin("XH:2")], frozenset({pin("PSU:+")}), State(frozenset({"K3"})))
    assert (way[0], way[-1]) == (pin("XH:1"), pin("PSU:+"))
    assert len(way) == len(set(way)) == 6
    assert network.way([pin("XH:1")], frozenset({pin("PSU:+")}), State()) == ()


def test_loops_of_a_connector_join(tmp_path: Path) -> None:
    text = (WIRING / "single-phase.harness.yml").read_text(encoding="utf-8")
    file = tmp_path / "x.yml"
    file.write_text(text.replace("  H1:\n", "  H1:\n    loops: [[1, 2]]\n"), encoding="utf-8")
    looped = Network(load_harness(file))
    assert pin("PS24:2") in looped.net(pin("H1:1"))


def test_every_contact_at_once_is_more_than_any_state(network: Network) -> None:
    every = network.reach(pin("XH:1"), State(every=True))
    for energised in (frozenset(), ON, frozenset({"K2"})):
        for pressed in (False, True):
            assert network.reach(pin("XH:1"), State(energised, pressed)) <= every
