"""How a twin's oscilloscope acquires: fill the pre-trigger, wait, acquire, stop, each in the time that it takes.

Shared by the faces of all models. Knows the rail's probe and time; knows no commands, and no codes: volts come out,
with this instrument's own errors and noise. Free running is a state; what was seen last can be had when it is stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

from rig.twin.noise import triangular
from rig.twin.ports import Cancellable, RailProbe, Timeline


class Acquiring(Enum):
    """Where it stands. FREE: it runs and triggers by itself; SEEKING: it runs, and waits for each trigger."""

    FREE = "AUTO"
    SEEKING = "SEEKING"
    FILLING = "RUN"
    WAITING = "WAIT"
    TRIGGERED = "TD"
    STOPPED = "STOP"


@dataclass(frozen=True)
class Imperfections:
    """What this instrument does wrong, besides its noise: within the model's limits unless a fault wants otherwise."""

    gain_error: float = 0.0
    offset_v: float = 0.0
    time_base_ppm: float = 0.0


@dataclass(frozen=True)
class Coding:
    """How volts become codes: rounded, and clipped at the least and the greatest."""

    volts_per_code: float
    zero_code: float
    low: int = 0
    high: int = 255


@dataclass(frozen=True)
class Record:
    """One acquisition as set up: sample i is at `trigger_ns + i * window_ns / points - pre_ns` by its own clock.

    With `peak` detect, points 2i and 2i + 1 are the least and the greatest of the time from sample 2i to sample 2i + 2.
    """

    channel: int
    points: int
    window_ns: int
    pre_ns: int
    coding: Coding
    trigger_ns: int | None = None
    complete: bool = False
    peak: bool = False


class Acquisition:
    """One oscilloscope whose channel `wired` sees `probe`; its other inputs are open (0 V)."""

    def __init__(
        self,
        timeline: Timeline,
        probe: RailProbe,
        seed: int,
        noise_v: float,
        wired: int,
        imperfections: Imperfections | None,
    ) -> None:
        self._timeline = timeline
        self._probe = probe
        self._seed = seed
        self._noise_v = noise_v
        self._wired = wired
        self._flaws = imperfections or Imperfections()
        self._pending: list[Cancellable] = []
        self._record: Record | None = None
        self.state = Acquiring.FREE
        self.on_trigger: Callable[[], None] = lambda: None

    def free(self, by_itself: bool) -> None:
        """Run, and trigger by itself or on each edge; there is no record then."""
        self._cancel()
        self._record = None
        self.state = Acquiring.FREE if by_itself else Acquiring.SEEKING

    def stop(self, screen: Record | None = None) -> None:
        """Stop. A capture that this cuts short leaves no record; one that ran freely leaves `screen`, seen last."""
        free = self.state is Acquiring.FREE
        self._cancel()
        if self.state is not Acquiring.STOPPED and not (self._record and self._record.complete):
            self._record = None
        if free and screen is not None:
            self._record = self._seen(screen)
        self.state = Acquiring.STOPPED

    def single(self, record: Record, level_v: float | None) -> None:
        """Arm: fill the pre-trigger, then look for a fall through `level_v` (None: for nothing that is there)."""
        self._cancel()
        self._record = record
        self.state = Acquiring.FILLING
        full = self._timeline.now() + max(0, self._own(record.pre_ns))
        self._pending.append(self._timeline.schedule(full, lambda: self._look(level_v)))

    def force(self) -> None:
        """Trigger now, if it waits."""
        self._triggered(self._timeline.now())

    @property
    def finished(self) -> Record | None:
        """The record that can be read: only while it is stopped."""
        record = self._record
        return record if record is not None and record.complete and self.state is Acquiring.STOPPED else None

    def seen_last(self, screen: Record) -> Record | None:
        """The record that can be read, or what is on the screen of one that runs freely."""
        if self.state is Acquiring.FREE:
            return self._seen(screen)
        return self.finished

    def codes(self, record: Record, begin: int, end: int, shown: int) -> npt.NDArray[np.float64]:
        """Codes (whole numbers) of samples [begin, end) of a record, as the channel `shown` gives them, shape (n,).

        Before the model's history there are no volts: the least code.
        """
        if record.peak:
            return self._peaks(record, begin, end, shown)
        at_ns = self._instants(record, np.arange(begin, end, dtype=np.float64))
        volts = self._volts(at_ns, shown)
        if self._noise_v:
            volts += triangular(self._seed, record.channel, at_ns) * self._noise_v
        return self._coded(volts, record.coding)

    def _peaks(self, record: Record, begin: int, end: int, shown: int) -> npt.NDArray[np.float64]:
        """`codes` of peak detect. Of so many looks one finds noise nearly at its least, and one nearly at its peak."""
        first, last = begin // 2, -(-end // 2)
        edges = self._instants(record, np.arange(2 * first, 2 * last + 1, 2, dtype=np.float64))
        volts = self._volts(edges, shown)
        both = np.empty((last - first, 2))
        both[:, 0] = np.minimum(volts[:-1], volts[1:]) - self._noise_v
        both[:, 1] = np.maximum(volts[:-1], volts[1:]) + self._noise_v
        turns = self._probe.turns(int(edges[0]), int(edges[-1]))
        if len(turns):
            inside, there = np.searchsorted(edges, turns, side="right") - 1, self._volts(turns, shown)
            np.minimum.at(both[:, 0], inside, there - self._noise_v)
            np.maximum.at(both[:, 1], inside, there + self._noise_v)
        return self._coded(both.ravel()[begin - 2 * first : end - 2 * first], record.coding)

    def _instants(self, record: Record, index: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """When the samples `index` were taken, which is used up."""
        assert record.trigger_ns is not None  # noqa: S101 - a finished record was triggered
        rate = 1 + self._flaws.time_base_ppm * 1e-6
        index *= record.window_ns / record.points * rate
        index -= record.pre_ns * rate
        at_ns = np.rint(index, out=index).astype(np.int64)
        at_ns += record.trigger_ns
        return at_ns

    def _volts(self, at_ns: npt.NDArray[np.int64], shown: int) -> npt.NDArray[np.float64]:
        """What this channel shows at these instants, without noise."""
        if shown != self._wired:
            return np.zeros(len(at_ns))
        volts = self._probe.volts(at_ns) * (1 + self._flaws.gain_error)
        volts += self._flaws.offset_v
        return volts

    @staticmethod
    def _coded(volts: npt.NDArray[np.float64], coding: Coding) -> npt.NDArray[np.float64]:
        """Volts, which are used up, as codes."""
        volts /= coding.volts_per_code
        volts += coding.zero_code
        if len(volts) and np.isnan(volts[0]):  # the first samples are from before the model's history
            np.nan_to_num(volts, copy=False, nan=float(coding.low))
        np.rint(volts, out=volts)
        np.clip(volts, coding.low, coding.high, out=volts)
        return volts

    def _seen(self, screen: Record) -> Record:
        """A whole window that has just passed."""
        at_ns = self._timeline.now() - self._own(screen.window_ns - screen.pre_ns)
        return replace(screen, trigger_ns=at_ns, complete=True)

    def _cancel(self) -> None:
        pending, self._pending = self._pending, []
        for handle in pending:
            handle.cancel()

    def _look(self, level_v: float | None) -> None:
        self.state = Acquiring.WAITING
        if level_v is not None and self._record is not None and self._record.channel == self._wired:
            self._pending.append(self._probe.on_fall(level_v, self._triggered))

    def _triggered(self, at_ns: int) -> None:
        record = self._record
        if self.state is not Acquiring.WAITING or record is None:
            return
        self._cancel()
        self._record = replace(record, trigger_ns=at_ns)
        self.state = Acquiring.TRIGGERED
        self.on_trigger()
        over = at_ns + self._own(record.window_ns - record.pre_ns)
        self._pending.append(self._timeline.schedule(over, self._finished))

    def _finished(self) -> None:
        assert self._record is not None  # noqa: S101 - scheduled by the trigger, cancelled with the record
        self._record = replace(self._record, complete=True)
        self.state = Acquiring.STOPPED

    def _own(self, length_ns: int) -> int:
        """How long that really is, when this instrument's time base says `length_ns`."""
        return round(length_ns * (1 + self._flaws.time_base_ppm * 1e-6))
