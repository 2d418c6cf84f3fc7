"""Files that a bench already has, judged: read, thresholds found or taken, merged, bounded, told.

Touches no instrument and has no clock. What is proposed or estimated is said in the assumptions, with where it comes
from; what cannot be proven from these samples says which setting would decide it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rig.clock import to_ns
from rig.errors import InputError, Where
from rig.judgement import Cause, Comparison, Limit, judge_rail
from rig.judgement.alerts import History, predict_all
from rig.procedures.rows import budget_rows, coverage_row, longest_row, outage_row
from rig.rail import Intervals, RailSettings, Source, merge, outages
from rig.rail.levels import levels_of, thin
from rig.rail.place import Offset, place
from rig.rail.samples import Accuracy, code_limits, source_of, volt_limits
from rig.rail.times import Grid, Times, line_of
from rig.records.analysis import Analysis, FileRow
from rig.records.run import Assumption, Envelope, Picture, Reason, Track
from rig.waveforms import Waveform, read

_TIME_BASE_PPM = 100.0
_COLUMNS = 2000
_NODE = "rail"


@dataclass(frozen=True)
class Question:
    """What is asked; None = find out, or the default. Volts and seconds."""

    files: tuple[Path, ...]
    down_v: float | None = None
    up_v: float | None = None
    limit_s: float = 180.0
    comparison: str = "ge"
    ride_through_s: float = 0.02
    restore_min_s: float = 1.0
    time_base_ppm: float | None = None
    noise_v: float | None = None
    channel: str | None = None
    dialect: str | None = None
    interval_s: float | None = None
    start_s: float | None = None
    offsets_s: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Thresholds:
    down_v: float
    up_v: float
    noise_v: float
    rows: tuple[Assumption, ...]


def analyse_files(question: Question) -> tuple[Analysis, Picture]:
    """The analysis and what a picture of it shows. Raises InputError: file, line, what was found and expected."""
    settings, limit = _settings(question), _limit(question)
    waves = [
        read(
            path,
            channel=question.channel,
            dialect=question.dialect,
            interval_s=question.interval_s,
            start_s=question.start_s,
        )
        for path in question.files
    ]
    offsets = question.offsets_s or (0.0,) * len(waves)
    limits = _thresholds(question, waves)
    ppm = _rate_ppm(question, waves)
    settings = replace(settings, rate_ppm=ppm)
    sources = [
        _placed(wave, f"{index}: {wave.channel}" if len(waves) > 1 else wave.channel, offset, limits, settings)
        for index, (wave, offset) in enumerate(zip(waves, offsets, strict=True), 1)
    ]
    knowledge = merge(sources)
    windows = [_window(wave, offset) for wave, offset in zip(waves, offsets, strict=True)]
    begin, end = min(first for first, _ in windows), max(last for _, last in windows)
    history = outages(knowledge, settings, begin, end)
    judgement = judge_rail(history, knowledge.contradictions, limit)
    alerts = predict_all(History.of_rail(history.outages, 0, ppm))
    analysis = Analysis(
        verdict=judgement.verdict.value,
        rail_verdict=judgement.rail_verdict.value,
        reasons=tuple(Reason(r.code, _advised(r.text, waves, settings)) for r in judgement.reasons),
        limit_s=limit.length_ns / 1e9,
        comparison=limit.comparison.value,
        longest_outage=longest_row(history),
        outages=tuple(outage_row(o, Cause.UNKNOWN, 0) for o in history.outages),
        coverage=coverage_row(history, 0),
        uncertainty=budget_rows(history, ppm, 0),
        alerts=alerts.to_json(),
        assumptions=_assumptions(question, limits, ppm)
        + tuple(Assumption(a.key, a.value, a.source) for a in alerts.assumptions),
        files=tuple(_file_row(w, o) for w, o in zip(waves, offsets, strict=True)),
    )
    return analysis, _picture(waves, sources, offsets, limits)


# -- what was asked ----------------------------------------------------------------------------------------------------


def _settings(question: Question) -> RailSettings:
    checks = {
        "--ride-through": question.ride_through_s,
        "--restore-min": question.restore_min_s,
        "--time-base-ppm": question.time_base_ppm or 0.0,
        "--noise-v": question.noise_v or 0.0,
        "--limit": question.limit_s,
    }
    for key, value in checks.items():
        if not 0 <= value <= 1e6 or (key == "--limit" and value == 0):
            raise InputError("out of range", Where(key=key, found=f"{value:g}", expected="from 0 up to a million"))
    if question.offsets_s and len(question.offsets_s) != len(question.files):
        count = f"{len(question.offsets_s)} for {len(question.files)} files"
        raise InputError("one offset for each file, in their order", Where(key="--offset", found=count))
    if len(question.files) > 1 and not question.offsets_s:
        raise InputError("several files of one event need their offsets", Where(key="--offset", expected="one a file"))
    if not all(math.isfinite(o) and abs(o) < 1e9 for o in question.offsets_s):
        raise InputError("not an offset", Where(key="--offset", expected="finite seconds"))
    return RailSettings(to_ns(question.ride_through_s), to_ns(question.restore_min_s))


def _limit(question: Question) -> Limit:
    return Limit(to_ns(question.limit_s), Comparison(question.comparison))


def _thresholds(question: Question, waves: list[Waveform]) -> _Thresholds:
    """The thresholds and the noise that were given, or those that the first file's two levels propose."""
    file = waves[0].file
    levels = levels_of(_volts(waves[0], thin(waves[0].values)))
    if levels is None:
        raise InputError(
            "a constant signal proves nothing: an instrument that stands still shows this too", Where(file)
        )
    noise = question.noise_v if question.noise_v is not None else round(levels.noise_v, 6)
    rows = [
        Assumption("noise_v", f"{noise:g} V", "given" if question.noise_v is not None else "estimated from the samples")
    ]
    down, up = question.down_v, question.up_v
    if down is None or up is None:
        if not levels.two:
            found = f"about {levels.high_v:.4g} V everywhere"
            raise InputError(
                "thresholds cannot be proposed from one level", Where(file, found=found, expected="--down and --up")
            )
        proposed = levels.thresholds()
        down, up = (proposed[0] if down is None else down), (proposed[1] if up is None else up)
    told = f"proposed from the levels {levels.low_v:.4g} V and {levels.high_v:.4g} V"
    rows.insert(0, Assumption("up_above_v", f"{up:g} V", "given" if question.up_v is not None else told))
    rows.insert(1, Assumption("down_below_v", f"{down:g} V", "given" if question.down_v is not None else told))
    _check_thresholds(down, up, noise)
    return _Thresholds(down, up, noise, tuple(rows))


def _check_thresholds(down: float, up: float, noise: float) -> None:
    if not (math.isfinite(down) and math.isfinite(up)) or down >= up:
        raise InputError(
            "thresholds are crossed over", Where(key="--down", found=f"{down:g} V", expected=f"below {up:g} V")
        )
    if up - down <= 2 * noise:
        found = f"{up - down:.4g} V apart with {noise:.4g} V of noise"
        raise InputError("thresholds are closer than the noise", Where(key="--up", found=found))


def _rate_ppm(question: Question, waves: list[Waveform]) -> float:
    if question.time_base_ppm is not None:
        return question.time_base_ppm
    return max(w.time_base_ppm if w.time_base_ppm is not None else _TIME_BASE_PPM for w in waves)


# -- knowledge ---------------------------------------------------------------------------------------------------------


def _placed(wave: Waveform, name: str, offset_s: float, limits: _Thresholds, settings: RailSettings) -> Source:
    """One file as a source on the common line, its spans shrunk by what the printed digits of its times leave open."""
    source = _source(wave, name, limits, settings)
    at, error = to_ns(offset_s), _time_error_ns(wave)
    return place(source, Offset(at - error, at + error, 0.0)) if at or error else source


def _source(wave: Waveform, name: str, limits: _Thresholds, settings: RailSettings) -> Source:
    if wave.scale is not None:
        scale = replace(wave.scale, noise_v=max(wave.scale.noise_v, limits.noise_v))
        proving = code_limits(scale, limits.down_v, limits.up_v)
    else:
        proving = volt_limits(Accuracy(0.0, 0.0, limits.noise_v), limits.down_v, limits.up_v)
    return source_of(name, _NODE, wave.values, _times(wave), proving, settings)


def _window(wave: Waveform, offset_s: float) -> tuple[int, int]:
    """From the first sample to the last on the common line, rounded and shrunk as its source's spans are."""
    line, shift, error = line_of(_times(wave)), to_ns(offset_s), _time_error_ns(wave)
    first = line.starts(np.array([0], np.int64))[0]
    last = line.ends(np.array([len(wave.values) - 1], np.int64))[0]
    return int(first) + shift + error, int(last) + shift - error


def _time_error_ns(wave: Waveform) -> int:
    return math.ceil(wave.time_error_s * 1e9)


def _times(wave: Waveform) -> Grid | Times:
    times = Times(wave.times_ns) if wave.times_ns is not None else wave.grid
    if times is None:
        raise ValueError("a waveform has a grid or times")
    return times


def _instant_s(wave: Waveform, index: int) -> float:
    if wave.grid is not None:
        return wave.grid.first_s + index * wave.grid.dt_s
    return 0.0 if wave.times_ns is None else float(wave.times_ns[index]) / 1e9


def _volts(wave: Waveform, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values if wave.scale is None else wave.scale.volts(values)


def _widest_step_s(waves: list[Waveform]) -> float:
    """The least of the files' widest steps between two samples."""
    steps = []
    for wave in waves:
        if wave.times_ns is not None:
            steps.append(float(np.diff(wave.times_ns).max()) / 1e9 if len(wave.times_ns) > 1 else math.inf)
        elif wave.grid is not None:
            steps.append(wave.grid.dt_s)
    return min(steps)


def _advised(text: str, waves: list[Waveform], settings: RailSettings) -> str:
    """A reason, with the setting that would decide where the samples are too far apart to prove anything up."""
    step, ride = _widest_step_s(waves), settings.ride_through_ns / 1e9
    if step <= ride:
        return text
    return (
        f"{text} Samples are {step:.6g} s apart, further than ride_through_s ({ride:g} s): nothing can be proven up; "
        f"if dips up to that long do not matter, --ride-through {step:.6g} decides."
    )


# -- rows and picture --------------------------------------------------------------------------------------------------


def _assumptions(question: Question, limits: _Thresholds, ppm: float) -> tuple[Assumption, ...]:
    given = question.time_base_ppm is not None
    return (
        Assumption("limit_s", f"{question.limit_s:g} s", "MP102A: three minutes, unless given"),
        Assumption("comparison", question.comparison, "ge is MP102A's strict reading"),
        *limits.rows,
        Assumption("ride_through_s", f"{question.ride_through_s:g} s", "assumption: a shorter dip is no outage"),
        Assumption("restore_min_s", f"{question.restore_min_s:g} s", "assumption: a shorter return restores nothing"),
        Assumption("time_base_ppm", f"{ppm:g} ppm", "given" if given else "the file's, or assumed"),
        Assumption("down samples", "no dips just when it looks", "assumption: samples up to restore_min_s apart join"),
    )


def _file_row(wave: Waveform, offset_s: float) -> FileRow:
    step = wave.grid.dt_s if wave.grid is not None else None
    return FileRow(wave.file, wave.channel, wave.dialect, len(wave.values), step, offset_s, wave.notes)


def _picture(waves: list[Waveform], sources: list[Source], offsets: tuple[float, ...], limits: _Thresholds) -> Picture:
    def rows(spans: Intervals) -> tuple[tuple[float, float], ...]:
        return tuple((a / 1e9, b / 1e9) for a, b in spans)

    tracks = tuple(Track(s.name, rows(s.up), rows(s.down), rows(s.seen)) for s in sources)
    drawn = _envelope(waves[0], offsets[0])
    highest = max((high for _, _, high in drawn.columns), default=limits.up_v)
    return Picture(tracks, drawn, limits.down_v, limits.up_v, highest)


def _envelope(wave: Waveform, offset_s: float) -> Envelope:
    """Lowest and highest volts of each column of the picture, without a copy of the whole."""
    count = len(wave.values)
    edges = np.linspace(0, count, min(_COLUMNS, count) + 1).astype(np.int64)
    columns = []
    for first, after in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        volts = _volts(wave, wave.values[first:after])
        known = volts[np.isfinite(volts)]
        if len(known):
            columns.append((_instant_s(wave, first) + offset_s, float(known.min()), float(known.max())))
    return Envelope(wave.channel, tuple(columns))
