"""What the controller hands the guardian at its start: the relay lines, the interlocks, the supply's way to off.

One JSON object over its standard input. It was checked as a bench file before; it is checked again, strictly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.guardian.core import Rules


@dataclass(frozen=True)
class RelaySpec:
    """One relay on a GPIO line. `safe_closed` None: its safe position is where it stands."""

    role: str
    name: str
    pin: int
    active_high: bool
    safe_closed: bool | None


@dataclass(frozen=True)
class SupplySpec:
    """How one supply is switched off over a plain socket: the command, the question behind it, what proves it off.

    The texts come from the supply's driver: the bytes are in one place.
    """

    name: str
    host: str
    port: int
    off: str
    question: str
    says_off: tuple[str, ...]
    timeout_s: float

    def __post_init__(self) -> None:
        if not 0 < self.port < 65_536 or not 0 < self.timeout_s <= 60:
            raise ValueError(f"supply {self.name}: port {self.port}, timeout_s {self.timeout_s:g}: out of range")
        for line in (self.off, self.question):
            if not (line and line.isascii() and line.isprintable()):
                raise ValueError(f"supply {self.name}: not a command line: {line!r}")


@dataclass(frozen=True)
class WatchdogSpec:
    """The hardware watchdog's line: it is toggled every half `period_s`; where that ends, the feed drops."""

    pin: int
    period_s: float

    def __post_init__(self) -> None:
        if not 0.02 <= self.period_s <= 60:
            raise ValueError(f"a watchdog fed every {self.period_s:g} s: expected 0.02 to 60")


@dataclass(frozen=True)
class StopSpec:
    """The emergency stop's line, and the level that says pressed (a broken wire must say so too: its pull does)."""

    pin: int
    pressed_high: bool


@dataclass(frozen=True)
class Charge:
    """Everything. `locks` are descriptors that the guardian inherits: see `rig.guardian.lease`."""

    bench: str
    state_folder: str
    relays: tuple[RelaySpec, ...]
    supplies: tuple[SupplySpec, ...]
    rules: Rules
    beat_s: float
    retry_s: float
    watchdog: WatchdogSpec | None
    stop: StopSpec | None

    def __post_init__(self) -> None:
        roles = [relay.role for relay in self.relays]
        named = {*self.rules.feeds, *self.rules.dwell_ns, *(role for pair in self.rules.forbidden for role in pair)}
        if len(set(roles)) != len(roles) or not named <= set(roles):
            raise ValueError(f"interlocks for {sorted(named)} on relays {sorted(roles)}")
        pins = [relay.pin for relay in self.relays] + [spec.pin for spec in (self.watchdog, self.stop) if spec]
        if len(set(pins)) != len(pins):
            raise ValueError(f"a pin is used twice: {sorted(pins)}")
        if not 0 < 2 * self.beat_s <= self.silent_s:
            raise ValueError(f"a beat every {self.beat_s:g} s, silent after {self.silent_s:g} s")
        if not (0 <= self.retry_s <= 3600 and self.rules.dead_ns >= 0 and self.rules.energised_ns > 0):
            raise ValueError("a time of the interlocks is out of range")

    @property
    def silent_s(self) -> float:
        return (self.rules.silent_ns or 0) / 1e9

    @property
    def answer_s(self) -> float:
        """How long an answer may take."""
        return self.silent_s

    @property
    def act_s(self) -> float:
        """How long the guardian may take to make the bench safe by its own means."""
        return self.retry_s + sum(2 * s.timeout_s for s in self.supplies) + math.ceil(self.silent_s)
