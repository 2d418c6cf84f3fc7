"""Random true rails, and truthful ways of looking at them. What they prove must hold in `tests.rail.oracle`."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from rig.rail import RailSettings
from rig.rail.lines import LineTracker
from rig.rail.samples import Accuracy, Bins, Scale
from tests.rail.oracle import Number, Rail, up_stretches

DOWN_MV, UP_MV = 6000, 10000
THRESHOLDS = (Fraction(6000001, 1000), 7000, 8000, Fraction(8000001, 1000), 9999, 10000)
"""Every kind of threshold for rails with corners at `LEVELS`: above `DOWN_MV` and not above `UP_MV`."""
LEVELS = (0, 3000, 6000, 6001, 8000, 9999, 10000, 12000)
NODE = "rail"
DAY_HALF = 12 * 3600 * 10**9


@dataclass(frozen=True)
class Scene:
    """A true rail, what counts as an outage, and a window."""

    rail: Rail
    settings: RailSettings
    start: int
    end: int


@st.composite
def scenes(draw: st.DrawFn, rate_ppm: float = 0.0) -> Scene:
    """Cuts, bounce, ramps, brown-outs, hiccup and chains, from a millisecond to twelve hours, anywhere in time."""
    unit = draw(st.one_of(st.sampled_from([1, 20_000_000, DAY_HALF // 200]), st.integers(1, DAY_HALF // 200)))
    ride = max(1, unit * draw(st.integers(1, 8)) + draw(st.integers(-2, 2)))
    restore = max(1, unit * draw(st.sampled_from([1, 3, 10, 30])) + draw(st.integers(-2, 2)))
    origin = draw(st.sampled_from([0, 0, -(10**9), 1 << 60, -(1 << 60)]))
    lengths = st.one_of(
        st.sampled_from([max(1, n + d) for n in (ride, restore, ride + restore) for d in (-1, 0, 1)]),
        st.integers(1, 4 * unit),
        st.integers(1, 2 * (ride + restore)),
    )
    levels = st.sampled_from(LEVELS)
    quiet = draw(st.booleans()) or draw(st.booleans())
    corners: list[tuple[Number, Number, Number]] = []
    at, now = origin, 12000 if quiet else draw(levels)
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["step", "cut", "cut", "ramp", "bounce", "hiccup"]))
        target, length = draw(levels), draw(lengths)
        if kind in ("bounce", "hiccup"):
            other, high, low = draw(levels), draw(lengths), draw(lengths)
            if kind == "bounce":
                high, low = max(1, high // 50), max(1, low // 50)
            for _ in range(draw(st.integers(1, 5))):
                corners += [(at, now, other), (at + low, other, target)]
                at, now = at + low + high, target
        elif kind == "cut":
            corners += [(at, now, 0), (at + length, 0, 12000)]
            at, now = at + length + draw(lengths), 12000
        elif kind == "step":
            corners.append((at, now, target))
            at, now = at + length, target
        else:
            corners += [(at, now, now), (at + length, target, target)]
            at, now = at + length + draw(lengths), target
    corners.append((at, now, 12000 if quiet else draw(levels)))
    spare = 3 * (ride + restore) if quiet else draw(st.sampled_from([0, 1, restore]))
    start, end = origin - spare, at + spare
    if not quiet and draw(st.booleans()):
        start, end = sorted(draw(st.tuples(st.integers(start, end), st.integers(start, end))))
    return Scene(Rail(_unique(corners)), RailSettings(ride, restore, rate_ppm), start, max(end, start + 1))


def _unique(corners: list[tuple[Number, Number, Number]]) -> tuple[tuple[Number, Number, Number], ...]:
    rows: list[tuple[Number, Number, Number]] = []
    for t, before, after in corners:
        if rows and rows[-1][0] == t:
            rows[-1] = (t, rows[-1][1], after)
        else:
            rows.append((t, before, after))
    return tuple(rows)


# -- reading the rail -------------------------------------------------------------------------------------------------

ACCURACY = Accuracy(gain_error=1 / 64, offset_error_v=0.125, noise_v=0.0625)
SCALE = Scale(0.0625, 20.0, 0, 255, ACCURACY.gain_error, ACCURACY.offset_error_v, ACCURACY.noise_v)


def may_read(volts_mv: Number, reading_v: Fraction) -> bool:
    """Whether an instrument of this accuracy may give this reading of a rail at this level."""
    room = Fraction(ACCURACY.gain_error) * abs(reading_v) + Fraction(ACCURACY.offset_error_v + ACCURACY.noise_v)
    return abs(Fraction(volts_mv) / 1000 - reading_v) <= room


def code(volts_mv: Number, chance: random.Random, scale: Scale = SCALE) -> int:
    """Any code that a truthful instrument may give; clipped where it is out of range."""
    per_code = Fraction(scale.volts_per_code)
    nearest = round(Fraction(volts_mv) / 1000 / per_code + Fraction(scale.zero_code))
    for _ in range(4):
        trial = nearest + chance.randint(-6, 6)
        if may_read(volts_mv, (trial - Fraction(scale.zero_code)) * per_code):
            nearest = trial
            break
    return min(max(nearest, scale.low_code), scale.high_code)


def volts(volts_mv: Number, chance: random.Random) -> float:
    """Any volts that a truthful instrument may give, now and then nothing at all."""
    kind = chance.random()
    if kind < 0.03:
        return chance.choice([math.nan, math.inf, -math.inf])
    for _ in range(4):
        trial = float(Fraction(volts_mv) / 1000) + chance.uniform(-0.4, 0.4)
        if may_read(volts_mv, Fraction(trial)):
            return trial
    return float(Fraction(volts_mv) / 1000)


@st.composite
def instants(draw: st.DrawFn, scene: Scene, most: int = 240) -> list[int]:
    """When an instrument looks: evenly, jittered, or with stretches left out. Sorted, at least two."""
    ride, length = scene.settings.ride_through_ns, scene.end - scene.start
    fine = st.sampled_from([ride, max(1, ride - 1), max(1, ride // 2), max(1, ride // 7)])
    step = draw(st.one_of(fine, fine, fine, st.sampled_from([ride + 1, scene.settings.restore_min_ns])))
    step = max(step, length // most, 1)
    first = scene.start - draw(st.integers(0, step))
    at = [first + n * step for n in range(min(most, length // step + 3))]
    chance = random.Random(draw(st.integers(0, 2**32)))
    if draw(st.booleans()):
        at = sorted({t + chance.randint(0, step - 1) for t in at})
    if draw(st.booleans()):
        gone = chance.randint(0, len(at))
        at = at[: max(1, gone - chance.randint(0, 8))] + at[gone:]
    return sorted(set(at)) if len(set(at)) > 1 else [first, first + step]


def codes_of(scene: Scene, at: list[int], seed: int, wide: bool = False) -> np.ndarray:
    chance = random.Random(seed)
    rows = [code(scene.rail.at(t), chance) for t in at]
    return np.array(rows, np.int16 if wide else np.uint8)


def volts_of(scene: Scene, at: list[int], seed: int) -> np.ndarray:
    chance = random.Random(seed)
    return np.array([volts(scene.rail.at(t), chance) for t in at], np.float64)


def bins_of(scene: Scene, edges: list[int], seed: int) -> Bins:
    chance = random.Random(seed)
    pairs = [scene.rail.extremes(a, b) for a, b in itertools.pairwise(edges)]
    low, high = [code(a, chance) for a, _ in pairs], [code(b, chance) for _, b in pairs]
    return Bins(np.array(low, np.uint8), np.array(high, np.uint8))


# -- stamped lines ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LineTruth:
    """What a comparator's line really did: toggles (instant, level), in order, and its level before them."""

    before: bool
    toggles: tuple[tuple[int, bool], ...]

    def at(self, time: int) -> bool:
        level = self.before
        for t, now in self.toggles:
            if t > time:
                break
            level = now
        return level


def comparator(rail: Rail, rises_mv: int, falls_mv: int, active_when_high: bool) -> LineTruth:
    """A comparator with hysteresis: high once V >= `rises_mv`, low once V < `falls_mv`; `falls_mv` <= `rises_mv`."""
    events: list[tuple[Number | float, bool]] = [(a, True) for a, _ in up_stretches(rail, rises_mv)]
    ups = up_stretches(rail, falls_mv)
    events += [(b, False) for _, b in ups if b != math.inf]
    high = rail.corners[0][1] >= rises_mv
    rows: list[tuple[int, bool]] = []
    state = high
    for t, now in sorted(events, key=lambda e: e[0]):
        if t == -math.inf or now == state:
            continue
        rows.append((math.ceil(t), now == active_when_high))
        state = now
    return LineTruth(high == active_when_high, tuple(rows))


def track(
    truth: LineTruth, latency: int, start: int, end: int, tick: int, seed: int, coalesce: bool = True
) -> LineTracker:
    """The line as a watch hears it: late stamps, late deliveries, lost and coalesced edges, level reads that race.

    The last edge is never lost: of what is lost after the last edge that was heard, nothing can be known.
    """
    chance = random.Random(seed)
    lossy = chance.choice([0.0, 0.0, 0.1, 0.4])
    pins: list[tuple[int, bool]] = []
    for t, level in truth.toggles:
        pins.append((max(pins[-1][0] if pins else t, t + chance.randint(0, latency - 1)), level))
    hidden = _coalesced(truth, latency, chance) if coalesce else set()
    heard = [n for n in range(len(pins)) if n not in hidden and pins[n][0] >= start]
    queue: list[tuple[int, int, bool, int]] = []  # delivered at, stamp, level, number
    stamp = delivered = start
    for number, n in enumerate(heard, 1):
        pin, level = pins[n]
        stamp = max(stamp, chance.randint(pin, max(pin, truth.toggles[n][0] + latency - 1)))
        delivered = max(delivered, stamp + chance.choice([0, 0, latency, 3 * latency]))
        if n == heard[-1] or chance.random() >= lossy:
            queue.append((delivered, stamp, level, number))
    line, read_level = LineTracker(latency), LineTruth(truth.before, tuple(pins))
    now = start
    while now <= end + tick or queue:
        sent = now if now <= end + tick else max(now, queue[0][0])
        read = sent + chance.randint(0, 2 * latency)
        received = read + chance.randint(0, 2 * latency)
        drained = received + chance.randint(0, latency)
        while queue and queue[0][0] <= drained:
            _, at, level, n = queue.pop(0)
            line.edge(at, level, n)
        line.read(sent, received, read_level.at(read))
        now = max(drained + 1, sent + chance.randint(1, tick))
    return line


def _coalesced(truth: LineTruth, latency: int, chance: random.Random) -> set[int]:
    """Pairs of edges, back to the level before them within a latency, of which the kernel may make none."""
    gone: set[int] = set()
    for n in range(len(truth.toggles) - 1):
        if n not in gone and truth.toggles[n + 1][0] - truth.toggles[n][0] < latency and chance.random() < 0.5:
            gone |= {n, n + 1}
    return gone
