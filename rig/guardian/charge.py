"""What the controller hands the guardian at its start: the relay lines, the interlocks, the supply's way to off.

One JSON object over its standard input. It was checked as a bench file before; it is checked again, strictly.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.guardian.core import Rules


@dataclass(frozen=True)
class GpioSpec:
    """A line of the header."""

    pin: int
    active_high: bool


@dataclass(frozen=True)
class CoilSpec:
    """A coil of a Modbus board: on TCP (`host`, `tcp_port`), or on a serial line (`device`, `baud`, `parity`)."""

    host: str | None
    tcp_port: int | None
    device: str | None
    baud: int
    parity: str
    unit: int
    coil: int
    timeout_s: float

    def __post_init__(self) -> None:
        tcp = self.host is not None and self.tcp_port is not None
        if tcp == (self.device is not None) or not 0 < self.timeout_s <= 60:
            raise ValueError(f"coil {self.coil}: either host and tcp_port or device, and a time-out of 0 to 60 s")


@dataclass(frozen=True)
class RelaySpec:
    """One relay, on a line or a coil. `safe_closed` None: its safe position is where it stands."""

    role: str
    name: str
    gpio: GpioSpec | None
    coil: CoilSpec | None
    safe_closed: bool | None

    def __post_init__(self) -> None:
        if (self.gpio is None) == (self.coil is None):
            raise ValueError(f"relay {self.name}: either a line or a coil")


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
    """Everything. `locks` are descriptors that the guardian inherits: see `rig.guardian.lease`.

    `keeps_lines`: when its work is done, a keeper holds its GPIO lines (`rig.guardian.keeper`).
    """

    bench: str
    state_folder: str
    relays: tuple[RelaySpec, ...]
    supplies: tuple[SupplySpec, ...]
    rules: Rules
    beat_s: float
    retry_s: float
    watchdog: WatchdogSpec | None
    stop: StopSpec | None
    keeps_lines: bool = False

    def __post_init__(self) -> None:
        roles = [relay.role for relay in self.relays]
        named = {*self.rules.feeds, *self.rules.dwell_ns, *(role for pair in self.rules.forbidden for role in pair)}
        if len(set(roles)) != len(roles) or not named <= set(roles):
            raise ValueError(f"interlocks for {sorted(named)} on relays {sorted(roles)}")
        lines = (*(relay.gpio for relay in self.relays), self.watchdog, self.stop)
        pins = [line.pin for line in lines if line is not None]
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
        """How long an answer may take: it may first have to try every relay of a dead board."""
        boards_s = sum(3 * relay.coil.timeout_s for relay in self.relays if relay.coil is not None)
        return self.silent_s + boards_s

    @property
    def act_s(self) -> float:
        """How long the guardian may take to make the bench safe by its own means."""
        return self.retry_s + sum(2 * s.timeout_s for s in self.supplies) + 2 * self.answer_s
