"""Whose coil loses its supply when: the safe state needs no software, and no software closes both feeds."""

from __future__ import annotations

from collections.abc import Iterator

from rig.bench.wiring.harness import WatchdogPart
from rig.bench.wiring.network import State
from rig.bench.wiring.subject import FED_BY, HARNESS, Contradiction, Subject, part_key
from rig.bench.wiring.trace import driven
from rig.bench.wiring.wires import PinRef
from rig.toml_file import Key


def coils(subject: Subject) -> Iterator[Contradiction]:
    """Whose supply goes when: the emergency stop takes all, the watchdog the feeds, a closed feed the other's."""
    feeding = {r.name for r in subject.config.relay if r.role in FED_BY}
    for index, relay in subject.relays():
        part = subject.part_of(relay.name)
        pin = subject.gpio(relay.pin)
        ends = driven(subject.network, pin) if pin is not None else []
        if part is None or len(ends) != 1 or ends[0].pin.part != relay.name:
            continue  # told by the signals
        other = PinRef(relay.name, part.coil[0] if part.coil[1] == ends[0].pin.pin else part.coil[1])
        key: Key = ("relay", index, "role")
        rivals = feeding - {relay.name} if relay.name in feeding else set()
        tries = [
            (subject.state(), True, "the coil of {} has no supply"),
            (subject.state(pressed=True), False, "the emergency stop does not take the supply from the coil of {}"),
        ]
        if relay.name in feeding:
            tries.append((subject.state(fed=False), False, "the watchdog does not take the supply from the coil of {}"))
        else:
            message = (
                "the watchdog takes the supply from {}: mains cut in the middle of an activation can brick a meter"
            )
            tries.append((subject.state(fed=False), True, message))
        alone = "nothing but software keeps {{}} open while {} is closed"
        tries += [(subject.state(rival), False, alone.format(rival)) for rival in sorted(rivals)]
        yield from _try(subject, relay.name, other, key, tries)


def _try(
    subject: Subject, name: str, coil: PinRef, key: Key, tries: list[tuple[State, bool, str]]
) -> Iterator[Contradiction]:
    supply, poles = subject.poles("coil-supply")
    plus = PinRef(supply, poles.plus)
    for state, wanted, message in tries:
        way = subject.network.way([coil], frozenset({plus}), state)
        if bool(way) != wanted:
            found = " - ".join(map(str, way)) or "no way"
            expected = f"{coil} joined to {plus}" if wanted else f"{coil} apart from {plus}"
            yield Contradiction(key, subject.wire_key(coil), message.format(name), found, expected)
            return


def watchdog(subject: Subject) -> Iterator[Contradiction]:
    """The watchdog is fed by one GPIO, and keeps at least one relay."""
    name, part = subject.all_of(WatchdogPart)[0]
    feed = PinRef(name, part.feed)
    if subject.watchdog_gpio() is None:
        near = sorted(str(pin) for pin in subject.network.net(feed) if pin != feed)
        message = "the watchdog is fed by no GPIO, or by several"
        yield Contradiction(HARNESS, subject.wire_key(feed), message, ", ".join(near) or "nothing", "one GPIO")
    if not subject.watchdog_relays():
        output = PinRef(name, part.output)
        yield Contradiction(HARNESS, part_key(name, "output"), "the watchdog keeps no relay", str(output), "a coil")
