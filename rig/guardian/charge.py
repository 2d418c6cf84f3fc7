"""What the controller hands the guardian at its start: the relay lines, the interlocks, the supply's way to off.

One JSON object over its standard input. It was checked as a bench file before; it is checked again, strictly.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.guardian.core import Rules
from rig.instruments.address import Address, Kind, parse_address
from rig.instruments.wires import LineSettings, Parity

HAND_S = 15.0
"""How long the helper that speaks through a VISA library may take beside its exchange: it starts, and it connects."""


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
    """How one supply is switched off without its driver: where it answers, and its texts (`OffTexts`).

    The texts come from the supply's driver: the bytes are in one place. `address` is a VISA resource name; `baud`,
    `parity` and `stop_bits` are of a serial port.
    """

    name: str
    address: str
    baud: int
    parity: str
    stop_bits: int
    off: str
    question: str
    says_off: tuple[str, ...]
    off_bit: int | None
    ends: str
    reply_bytes: int | None
    pause_s: float
    timeout_s: float

    def __post_init__(self) -> None:
        parse_address(self.address)
        if not 0 < self.timeout_s <= 60 or not 0 <= self.pause_s <= 60:
            raise ValueError(
                f"supply {self.name}: timeout_s {self.timeout_s:g}, pause_s {self.pause_s:g}: out of range"
            )
        if self.parity not in ("none", "even", "odd") or self.stop_bits not in (1, 2):
            raise ValueError(f"supply {self.name}: parity {self.parity}, stop_bits {self.stop_bits}: no such line")
        if self.ends not in ("", "\n", "\r\n") or (self.off_bit is None) != bool(self.says_off):
            raise ValueError(f"supply {self.name}: what ends a command, or what says off, cannot be told")
        for line in (self.off, self.question):
            if not (line and line.isascii() and line.isprintable()):
                raise ValueError(f"supply {self.name}: not a command line: {line!r}")

    @property
    def at(self) -> Address:
        return parse_address(self.address)

    @property
    def line(self) -> LineSettings:
        """How its serial port is set."""
        parity: Parity = "even" if self.parity == "even" else "odd" if self.parity == "odd" else "none"
        return LineSettings(self.baud, parity, 2 if self.stop_bits == 2 else 1)

    @property
    def by_hand(self) -> bool:
        """Whether a process of its own is needed, for the wire is one that only a VISA library speaks."""
        return self.at.kind in (Kind.VXI11, Kind.HISLIP, Kind.USB)

    @property
    def answer_s(self) -> float:
        """How long one try may take, the start of that process among it."""
        return 2 * self.timeout_s + self.pause_s + (HAND_S if self.by_hand else 0.0)


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
        return self.retry_s + sum(2 * s.answer_s for s in self.supplies) + 2 * self.answer_s
