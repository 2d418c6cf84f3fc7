"""The guardian's own lines: the pulse that keeps the watchdog, in time, and the emergency stop that it reads."""

from __future__ import annotations

from collections.abc import Iterator

from rig.bench.config import WATCHDOG_PERIOD_S
from rig.bench.wiring.check_signals import stop_joins
from rig.bench.wiring.harness import WatchdogPart
from rig.bench.wiring.pins import HEADER
from rig.bench.wiring.subject import Contradiction, Subject, part_key
from rig.bench.wiring.trace import sources
from rig.bench.wiring.values import watchdog_band
from rig.bench.wiring.wires import PinRef
from rig.toml_file import Key


def watchdog(subject: Subject) -> Iterator[Contradiction]:
    """The guardian's pin is the one that feeds the watchdog, and its pulses come faster than the watchdog lets go."""
    table, wired = subject.config.guardian, subject.watchdog_gpio()
    if table.watchdog_pin is None or wired is None:
        return
    ((name, part),) = subject.all_of(WatchdogPart)
    if table.watchdog_pin != wired:
        key: Key = ("guardian", "watchdog_pin")
        message = "the guardian's pin does not feed the watchdog"
        at = subject.wire_key(PinRef(name, part.feed))
        yield Contradiction(key, at, message, f"GPIO {table.watchdog_pin}", f"GPIO {wired}")
    period_s, first_s = table.watchdog_period_s or WATCHDOG_PERIOD_S, watchdog_band(part).low
    if period_s >= first_s:
        key = ("guardian", "watchdog_period_s")
        message = "the watchdog may let go between two pulses"
        yield Contradiction(key, part_key(name, "resistor"), message, f"{period_s:g} s", f"less than {first_s:.3g} s")


def stop(subject: Subject) -> Iterator[Contradiction]:
    """The guardian's pin reads the emergency stop, at the level that it expects."""
    table = subject.config.guardian
    if table.estop_pin is None:
        return
    pin, key = PinRef(subject.header(), HEADER[table.estop_pin]), ("guardian", "estop_pin")
    ends = sources(subject.network, pin)
    if len(ends) != 1 or ends[0].kind != "emergency stop":
        found = ", ".join(map(str, ends)) or "nothing"
        message = f"GPIO {table.estop_pin} does not read the emergency stop"
        yield Contradiction(key, subject.wire_key(pin), message, found, "one emergency stop")
        return
    joined = stop_joins(subject, ends[0])
    if joined is None:
        message = "the emergency stop's contact does not join the guardian's pin to 3.3 V or ground"
        found = str(ends[0].pin)
        yield Contradiction(key, subject.wire_key(ends[0].pin), message, found, "3V3 or GND behind it")
        return
    expected = "high" if (joined == "GND") != ends[0].inverted else "low"
    found = table.estop_pressed or "high"
    if found != expected:
        at: Key = ("guardian", "estop_pressed")
        yield Contradiction(at, part_key(ends[0].pin.part), "a pressed emergency stop reads otherwise", found, expected)
