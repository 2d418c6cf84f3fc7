"""Files that a bench already has, judged: read, thresholds found or taken, merged, bounded, told.

Touches no instrument and has no clock. What is proposed or estimated is said in the assumptions, with where it comes
from; what cannot be proven from these samples says which setting would decide it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rig.clock import to_ns
from rig.errors import InputError, Where
from rig.judgement import Cause, Comparison, Finding, Limit, judge_rail
from rig.judgement.alerts import History, predict_all
from rig.procedures.rows import budget_rows, coverage_row, longest_row, outage_row
from rig.procedures.surveying import Survey, survey
from rig.rail import Intervals, RailSettings, Source, merge, outages
from rig.rail.levels import levels_of
from rig.rail.place import Offset, place
from rig.rail.samples import Accuracy, Bins, code_limits, source_of, volt_limits
from rig.rail.times import Grid, Times, line_of
from rig.records.analysis import Analysis, FileRow
from rig.records.run import Assumption, Envelope, Picture, Reason, Track
from rig.waveforms import Binning, Waveform, read

_TIME_BASE_PPM = 100.0
_NODE = "rail"


@dataclass(frozen=True)
class Question:
    """What is asked; None = find out, or the default. Volts and seconds. `channels`: one for all files, or one each."""

    files: tuple[Path, ...]
    down_v: float | None = None
    up_v: float | None = None
    limit_s: float = 180.0
    comparison: str = "ge"
    ride_through_s: float = 0.02
    restore_min_s: float = 1.0
    time_base_ppm: float | None = None
    noise_v: float | None = None
    channels: tuple[str, ...] = ()
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
            channel=channel,
            dialect=question.dialect,
            interval_s=question.interval_s,
            start_s=question.start_s,
        )
        for path, channel in zip(question.files, _channels(question), strict=True)
    ]
    offsets = question.offsets_s or (0.0,) * len(waves)
    surveys = [survey(wave) for wave in waves]
    limits = _thresholds(question, waves[0].file, surveys[0])
    ppm = _rate_ppm(question, waves[0])
    settings = replace(settings, rate_ppm=ppm)
    places = [_place(question, waves, index, offset) for index, offset in enumerate(offsets)]
    sources = [
        place(_source(wave, name, limits, settings), at)
        for wave, name, at in zip(waves, _names(waves), places, strict=True)
    ]
    knowledge = merge(sources)
    windows = [_window(wave, at) for wave, at in zip(waves, places, strict=True)]
    begin, end = min(first for first, _ in windows), max(last for _, last in windows)
    history = outages(knowledge, settings, begin, end)
    judgement = judge_rail(history, knowledge.contradictions, limit)
    alerts = predict_all(History.of_rail(history.outages, 0, ppm))
    analysis = Analysis(
        verdict=judgement.verdict.value,
        rail_verdict=judgement.rail_verdict.value,
        reasons=tuple(Reason(r.code, _advised(r, waves, settings)) for r in judgement.reasons),
        limit_s=limit.length_ns / 1e9,
        comparison=limit.comparison.value,
        longest_outage=longest_row(history),
        outages=tuple(outage_row(o, Cause.UNKNOWN, 0) for o in history.outages),
        coverage=coverage_row(history, 0),
        uncertainty=budget_rows(history, ppm, 0),
        alerts=alerts.to_json(),
        assumptions=_assumptions(question, waves, limits, ppm)
        + tuple(Assumption(a.key, a.value, a.source) for a in alerts.assumptions),
        files=tuple(_file_row(w, o) for w, o in zip(waves, offsets, strict=True)),
    )
    drawn = _envelope(waves[0], surveys[0], offsets[0])
    return analysis, _picture(sources, drawn, limits)


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


def _channels(question: Question) -> tuple[str | None, ...]:
    files, names = len(question.files), question.channels
    if len(names) not in (0, 1, files):
        found = f"{len(names)} for {files} files"
        raise InputError("one channel for all files, or one for each", Where(key="--channel", found=found))
    return names if len(names) == files else (names or (None,)) * files


def _limit(question: Question) -> Limit:
    return Limit(to_ns(question.limit_s), Comparison(question.comparison))


def _thresholds(question: Question, file: str, seen: Survey) -> _Thresholds:
    """The thresholds and the noise that were given, or those that the first file's two levels propose."""
    levels = levels_of(seen.volts)
    if levels is None and not np.isfinite(seen.volts).any():
        raise InputError("no sample is a number that an instrument could measure", Where(file))
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


def _rate_ppm(question: Question, wave: Waveform) -> float:
    if question.time_base_ppm is not None:
        return question.time_base_ppm
    return wave.time_base_ppm if wave.time_base_ppm is not None else _TIME_BASE_PPM


# -- knowledge ---------------------------------------------------------------------------------------------------------


def _names(waves: list[Waveform]) -> list[str]:
    """What the sources are called: the channels, with the number of their file where there are several."""
    one = len(waves) == 1
    return [wave.channel if one else f"file {number}, {wave.channel}" for number, wave in enumerate(waves, 1)]


def _place(question: Question, waves: list[Waveform], index: int, offset_s: float) -> Offset:
    """Where a file lies on the common line, which is the clock of the first one: exact at the file's zero, further off
    the further away from it; and what the printed digits of its times leave open."""
    wave, at = waves[index], to_ns(offset_s)
    error = math.ceil(wave.time_error_s * 1e9)
    rate_ppm = _rate_ppm(question, wave) + _rate_ppm(question, waves[0]) if index else 0.0
    return Offset(at - error, at + error, rate_ppm)


def _source(wave: Waveform, name: str, limits: _Thresholds, settings: RailSettings) -> Source:
    if wave.scale is not None:
        scale = replace(wave.scale, noise_v=max(wave.scale.noise_v, limits.noise_v))
        proving = code_limits(scale, limits.down_v, limits.up_v)
    else:
        proving = volt_limits(Accuracy(0.0, 0.0, limits.noise_v), limits.down_v, limits.up_v)
    if wave.bins is None or wave.grid is None:
        return source_of(name, _NODE, wave.blocks(), _times(wave), proving, settings)
    return source_of(name, _NODE, _extremes(wave), _bin_edges(wave, wave.grid, wave.bins, settings), proving, settings)


def _extremes(wave: Waveform) -> Iterator[Bins]:
    return (Bins(block[0::2], block[1::2]) for block in wave.blocks())


def _bin_edges(wave: Waveform, grid: Grid, bins: Binning, settings: RailSettings) -> Times:
    """A bin proves what all of it is only where its samples, and the first of the next one, would have been joined.

    What peak detect says of a bin, it says of all of it.
    """
    apart_ns = min(settings.ride_through_ns, settings.restore_min_ns)
    if grid.dt_s * 1e9 > apart_ns and not bins.whole:
        where = Where(wave.file, found=f"{grid.dt_s:g} s", expected=f"at most {apart_ns / 1e9:g} s")
        raise InputError("the samples behind this envelope were too far apart to prove anything", where)
    edges = np.append(np.arange(bins.count, dtype=np.int64) * bins.size, wave.count - 1)
    return Times(line_of(grid).starts(edges))


def _window(wave: Waveform, at: Offset) -> tuple[int, int]:
    """From the first sample to the last on the common line, rounded and shrunk as its source's spans are."""
    line = line_of(_times(wave))
    first, last = np.array([0], np.int64), np.array([wave.count - 1], np.int64)
    return int(at.latest(line.starts(first))[0]), int(at.earliest(line.ends(last))[0])


def _times(wave: Waveform) -> Grid | Times:
    times = Times(wave.times_ns) if wave.times_ns is not None else wave.grid
    if times is None:
        raise ValueError("a waveform has a grid or times")
    return times


def _instant_s(wave: Waveform, index: int) -> float:
    if wave.grid is not None:
        return wave.grid.first_s + index * wave.grid.dt_s
    return 0.0 if wave.times_ns is None else float(wave.times_ns[index]) / 1e9


def _steps_s(wave: Waveform) -> tuple[float, float]:
    """The least and the greatest step between two samples that nothing was seen in."""
    if wave.bins is not None and wave.bins.whole:
        return 0.0, 0.0
    if wave.times_ns is not None:
        steps = np.diff(wave.times_ns)
        return float(steps.min()) / 1e9, float(steps.max()) / 1e9
    return (wave.grid.dt_s, wave.grid.dt_s) if wave.grid else (0.0, 0.0)


def _advised(finding: Finding, waves: list[Waveform], settings: RailSettings) -> str:
    """Why it is open, with the setting that would decide where samples are too far apart to prove the rail up."""
    ride = settings.ride_through_ns / 1e9
    least, widest = (min(steps) for steps in zip(*(_steps_s(wave) for wave in waves), strict=True))
    if widest <= ride or finding.code not in ("unseen_gap", "straddles_limit"):
        return finding.text
    up_to, proven = ("", "nothing can be proven up") if least > ride else ("up to ", "not all can be proven up")
    return (
        f"{finding.text} Samples are {up_to}{widest:.6g} s apart, further than ride_through_s ({ride:g} s): {proven}; "
        f"if dips up to that long do not matter, --ride-through {_at_least(widest)} decides."
    )


def _at_least(value: float) -> str:
    text = f"{value:.6g}"
    return text if float(text) >= value else f"{value * (1 + 1e-5):.6g}"


# -- rows and picture --------------------------------------------------------------------------------------------------


def _assumptions(question: Question, waves: list[Waveform], limits: _Thresholds, ppm: float) -> tuple[Assumption, ...]:
    given = question.time_base_ppm is not None
    return (
        Assumption("limit_s", f"{question.limit_s:g} s", "MP102A: three minutes, unless given"),
        Assumption("comparison", question.comparison, "ge is MP102A's strict reading"),
        *limits.rows,
        Assumption("ride_through_s", f"{question.ride_through_s:g} s", "assumption: a shorter dip is no outage"),
        Assumption("restore_min_s", f"{question.restore_min_s:g} s", "assumption: a shorter return restores nothing"),
        Assumption("time_base_ppm", f"{ppm:g} ppm", "given" if given else "the file's, or assumed"),
        Assumption("down samples", "no dips just when it looks", "assumption: samples up to restore_min_s apart join"),
        *_unstated(waves),
    )


def _unstated(waves: list[Waveform]) -> tuple[Assumption, ...]:
    """What the files do not say: how good an export's volts are, and how good the offsets between several files."""
    rows = []
    if any(wave.scale is None for wave in waves):
        told = "as the file states them: no gain or offset error, none clipped but those that the file marks"
        rows.append(Assumption("volts", told, "assumption: an export does not say; leave the thresholds some room"))
    if len(waves) > 1:
        rows.append(Assumption("offset_s", "exact at each file's zero", "assumption: the clocks drift from there"))
    return tuple(rows)


def _file_row(wave: Waveform, offset_s: float) -> FileRow:
    step = wave.grid.dt_s if wave.grid is not None else None
    return FileRow(wave.file, wave.channel, wave.dialect, wave.count, step, offset_s, wave.notes)


def _picture(sources: list[Source], drawn: Envelope, limits: _Thresholds) -> Picture:
    def rows(spans: Intervals) -> tuple[tuple[float, float], ...]:
        return tuple((a / 1e9, b / 1e9) for a, b in spans)

    tracks = tuple(Track(s.name, rows(s.up), rows(s.down), rows(s.seen)) for s in sources)
    highest = float(drawn.columns[:, 2].max()) if len(drawn.columns) else limits.up_v
    return Picture(tracks, drawn, limits.down_v, limits.up_v, highest)


def _envelope(wave: Waveform, seen: Survey, offset_s: float) -> Envelope:
    columns = [(_instant_s(wave, first) + offset_s, low, high) for first, low, high in seen.columns]
    return Envelope(wave.channel, np.array(columns, np.float64).reshape(-1, 3))
