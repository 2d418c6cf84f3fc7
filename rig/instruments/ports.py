"""The small ports that procedures talk to. One instrument family implements each of them in one file.

Volts, amperes and seconds are floats in SI units; instants are integer nanoseconds on the clock's monotonic line.
Every call may raise `LinkError` (wrong answer, broken link), `LinkTimeout` (silence) or `Refused` (outside limits:
nothing was sent). No driver without a safe state that is read back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rig.instruments.guards import Guard

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.int16]


@dataclass(frozen=True)
class Identity:
    """Who answered `*IDN?`."""

    maker: str
    model: str
    serial: str
    version: str


# -- supply -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SupplyLimits:
    """The bench file's envelope: no set value, the protections included, may exceed it."""

    max_volts: float
    max_amps: float


@dataclass(frozen=True)
class SupplySettings:
    """What a supply's channel is set to before its output goes on.

    The protections are levels, or else say what is there in place of one: `Guard.AT_LIMIT` or `Guard.NONE`.
    """

    volts: float
    amps: float
    over_voltage_v: float | Guard
    over_current_a: float | Guard


@dataclass(frozen=True)
class SupplyReading:
    """What a supply says of its output: measured volts and amps, `mode`, whether a protection tripped.

    `mode`: CV, CC, UR (unregulated) or off.
    """

    volts: float
    amps: float
    mode: str
    output_on: bool
    tripped: bool


class Supply(Protocol):
    """A programmable supply, one channel of it."""

    @property
    def name(self) -> str: ...

    def identify(self) -> Identity: ...

    def apply(self, settings: SupplySettings) -> None:
        """Set volts, current limit and both protections, and read each back. Output on or off is not touched.

        Raises `Refused` when a value is outside the bench file's limits or the model's range (nothing is clipped), and
        when the model has not the protections that the settings name.
        """

    def output(self, on: bool) -> None:
        """Switch the output, and read back that it is so."""

    def read(self) -> SupplyReading:
        """What the supply measures at its terminals, and what it says of its output."""

    def clear(self) -> SupplyReading:
        """Take back a trip of a protection, and read that it is; the output stays off. Raises when it is not."""

    def make_safe(self) -> SupplyReading:
        """Output off, proven by read-back; returns what was read. Raises when it could not be proven."""

    def close(self) -> None: ...


# -- oscilloscope --------------------------------------------------------------------------------------------------


class ScopeState(Enum):
    """Where a single acquisition stands."""

    FILLING = "filling"  # armed, the pre-trigger fills: blind
    WAITING = "waiting"  # armed, really looking for the trigger
    TRIGGERED = "triggered"  # acquiring what follows the trigger
    STOPPED = "stopped"  # finished, or stopped: blind


@dataclass(frozen=True)
class CaptureSettings:
    """One deep single capture of one channel, DC-coupled, armed on the first fall.

    `window_s` is the whole record, `pre_s` the part before the trigger, `depth` the number of samples wanted. `top_v`
    and `bottom_v` must lie inside the vertical range. `trigger_v` is the falling trigger level. `peak`: peak detect,
    which keeps the least and the greatest of what it saw in place of every two samples.
    """

    window_s: float
    pre_s: float
    depth: int
    top_v: float
    bottom_v: float
    trigger_v: float
    peak: bool = False


@dataclass(frozen=True)
class Capture:
    """A finished capture: raw codes and what they mean. Sample i was taken at `i * dt_s + first_s` after the trigger.

    volts = (codes - `zero_code`) * `volts_per_code`. Codes at `low_code` and `high_code` are clipped: unknown.
    `gain_error` (a fraction) and `offset_error_v` are the model's worst case, `time_base_ppm` too. `trigger_error_s` is
    how far from `first_s`'s zero the true trigger instant may lie.

    With peak detect, `codes` are the least and `highs` the greatest of all that was seen in each bin: bin i begins
    where sample i would have been taken and lasts for `dt_s`.
    """

    codes: Codes
    dt_s: float
    first_s: float
    volts_per_code: float
    zero_code: float
    low_code: int
    high_code: int
    gain_error: float
    offset_error_v: float
    time_base_ppm: float
    trigger_error_s: float
    highs: Codes | None = None

    @property
    def extremes(self) -> tuple[Codes, Codes]:
        """The least and the greatest of each bin; of samples, twice the same."""
        return self.codes, self.codes if self.highs is None else self.highs

    @property
    def points(self) -> int:
        """How many codes it has."""
        return len(self.codes) if self.highs is None else 2 * len(self.codes)


@dataclass(frozen=True)
class Level:
    """A polled level that was shown to be new: every sample of one short acquisition lies in [`from_ns`, `to_ns`].

    `low_v` and `high_v` are its least and greatest reading, none of them clipped; `gain_error` (a fraction) and
    `offset_error_v` are the model's worst case. `evidence` says how it was shown to be new.
    """

    from_ns: int
    to_ns: int
    low_v: float
    high_v: float
    gain_error: float
    offset_error_v: float
    evidence: str


class Oscilloscope(Protocol):
    """An oscilloscope, one channel of it."""

    @property
    def name(self) -> str: ...

    def identify(self) -> Identity: ...

    def plan(self, settings: CaptureSettings) -> CaptureSettings:
        """What `configure` would make of it. `Refused` when the model cannot; nothing is set."""

    def configure(self, settings: CaptureSettings) -> CaptureSettings:
        """Set up a single capture and read it back; returns what it will really be (the model's own steps)."""

    def arm(self) -> None:
        """Start the single acquisition. It is blind until `state` says WAITING."""

    def state(self) -> ScopeState: ...

    def read(self) -> Capture:
        """The finished capture (state STOPPED), as raw codes."""

    def level(self) -> Level | None:
        """Take one short acquisition as `configure` set it up, now; None where it cannot be shown to be new.

        One oscilloscope captures or polls: `Refused` while a capture is armed or still to be read.
        """

    def make_safe(self) -> None:
        """Stopped, proven by read-back."""

    def close(self) -> None: ...


# -- relays and sense lines ----------------------------------------------------------------------------------------


class Relay(Protocol):
    """One relay's coil. `closed` speaks of the contact, whatever the active level."""

    @property
    def name(self) -> str: ...

    def set(self, closed: bool) -> None: ...

    def read(self) -> bool:
        """The line's level read back, as the contact's commanded position."""

    def make_safe(self) -> bool:
        """Move to the safe position and read back; returns True when the line says so."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class LineEdge:
    """One edge as the kernel stamped it. `active` is the line's level after it (polarity already applied)."""

    line: str
    at_ns: int
    active: bool
    line_seqno: int


class SenseLines(Protocol):
    """All sense lines of a bench, one request."""

    def names(self) -> tuple[str, ...]: ...

    def fileno(self) -> int:
        """Readable when edges wait."""

    def edges(self) -> list[LineEdge]:
        """The edges that wait, oldest first; never blocks."""

    def levels(self) -> dict[str, bool]:
        """The level of each line now."""

    def close(self) -> None: ...
