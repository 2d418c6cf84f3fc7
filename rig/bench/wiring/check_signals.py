"""Every GPIO of the bench file goes, through the harness, to the thing that its role says, with the right polarity.

And every comparator's band, from its components at their worst, lies within the band that the bench file states.
"""

from __future__ import annotations

from collections.abc import Iterator

from rig.bench.config import GpiodSenseTable, GpioRelayTable
from rig.bench.roles import MAINS
from rig.bench.wiring.harness import Comparators, CurrentSensor, EmergencyStop, MainsDetector
from rig.bench.wiring.pins import ACTIVE_HIGH, HEADER, PULLED_UP, SIGNALS, header_label
from rig.bench.wiring.subject import Contradiction, Subject, part_key
from rig.bench.wiring.trace import End, driven, sources
from rig.bench.wiring.values import Band, current_band, rail_band
from rig.bench.wiring.wires import PinRef
from rig.toml_file import Key

_KINDS = {
    "rail_up": "comparator",
    "rail_down": "comparator",
    **dict.fromkeys(MAINS, "mains detector"),
    **dict.fromkeys(SIGNALS, "ICHIS"),
    "current": "current sensor",
    "estop": "emergency stop",
}
"""What drives a line of this role."""
_OTHER = {"above": "below", "below": "above"}


# -- relays --------------------------------------------------------------------------------------------------------


def relays(subject: Subject) -> Iterator[Contradiction]:
    """Each relay's GPIO drives that relay's coil, through a driver, and leaves it released at boot."""
    for index, relay in subject.relays():
        yield from _boot(index, relay, subject)
        key: Key = ("relay", index, "pin")
        pin = subject.gpio(relay.pin)
        ends = driven(subject.network, pin) if pin is not None else []
        if len(ends) != 1 or ends[0].pin.part != relay.name or ends[0].kind != "relay":
            found = ", ".join(map(str, ends)) or "nothing"
            yield _wrong(
                subject, key, pin, f"GPIO {relay.pin} does not drive {relay.name}", found, f"relay {relay.name}"
            )
        elif len(ends[0].way) < 2:
            message = f"GPIO {relay.pin} is joined to the coil of {relay.name} without a driver"
            yield _wrong(subject, key, pin, message, str(ends[0].pin), "a driver between")
        elif ends[0].inverted == (relay.active == "high"):
            expected = "low" if ends[0].inverted else "high"
            message = f"{relay.name} is energised by the other level"
            yield Contradiction(
                ("relay", index, "active"), part_key(ends[0].way[0].part), message, relay.active, expected
            )


def _boot(index: int, relay: GpioRelayTable, subject: Subject) -> Iterator[Contradiction]:
    """Until software sets a line, the header's pull is its level: it must not be the one that energises the coil."""
    up = relay.pin in PULLED_UP
    if up == (relay.active == "high"):
        pull = "up" if up else "down"
        message = f"the Pi pulls GPIO {relay.pin} {pull} at boot, which energises {relay.name} before any software runs"
        free = "a GPIO from 9 to 27" if up else "high, with an active-high driver"
        key: Key = ("relay", index, "pin" if up else "active")
        found = f"GPIO {relay.pin}" if up else relay.active
        yield Contradiction(key, subject.wire_key(subject.gpio(relay.pin)), message, found, free)


# -- sense lines ---------------------------------------------------------------------------------------------------


def lines(subject: Subject) -> Iterator[Contradiction]:
    """Each sense line is driven by what its role says."""
    for index, line in subject.lines():
        key: Key = ("sense", index, "line")
        pin = subject.gpio(line.line)
        if pin is None:
            message = f"the header has no GPIO {line.line}"
            yield Contradiction(key, ("rig", "parts"), message, str(line.line), f"0 to {max(HEADER)}")
            continue
        ends = sources(subject.network, pin)
        kind = _KINDS[line.role]
        if not ends or any(end.kind != kind for end in ends) or len({end.pin.pin for end in ends}) > 1:
            found = ", ".join(map(str, ends)) or "nothing"
            yield _wrong(
                subject, key, pin, f"GPIO {line.line} is not driven as {line.role} needs", found, f"one {kind}"
            )
            continue
        yield from _line(subject, index, line, ends[0])


def _line(subject: Subject, index: int, line: GpiodSenseTable, end: End) -> Iterator[Contradiction]:
    part = subject.network.parts[end.pin.part]
    if isinstance(part, Comparators):
        yield from _comparator(subject, index, line, end, part)
    elif isinstance(part, CurrentSensor):
        yield from _polarity(index, line, end, high=True)
        yield from _band(
            ("sense", index, "band_a"), part_key(end.pin.part, "shunt"), line.band_a, current_band(part), "A"
        )
    elif isinstance(part, MainsDetector):
        yield from _polarity(index, line, end, high=True)
        yield from _detector(subject, index, line, end, part)
    elif isinstance(part, EmergencyStop):
        yield from _stop(subject, index, line, end)
    elif line.role in SIGNALS:
        wanted = SIGNALS[line.role]
        if end.pin.pin != wanted:
            message = f"GPIO {line.line} reads another pin of ICHIS than {line.role}"
            key: Key = ("sense", index, "line")
            near = end.way[-2] if len(end.way) > 1 else end.pin  # the pin that is wired to the wrong one
            yield _wrong(subject, key, near, message, f"pin {end.pin.pin}", f"pin {wanted}")
        yield from _polarity(index, line, end, high=ACTIVE_HIGH[line.role])


def _polarity(index: int, line: GpiodSenseTable, end: End, *, high: bool) -> Iterator[Contradiction]:
    """`high`: whether the level at the end is high when the line is to be active."""
    expected = "high" if high != end.inverted else "low"
    if line.active != expected:
        message = f"{line.name} is active at the other level"
        key: Key = ("sense", index, "active")
        yield Contradiction(key, part_key(end.pin.part), message, line.active, expected)


def _comparator(
    subject: Subject, index: int, line: GpiodSenseTable, end: End, part: Comparators
) -> Iterator[Contradiction]:
    divider = part.outputs[end.pin.pin]
    at = part_key(end.pin.part, "outputs", end.pin.pin)
    says = divider.high if (line.active == "high") != end.inverted else _OTHER[divider.high]
    wanted = "above" if line.role == "rail_up" else "below"
    if says != wanted:
        message = f"the comparator of {line.name} tells the opposite"
        found, expected = f"active when the rail is {says}", f"active when it is {wanted} its band"
        yield Contradiction(("sense", index, "line"), (*at, "high"), message, found, expected)
    yield from _band(("sense", index, "band_v"), (*at, "top"), line.band_v, rail_band(part, divider), "V")
    name = end.pin.part
    for pin, goal, words in (
        (part.rail, subject.node, f"node {line.node}"),
        (part.common, subject.common, "ICHIS common"),
    ):
        if goal not in subject.network.net(PinRef(name, pin)):
            message = f"the comparator of {line.name} does not look at {words}"
            key: Key = ("sense", index, "node")
            yield Contradiction(key, subject.wire_key(PinRef(name, pin)), message, f"{name}:{pin}", str(goal))


def _band(bench: Key, harness: Key, stated: list[float] | None, worst: Band, unit: str) -> Iterator[Contradiction]:
    if stated is not None and not stated[0] <= worst.low <= worst.high <= stated[1]:
        message = "the stated band does not hold what the components give at their worst"
        found = f"{stated[0]:g} to {stated[1]:g} {unit}"
        yield Contradiction(bench, harness, message, found, f"to hold {worst.low:.4g} to {worst.high:.4g} {unit}")


def _detector(
    subject: Subject, index: int, line: GpiodSenseTable, end: End, part: MainsDetector
) -> Iterator[Contradiction]:
    found = subject.live("meter")
    if found is None:
        return
    meter, terminals = found
    place = MAINS.index(line.role)
    wanted = [(part.neutral, terminals.neutral)]
    if place < len(terminals.live):
        wanted.insert(0, (part.live, terminals.live[place]))
    for pin, terminal in wanted:
        here, there = PinRef(end.pin.part, pin), PinRef(meter, terminal)
        if there not in subject.network.net(here):
            message = f"the detector of {line.name} is not at the meter's terminal"
            near = sorted(str(p) for p in subject.network.net(here) if p.part != end.pin.part)
            key: Key = ("sense", index, "role")
            yield Contradiction(
                key, subject.wire_key(here), message, f"{here} at {', '.join(near) or 'nothing'}", str(there)
            )


def _stop(subject: Subject, index: int, line: GpiodSenseTable, end: End) -> Iterator[Contradiction]:
    joined = stop_joins(subject, end)
    if joined is None:
        message = f"the contact of {line.name} does not join it to 3.3 V or ground"
        yield _wrong(subject, ("sense", index, "line"), end.pin, message, str(end.pin), "3V3 or GND behind it")
        return
    yield from _polarity(index, line, end, high=joined == "GND")


def stop_joins(subject: Subject, end: End) -> str | None:
    """What the emergency stop's contact joins a line to until it is pressed; then a pull to the other side decides."""
    part = subject.network.parts[end.pin.part]
    pairs = part.breaks if isinstance(part, EmergencyStop) else []
    pair = next(pair for pair in pairs if end.pin.pin in pair)
    other = PinRef(end.pin.part, pair[0] if pair[1] == end.pin.pin else pair[1])
    rails = {header_label(int(p.pin)) for p in subject.network.net(other) if p.part == subject.header()}
    return next(iter(rails)) if rails in ({"3V3"}, {"GND"}) else None


def _wrong(subject: Subject, key: Key, pin: PinRef | None, message: str, found: str, expected: str) -> Contradiction:
    return Contradiction(key, subject.wire_key(pin), message, found, expected)
