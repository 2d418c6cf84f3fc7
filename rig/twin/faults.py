"""Faults by name: what can go wrong on a bench, done to the twin. `NAME@S` acts S seconds after the activation command.

Without `@S` a fault acts from the start of the run, or (where it needs an activation) at its own default. No fault here
may ever lead to a PASS for an outage that reached the limit, or for one that was not really seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rig.errors import InputError, Where
from rig.toml_file import did_you_mean

if TYPE_CHECKING:
    from rig.twin.rack import Rack


@dataclass(frozen=True)
class FaultKind:
    """`default_s` None = from the start of the run. `own_clock`: only where the twin has a clock of its own."""

    text: str
    act: Callable[[Rack], None]
    default_s: float | None = None
    own_clock: bool = False


@dataclass(frozen=True)
class Fault:
    """One fault, and when it acts: seconds after the activation command, or None = from the start of the run."""

    name: str
    at_s: float | None

    def act(self, twin: Rack) -> None:
        KINDS[self.name].act(twin)


def parse(text: str) -> Fault:
    """`NAME` or `NAME@SECONDS`. Raises InputError for an unknown name or a time that is none."""
    name, at, seconds = text.partition("@")
    if name not in KINDS:
        known = sorted(KINDS)
        raise InputError(
            f"no fault '{name}'{did_you_mean(name, known)}", Where(key="--fault", found=name, expected=", ".join(known))
        )
    if not at:
        return Fault(name, KINDS[name].default_s)
    try:
        at_s = float(seconds)
    except ValueError:
        at_s = -1.0
    if not 0 <= at_s <= 86_400:
        raise InputError("not a time", Where(key="--fault", found=seconds, expected="seconds, 0 to 86400"))
    return Fault(name, at_s)


def parse_from_start(text: str) -> Fault:
    """A fault that acts from the start, whatever its kind: for who activates nothing. Raises InputError."""
    fault = parse(text)
    if "@" in text:
        where = Where(key="--fault", found=text, expected=f"{fault.name}, without a time")
        raise InputError("nothing is activated here: a fault acts from the start", where)
    return Fault(fault.name, None)


def _mains_lost(twin: Rack) -> None:
    twin.world.mains_supply(False)
    twin.after(60.0, lambda: twin.world.mains_supply(True))


def _lose_edges(twin: Rack) -> None:
    for line in twin.config.sense:
        if line.role in ("rail_up", "rail_down"):
            twin.lose_edge(line.line)


def _stale_scope(twin: Rack) -> None:
    twin.scope.stuck_state = "WAIT"


def _silence(twin: Rack, what: str) -> None:
    getattr(twin, what).silent = True


KINDS: dict[str, FaultKind] = {
    "mains-lost": FaultKind("mains is away for 60 s", _mains_lost, 10.0),
    "rail-up-stuck-high": FaultKind("rail_up says 'up' for ever", lambda t: t.line("rail_up").force(True)),
    "rail-up-stuck-low": FaultKind("rail_up never says 'up' again", lambda t: t.line("rail_up").force(False)),
    "rail-down-stuck-high": FaultKind("rail_down says 'down' for ever", lambda t: t.line("rail_down").force(True)),
    "rail-down-stuck-low": FaultKind("rail_down never says 'down' again", lambda t: t.line("rail_down").force(False)),
    "edges-lost": FaultKind("the next edge of each comparator is lost", _lose_edges, 0.0),
    "scope-dead": FaultKind("the oscilloscope loses its network", lambda t: t.scope_wire.unplug()),
    "scope-silent": FaultKind("the oscilloscope no longer answers", lambda t: _silence(t, "scope")),
    "scope-stale": FaultKind("the oscilloscope says WAIT for ever", _stale_scope),
    "supply-dead": FaultKind("the supply loses its network", lambda t: t.supply_wire.unplug()),
    "supply-silent": FaultKind("the supply no longer answers", lambda t: _silence(t, "supply")),
    "meter-dead": FaultKind("the meter's port refuses", lambda t: t.meter_wire.unplug()),
    "meter-late": FaultKind("the meter answers half a second late", lambda t: t.meter_wire.delay(0.5)),
    "k2-welded": FaultKind("K2's contact stays closed", lambda t: t.contact("meter-feed").stick(True), 0.0),
    "k2-opens": FaultKind("K2's contact drops open", lambda t: t.contact("meter-feed").stick(False), 10.0),
    "k3-welded": FaultKind("K3's contact stays closed", lambda t: t.contact("supply-feed").stick(True)),
    "k2-line-stuck": FaultKind("what drives K2 stays on", lambda t: t.stick_line("meter-feed", 1), 0.0),
    "clock-slewed": FaultKind("the clock is slewed by 1000 ppm", lambda t: t.slew_clock(1000.0), 0.0, True),
}
