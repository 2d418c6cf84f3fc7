"""The SCPI face of a Rigol DS1104Z oscilloscope in the twin: a single deep capture of one node, in the time it takes.

Knows the commands of the MSO1000Z/DS1000Z Programming Guide that a bench uses, the trigger's states, and the memory's
coding. Has no physics: volts come from the `RailProbe`, and only when a record is read. Free running and the screen's
waveform (`:WAV:MODE NORM`) are states here, without data. A capture that `:STOP` cut short leaves no record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rig.clock.base import NS, to_ns
from rig.twin.noise import triangular
from rig.twin.ports import Cancellable, RailProbe, Timeline
from rig.twin.scpi import Call, ScpiError, ScpiFace, block

DIVISIONS = 12
CODES_PER_DIVISION = 25
REFERENCE_CODE = 127
LONGEST_READ = 250_000
DEPTHS = (12_000, 120_000, 1_200_000, 12_000_000)
DEPTH_OPTION = 24_000_000


def _steps(low: int, high: int) -> tuple[float, ...]:
    return tuple(float(f"{digit}e{power}") for power in range(low, high + 1) for digit in (1, 2, 5))


TIME_SCALES = tuple(s for s in _steps(-9, 1) if 5e-9 <= s <= 50.0)
VOLT_SCALES = tuple(s for s in _steps(-3, 1) if s <= 10.0)


@dataclass(frozen=True)
class Imperfections:
    """What this instrument does wrong, besides its noise: within the model's limits unless a fault wants otherwise."""

    gain_error: float = 0.0
    offset_v: float = 0.0
    time_base_ppm: float = 0.0


@dataclass
class _Channel:
    display: str = "0"
    coupling: str = "DC"
    invert: str = "0"
    vernier: str = "0"
    bandwidth: str = "OFF"
    unit: str = "VOLT"
    probe: float = 10.0
    scale: float = 1.0
    offset: float = 0.0


@dataclass
class _Settings:
    """What the front panel would show. Times in seconds, volts at the probe's tip."""

    acquire: str = "NORM"
    depth: int = 0  # 0: automatic
    time_mode: str = "MAIN"
    delayed: str = "0"
    time_scale: float = 1e-6
    time_offset: float = 0.0
    trigger: str = "EDGE"
    source: str = "CHAN1"
    slope: str = "POS"
    level: float = 0.0
    trigger_coupling: str = "DC"
    sweep: str = "AUTO"
    wave_source: str = "CHAN1"
    wave_mode: str = "NORM"
    wave_format: str = "BYTE"
    wave_start: int = 1
    wave_stop: int = 1200


@dataclass(frozen=True)
class _Record:
    """One acquisition as set up: sample i is at `trigger_ns + i * window_ns / depth - pre_ns` by its own clock."""

    channel: int
    depth: int
    window_ns: int
    pre_ns: int
    volts_per_code: float
    zero_code: int
    trigger_ns: int | None = None
    complete: bool = False


class TwinDS1000Z(ScpiFace):
    """A DS1104Z whose channel `channel` sees `probe`; the other inputs are open (0 V). Give `handle` to a `LineServer`.

    States of `:TRIG:STAT?`: RUN while the pre-trigger fills (blind), WAIT, TD until the window is over, STOP, and AUTO
    when it runs freely. `stuck_state` makes it say the same for ever. `deep_memory` is the 24 Mpts option.
    """

    def __init__(
        self,
        timeline: Timeline,
        probe: RailProbe,
        seed: int,
        noise_v: float,
        serial: str = "DS1ZA200100001",
        channel: int = 1,
        deep_memory: bool = False,
        imperfections: Imperfections | None = None,
    ) -> None:
        super().__init__("RIGOL TECHNOLOGIES", "DS1104Z", serial, "00.04.05.SP2")
        self.stuck_state: str | None = None
        self._timeline = timeline
        self._probe = probe
        self._seed = seed
        self._wired = channel
        self._depths = (*DEPTHS, DEPTH_OPTION) if deep_memory else DEPTHS
        self._noise_v = noise_v
        self._flaws = imperfections or Imperfections()
        self._pending: list[Cancellable] = []
        self._record: _Record | None = None
        self._state = "AUTO"
        self.reset()
        self._add_channels()
        self._add_times()
        self._add_trigger()
        self._add_waveform()

    def reset(self) -> None:
        """`*RST`: channel 1 shown, running freely."""
        self._cancel()
        self._set = _Settings()
        self._channels = {n: _Channel("1" if n == 1 else "0") for n in (1, 2, 3, 4)}
        self._state = "AUTO"
        self._record = None

    # -- settings -------------------------------------------------------------------------------------------------

    def _add_channels(self) -> None:
        def words(header: str, field: str, *forms: str) -> None:
            self.on(
                f":CHANnel<n>:{header}",
                set=lambda call: setattr(self._channel(call), field, _word(call, forms)),
                get=lambda call: str(getattr(self._channel(call), field)),
            )

        words("DISPlay", "display")
        words("INVert", "invert")
        words("VERNier", "vernier")
        words("COUPling", "coupling", "AC", "DC", "GND")
        words("BWLimit", "bandwidth", "20M", "OFF")
        words("UNITs", "unit", "VOLTage", "WATT", "AMPere", "UNKNown")
        self.on(":CHANnel<n>:PROBe", set=self._set_probe, get=lambda call: f"{self._channel(call).probe:g}")
        self.on(":CHANnel<n>:SCALe", set=self._set_scale, get=lambda call: f"{self._channel(call).scale:.6e}")
        self.on(":CHANnel<n>:OFFSet", set=self._set_offset, get=lambda call: f"{self._channel(call).offset:.6e}")

    def _add_word(self, header: str, field: str, *forms: str) -> None:
        self.on(
            header,
            set=lambda call: setattr(self._set, field, _word(call, forms)),
            get=lambda _: str(getattr(self._set, field)),
        )

    def _add_times(self) -> None:
        self._add_word(":ACQuire:TYPE", "acquire", "NORMal", "AVERages", "PEAK", "HRESolution")
        self._add_word(":TIMebase:MODE", "time_mode", "MAIN", "XY", "ROLL")
        self._add_word(":TIMebase:DELay:ENABle", "delayed")
        self.on(":ACQuire:MDEPth", set=self._set_depth, get=lambda _: str(self._set.depth or "AUTO"))
        self.on(":ACQuire:SRATe", get=lambda _: f"{(self._set.depth or 12_000) / self._window_s():.6e}")
        self.on(":TIMebase[:MAIN]:SCALe", set=self._set_time_scale, get=lambda _: f"{self._set.time_scale:.6e}")
        self.on(":TIMebase[:MAIN]:OFFSet", set=self._set_time_offset, get=lambda _: f"{self._set.time_offset:.6e}")
        self.on(":RUN", set=lambda _: self._run())
        self.on(":STOP", set=lambda _: self._stop())
        self.on(":SINGle", set=lambda _: self._single())

    def _add_trigger(self) -> None:
        channels = ("CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4")
        self._add_word(":TRIGger:MODE", "trigger", "EDGE")
        self._add_word(":TRIGger:EDGe:SOURce", "source", *channels)
        self._add_word(":TRIGger:EDGe:SLOPe", "slope", "POSitive", "NEGative", "RFALl")
        self._add_word(":TRIGger:COUPling", "trigger_coupling", "AC", "DC", "LFReject", "HFReject")
        self._add_word(":TRIGger:SWEep", "sweep", "AUTO", "NORMal", "SINGle")
        self._add_word(":WAVeform:SOURce", "wave_source", *channels)
        self._add_word(":WAVeform:MODE", "wave_mode", "NORMal", "MAXimum", "RAW")
        self._add_word(":WAVeform:FORMat", "wave_format", "WORD", "BYTE", "ASCii")
        self.on(":TRIGger:EDGe:LEVel", set=self._set_level, get=lambda _: f"{self._set.level:.6e}")
        self.on(":TRIGger:STATus", get=lambda _: self.stuck_state or self._state)
        self.on(":TRIGger:POSition", get=lambda _: self._position())
        self.on(":TFORce", set=lambda _: self._force())

    def _add_waveform(self) -> None:
        for header, field in ((":WAVeform:STARt", "wave_start"), (":WAVeform:STOP", "wave_stop")):
            self._add_point(header, field)
        self.on(":WAVeform:PREamble", get=lambda _: self._preamble())
        self.on(":WAVeform:DATA", get=lambda _: self._data())

    def _add_point(self, header: str, field: str) -> None:
        self.on(
            header,
            set=lambda call: setattr(self._set, field, int(call.number(0, 1, self._depths[-1]))),
            get=lambda _: str(getattr(self._set, field)),
        )

    def _channel(self, call: Call) -> _Channel:
        if call.suffixes[0] not in self._channels:
            raise ScpiError(-114, "Header suffix out of range")
        return self._channels[call.suffixes[0]]

    def _set_probe(self, call: Call) -> None:
        channel = self._channel(call)
        ratio = call.number(0, 0.01, 1000.0)
        channel.scale, channel.offset = channel.scale * ratio / channel.probe, channel.offset * ratio / channel.probe
        channel.probe = ratio

    def _set_scale(self, call: Call) -> None:
        channel = self._channel(call)
        channel.scale = _nearest(call, tuple(s * channel.probe for s in VOLT_SCALES))

    def _set_offset(self, call: Call) -> None:
        channel = self._channel(call)
        reach = channel.probe * (100.0 if channel.scale / channel.probe >= 0.4999 else 2.0)
        channel.offset = call.number(0, -reach, reach)

    def _set_time_scale(self, call: Call) -> None:
        self._set.time_scale = _nearest(call, TIME_SCALES)

    def _set_time_offset(self, call: Call) -> None:
        window = self._window_s()
        self._set.time_offset = call.number(0, -window, max(1.0, 10 * window))

    def _set_depth(self, call: Call) -> None:
        """Only while it runs, and these depths only with one channel shown."""
        if self._state == "STOP":
            raise ScpiError(-221, "Settings conflict")
        if call.word(0) == "AUTO":
            self._set.depth = 0
            return
        depth = int(call.number(0, 1, self._depths[-1]))
        if depth not in self._depths or [c.display for c in self._channels.values()].count("1") != 1:
            raise ScpiError(-222, "Data out of range")
        self._set.depth = depth

    def _set_level(self, call: Call) -> None:
        channel = self._channels[int(self._set.source[-1])]
        self._set.level = call.number(0, -5 * channel.scale - channel.offset, 5 * channel.scale - channel.offset)

    def _window_s(self) -> float:
        return DIVISIONS * self._set.time_scale

    # -- the acquisition ------------------------------------------------------------------------------------------

    def _cancel(self) -> None:
        pending, self._pending = self._pending, []
        for handle in pending:
            handle.cancel()

    def _run(self) -> None:
        if self._set.sweep == "SING":
            self._single()
        else:
            self._cancel()
            self._record = None
            self._state = "AUTO" if self._set.sweep == "AUTO" else "WAIT"

    def _stop(self) -> None:
        self._cancel()
        if self._state != "STOP" and not (self._record and self._record.complete):
            self._record = None
        self._state = "STOP"

    def _single(self) -> None:
        """Arm: fill the pre-trigger, then look for the trigger."""
        self._cancel()
        s = self._set
        s.sweep = "SING"
        number = int(s.source[-1])
        channel = self._channels[number]
        per_code = channel.scale / CODES_PER_DIVISION
        window_s = self._window_s()
        self._record = _Record(
            channel=number,
            depth=s.depth or DEPTHS[0],
            window_ns=to_ns(window_s),
            pre_ns=to_ns(window_s / 2 - s.time_offset),
            volts_per_code=per_code,
            zero_code=REFERENCE_CODE + round(channel.offset / per_code),
        )
        self._state = "RUN"
        self._later(self._timeline.now() + max(0, self._own(self._record.pre_ns)), self._look)

    def _look(self) -> None:
        self._state = "WAIT"
        if self._set.slope in ("NEG", "RFAL") and int(self._set.source[-1]) == self._wired:
            self._pending.append(self._probe.on_fall(self._set.level, self._triggered))

    def _triggered(self, at_ns: int) -> None:
        record = self._record
        if self._state != "WAIT" or record is None:
            return
        self._cancel()
        self._record = replace(record, trigger_ns=at_ns)
        self._state = "TD"
        self._later(at_ns + self._own(record.window_ns - record.pre_ns), self._finished)

    def _force(self) -> None:
        self._triggered(self._timeline.now())

    def _finished(self) -> None:
        assert self._record is not None  # noqa: S101 - scheduled by the trigger, cancelled with the record
        self._record = replace(self._record, complete=True)
        self._state = "STOP"

    def _later(self, at_ns: int, fn: Callable[[], None]) -> None:
        self._pending.append(self._timeline.schedule(at_ns, fn))

    def _own(self, length_ns: int) -> int:
        """How long that really is, when this instrument's time base says `length_ns`."""
        return round(length_ns * (1 + self._flaws.time_base_ppm * 1e-6))

    # -- the record -----------------------------------------------------------------------------------------------

    def _finished_record(self) -> _Record | None:
        record = self._record
        return record if record is not None and record.complete and self._state == "STOP" else None

    def _position(self) -> str:
        record = self._finished_record()
        return "-2" if record is None else str(round(record.pre_ns * record.depth / record.window_ns))

    def _preamble(self) -> str:
        """Ten fields (guide, page 2-226); what the next record would have when there is none."""
        s = self._set
        forms = ("BYTE", "WORD", "ASC").index(s.wave_format), ("NORM", "MAX", "RAW").index(s.wave_mode)
        channel = self._channels[int(s.wave_source[-1])]
        per_code = channel.scale / CODES_PER_DIVISION
        depth, window_s, first_s = s.depth or DEPTHS[0], self._window_s(), s.time_offset - self._window_s() / 2
        zero = REFERENCE_CODE + round(channel.offset / per_code)
        if (record := self._finished_record()) is not None:
            depth, window_s, first_s = record.depth, record.window_ns / NS, -record.pre_ns / NS
            per_code, zero = record.volts_per_code, record.zero_code
        return (
            f"{forms[0]},{forms[1]},{depth},1,{window_s / depth:.6e},{first_s:.6e},0,"
            f"{per_code:.6e},{zero - REFERENCE_CODE},{REFERENCE_CODE}"
        )

    def _data(self) -> bytes:
        """Codes of the points asked for; an empty block, and why in the error queue, where there is no such record."""
        record, first, last = self._finished_record(), self._set.wave_start, self._set.wave_stop
        if record is None or self._set.wave_mode != "RAW" or self._set.wave_format != "BYTE":
            self.error(-230, "Data corrupt or stale")
            return block(b"")
        if not first <= last <= record.depth or last - first + 1 > LONGEST_READ:
            self.error(-222, "Data out of range")
            return block(b"")
        return block(self._codes(record, first - 1, last).tobytes())

    def _codes(self, record: _Record, begin: int, end: int) -> npt.NDArray[np.uint8]:
        """Samples [begin, end) as the ADC gives them. Before the model's history there are no volts: code 0."""
        assert record.trigger_ns is not None  # noqa: S101 - a finished record was triggered
        rate = 1 + self._flaws.time_base_ppm * 1e-6
        offsets = np.arange(begin, end, dtype=np.float64)
        offsets *= record.window_ns / record.depth * rate
        offsets -= record.pre_ns * rate
        at_ns = np.rint(offsets, out=offsets).astype(np.int64)
        at_ns += record.trigger_ns
        if int(self._set.wave_source[-1]) == self._wired:
            volts = self._probe.volts(at_ns) * (1 + self._flaws.gain_error)
            volts += self._flaws.offset_v
        else:
            volts = np.zeros(len(at_ns))
        if self._noise_v:
            volts += triangular(self._seed, record.channel, at_ns) * self._noise_v
        volts /= record.volts_per_code
        volts += record.zero_code
        if np.isnan(volts[0]):  # the first samples are from before the model's history
            np.nan_to_num(volts, copy=False, nan=0.0)
        np.rint(volts, out=volts)
        np.clip(volts, 0, 255, out=volts)
        return volts.astype(np.uint8)


def _word(call: Call, forms: tuple[str, ...]) -> str:
    """One of the forms in short, or a boolean as 1 or 0 where there are none."""
    return call.choice(0, *forms) if forms else str(int(call.boolean(0)))


def _nearest(call: Call, steps: tuple[float, ...]) -> float:
    """The step that was named; -222 for a value between two."""
    value = call.number(0, steps[0] * 0.999, steps[-1] * 1.001)
    best = min(steps, key=lambda step: abs(step - value))
    if abs(best - value) > 1e-6 * best:
        raise ScpiError(-222, "Data out of range")
    return best
