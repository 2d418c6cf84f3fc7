"""What must never be joined, and what must stand across the judged node: isolation, minimum load, probe."""

from __future__ import annotations

from collections.abc import Iterator

from rig.bench.wiring.harness import IchisPart, LoadPart, Probe
from rig.bench.wiring.network import State
from rig.bench.wiring.pins import COMMON_PINS, FEED_PINS
from rig.bench.wiring.subject import HARNESS, Contradiction, Subject, part_key
from rig.bench.wiring.wires import PinRef
from rig.toml_file import Key


def node(subject: Subject) -> Iterator[Contradiction]:
    """The judged node is the hub's 12 V, at both of its pins; common at both too."""
    part = subject.network.parts[subject.hub]
    config = subject.config
    if isinstance(part, IchisPart) and part.node != config.rail.node:
        key: Key = ("rail", "node")
        message = "the judged node is not the one that the harness has at the hub"
        yield Contradiction(key, part_key(subject.hub), message, config.rail.node, str(part.node))
    for first, second in (FEED_PINS, COMMON_PINS):
        if PinRef(subject.hub, second) not in subject.network.net(PinRef(subject.hub, first)):
            message = f"pins {first} and {second} of the hub's ICHIS are not joined"
            pin = PinRef(subject.hub, second)
            yield Contradiction(HARNESS, subject.wire_key(pin), message, "two nets", "one net")


def isolation(subject: Subject) -> Iterator[Contradiction]:
    """The header and the coils, the hub's side, and mains are never joined, whatever the contacts do."""
    domains = _domains(subject)
    every = State(every=True)
    names = list(domains)
    for number, name in enumerate(names):
        for other in names[number + 1 :]:
            way = subject.network.way(domains[name], frozenset(domains[other]), every)
            if way:
                message = f"{name} and {other} are joined: ICHIS common is not shown to be isolated from mains"
                found, expected = " - ".join(map(str, way)), "an isolator or a coil between"
                yield Contradiction(HARNESS, subject.wire_key(way[0]), message, found, expected)


def _domains(subject: Subject) -> dict[str, list[PinRef]]:
    pins = subject.gpio(0)
    header = pins.part if pins is not None else ""
    coil, poles = subject.poles("coil-supply")
    name, supply = subject.poles("supply")
    found = {
        "the header's side": [PinRef(header, n) for n in range(1, 41)]
        + [PinRef(coil, poles.plus), PinRef(coil, poles.minus)],
        "the hub's side": [subject.node, subject.common, PinRef(name, supply.plus), PinRef(name, supply.minus)],
    }
    for side in ("meter", "hub"):
        plug = subject.ichis(side)
        found["the hub's side"] += [PinRef(plug, n) for n in range(1, 21)] if plug else []
    for kind in ("mains", "meter"):
        live = subject.live(kind)
        if live is not None:
            pins_of = [PinRef(live[0], pin) for pin in (*live[1].live, live[1].neutral)]
            found.setdefault("mains", []).extend(pins_of)
    return found


def load(subject: Subject) -> Iterator[Contradiction]:
    """The minimum load is the stated one, and stands across the judged node."""
    name, part = subject.all_of(LoadPart)[0]
    table = subject.config.load
    yield from _across(subject, name, part.between, "the minimum load", ("rail", "node"))
    if table is None:
        message = "the bench file does not state the minimum load that the harness has"
        yield Contradiction(HARNESS, part_key(name, "ohm"), message, "no [load]", f"{part.ohm.nominal:g} ohm")
        return
    key: Key = ("load", "ohm")
    if table.ohm != part.ohm.nominal or table.tolerance < part.ohm.tolerance:
        found = f"{table.ohm:g} ohm, tolerance {table.tolerance:g}"
        expected = f"{part.ohm.nominal:g} ohm, tolerance {part.ohm.tolerance:g} or more"
        yield Contradiction(key, part_key(name, "ohm"), "the minimum load is another one", found, expected)
    if table.watts > part.watts.nominal:
        message = "the minimum load stands less than stated"
        found, expected = f"{table.watts:g} W", f"at most {part.watts.nominal:g} W"
        yield Contradiction(("load", "watts"), part_key(name, "watts"), message, found, expected)


def probe(subject: Subject) -> Iterator[Contradiction]:
    """The oscilloscope's probe looks at the judged node, and divides as the bench file says."""
    name, part = subject.all_of(Probe)[0]
    yield from _across(subject, name, [part.plus, part.minus], "the probe", ("oscilloscope", 0, "node"))
    stated = subject.config.oscilloscope[0].probe
    if stated != part.ratio:
        key: Key = ("oscilloscope", 0, "probe")
        yield Contradiction(
            key, part_key(name, "ratio"), "the probe divides otherwise", f"{stated:g}", f"{part.ratio:g}"
        )


def _across(subject: Subject, name: str, pins: list[str | int], words: str, key: Key) -> Iterator[Contradiction]:
    nets = [subject.network.net(PinRef(name, pin)) for pin in pins]
    wanted = {"node": subject.node, "common": subject.common}
    for what, goal in wanted.items():
        place = 0 if what == "node" else 1
        if goal not in nets[place]:
            pin = PinRef(name, pins[place])
            message = f"{words} does not stand across node {subject.config.rail.node} and common"
            near = sorted(str(p) for p in nets[place] if p.part != name)
            found = f"{pin} at {', '.join(near[:4]) or 'nothing'}"
            yield Contradiction(key, subject.wire_key(pin), message, found, str(goal))
