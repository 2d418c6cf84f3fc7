"""What feeds the rail and what the meter: found by trying the states of the contacts, not by the names of parts.

The safe state is every relay released, K1 as it stands: in it nothing feeds the rail.
"""

from __future__ import annotations

from collections.abc import Iterator

from rig.bench.wiring.harness import CurrentSensor
from rig.bench.wiring.network import State
from rig.bench.wiring.pins import COMMON_PINS
from rig.bench.wiring.subject import FED_BY, Contradiction, Subject, part_key
from rig.bench.wiring.wires import PinRef
from rig.toml_file import Key

# -- feeds ---------------------------------------------------------------------------------------------------------


def feeds(subject: Subject) -> Iterator[Contradiction]:
    """Nothing feeds the rail in the safe state; each feed relay brings its own feed and its return, and no other."""
    named = {relay.role: (index, relay.name) for index, relay in enumerate(subject.config.relay)}
    mains = [named["mains"][1]] if "mains" in named else []
    for state in (subject.state(), subject.state(*mains), subject.state(*mains, fed=False)):
        found = _fed_by(subject, state)
        if found:
            words = "feeds the rail twice" if len(found) > 1 else "feeds the rail"
            way = subject.network.way([subject.node], frozenset(found.values()), state)
            message = f"the safe position, every relay released, {words}"
            key: Key = ("relay", min(i for i, r in enumerate(subject.config.relay) if r.role in FED_BY), "safe")
            yield Contradiction(key, _contact_key(subject, way), message, _words(found), "nothing")
            return
    for role, wanted in FED_BY.items():
        if role not in named:
            continue
        index, name = named[role]
        state = subject.state(name, *mains)
        found = _fed_by(subject, state)
        if list(found) != [wanted]:
            message = f"with {name} alone closed, node {subject.config.rail.node} is not fed by {wanted}"
            yield Contradiction(("relay", index, "role"), part_key(name), message, _words(found), wanted)
            continue
        back = _return_of(subject, wanted)
        if back not in subject.network.reach(subject.common, state):
            message = f"with {name} closed, {wanted} has no return from the hub's common"
            yield Contradiction(
                ("relay", index, "role"), subject.wire_key(back), message, str(back), "joined to common"
            )


def _fed_by(subject: Subject, state: State) -> dict[str, PinRef]:
    reached = subject.network.reach(subject.node, state)
    return {words: pin for words, pin in subject.feeds().items() if pin in reached}


def _return_of(subject: Subject, feed: str) -> PinRef:
    if feed == "the meter":
        return PinRef(subject.feeds()[feed].part, COMMON_PINS[0])
    name, supply = subject.poles("supply")
    return PinRef(name, supply.minus)


def _words(found: dict[str, PinRef]) -> str:
    return " and ".join(found) or "nothing"


def _contact_key(subject: Subject, way: tuple[PinRef, ...]) -> Key:
    """The relay whose contact stands in this way."""
    relays = {relay.name for relay in subject.config.relay}
    return part_key(next((pin.part for pin in way if pin.part in relays), way[0].part))


def current(subject: Subject) -> Iterator[Contradiction]:
    """The current of the feed goes through the sensor, and of an ICHIS bench only the meter's."""
    index = next((i for i, s in enumerate(subject.config.sense) if s.role == "current"), None)
    sensors = subject.all_of(CurrentSensor)
    if index is None or len(sensors) != 1:
        return
    name, part = sensors[0]
    role = "meter-feed" if subject.config.topology.kind == "ichis" else "supply-feed"
    relay = next(r.name for r in subject.config.relay if r.role == role)
    inner, outer = (PinRef(name, pin) for pin in part.through)
    net = subject.network.net
    sides = {subject.node in net(inner), subject.node in net(outer)}
    through = subject.network.way([subject.node], frozenset({subject.feeds()[FED_BY[role]]}), subject.state(relay))
    if sides != {True, False} or inner not in through:
        message = f"the current sensor is not in series between {relay} and node {subject.config.rail.node}"
        found = " - ".join(map(str, through)) or "no way"
        yield Contradiction(("sense", index, "role"), part_key(name, "through"), message, found, f"through {name}")


# -- mains ---------------------------------------------------------------------------------------------------------


def mains(subject: Subject) -> Iterator[Contradiction]:
    """The mains relay joins each live terminal of the meter to its own conductor, and leaves none joined when open."""
    index = next((i for i, relay in enumerate(subject.config.relay) if relay.role == "mains"), None)
    inlet, meter = subject.live("mains"), subject.live("meter")
    if index is None or inlet is None or meter is None:
        return
    name, key = subject.config.relay[index].name, ("relay", index, "role")
    conductors = {PinRef(inlet[0], pin) for pin in (*inlet[1].live, inlet[1].neutral)}
    pairs = [*zip(meter[1].live, inlet[1].live, strict=False), (meter[1].neutral, inlet[1].neutral)]
    if len(meter[1].live) > len(inlet[1].live):
        message = "the meter has more live terminals than the inlet has conductors"
        found, expected = str(len(meter[1].live)), f"at most {len(inlet[1].live)}"
        yield Contradiction(key, part_key(meter[0], "live"), message, found, expected)
    for terminal, conductor in pairs:
        pin, source = PinRef(meter[0], terminal), PinRef(inlet[0], conductor)
        reached = conductors & subject.network.reach(pin, subject.state(name))
        if reached != {source}:
            message = f"with {name} closed, the meter's terminal is not at its conductor"
            found = f"{pin} at {', '.join(sorted(map(str, reached))) or 'nothing'}"
            yield Contradiction(key, subject.wire_key(pin), message, found, str(source))
        elif terminal in meter[1].live and source in subject.network.reach(pin, subject.state()):
            message = f"with {name} open, the meter's live terminal is still at the mains"
            yield Contradiction(key, subject.wire_key(pin), message, f"{pin} at {source}", "nothing")
