"""The face of a Siglent SDS1104X-E in the twin, in the old dialect: single captures in the time they take.

Knows the commands of the Siglent Digital Oscilloscopes Programming Guide (PG01-E02) that a bench and common programs
use: headers in replies (`CHDR`), numbers with their units, the internal state register, WAVEDESC. As the real one it
has no error queue: what it does not understand, it passes over. Has no physics.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rig.clock.base import NS, to_ns
from rig.instruments.scopes.screen import steps
from rig.twin.ports import RailProbe, Timeline
from rig.twin.scopes.acquisition import Acquiring, Coding, Imperfections, Record
from rig.twin.scopes.scope_face import Channel, TwinScope, nearest
from rig.twin.scpi import Call, Get, ScpiError

DIVISIONS = 14
CODES_PER_DIVISION = 25
FASTEST = 1e9
TIME_SCALES = steps(1e-9, 100.0)
VOLT_SCALES = steps(5e-4, 10.0)
_SIZES = {"K": 1e3, "M": 1e6}
ALONE = ("14K", "140K", "1.4M", "14M")
PAIRED = ("7K", "70K", "700K", "7M")
"""Depths with one channel of a pair shown, and with both."""

_READY = 1 << 13
_UNITS = {"V": 1.0, "MV": 1e-3, "UV": 1e-6, "S": 1.0, "MS": 1e-3, "US": 1e-6, "NS": 1e-9}
_WORDS = {
    Acquiring.FREE: "Auto",
    Acquiring.SEEKING: "Ready",
    Acquiring.FILLING: "Arm",
    Acquiring.WAITING: "Ready",
    Acquiring.TRIGGERED: "Trig'd",
    Acquiring.STOPPED: "Stop",
}


@dataclass
class _Channel(Channel):
    shown: str = "OFF"
    coupling: str = "D1M"
    invert: str = "OFF"
    unit: str = "V"
    bandwidth: str = "OFF"
    level: float = 0.0
    slope: str = "POS"
    trigger_coupling: str = "DC"


@dataclass
class _Settings:
    """What the front panel would show. Times in seconds, volts at the probe's tip."""

    headers: str = "SHORT"
    acquire: str = "SAMPLING"
    size: str = "14K"
    time_scale: float = 1e-4
    delay: float = 0.0
    trigger: str = "EDGE,SR,C1,HT,OFF"
    mode: str = "AUTO"
    sparsing: int = 1
    count: int = 0
    first: int = 0


class TwinSDS1000XE(TwinScope[_Channel]):
    """An SDS1104X-E, running freely until it is told otherwise."""

    _set: _Settings

    def __init__(
        self,
        timeline: Timeline,
        probe: RailProbe,
        seed: int,
        noise_v: float,
        serial: str = "SDSMMTWIN1",
        channel: int = 1,
        imperfections: Imperfections | None = None,
    ) -> None:
        who = ("Siglent Technologies", "SDS1104X-E", serial, "8.2.6.1.37R2")
        super().__init__(who, timeline, probe, seed, noise_v, channel, imperfections)
        self._told: Record | None = None
        self.reset()
        self._add_channels()
        self._add_times()
        self._add_trigger()
        self._add_waveform()

    def reset(self) -> None:
        """`*RST`: channel 1 shown, running freely."""
        self._set = _Settings()
        self._channels = {n: _Channel(shown="ON" if n == 1 else "OFF") for n in (1, 2, 3, 4)}
        self._acquisition.free(by_itself=True)

    # -- how it answers -------------------------------------------------------------------------------------------

    def _on(self, headers: str, set_: Callable[[Call], None] | None, get: Get | None, unit: str = "") -> None:
        """A command under its short and its long header (`C<n>:VDIV C<n>:VOLT_DIV`), with that in its reply."""
        for header in headers.split():
            self.on(header, set=set_, get=None if get is None else self._answering(headers.split(), get, unit))

    def _answering(self, headers: list[str], get: Get, unit: str) -> Get:
        def answer(call: Call) -> str | bytes:
            value = get(call)
            form = self._set.headers
            if form == "OFF" or isinstance(value, bytes):
                return value
            header = headers[0 if form == "SHORT" else -1]
            return f"{header.replace('<n>', str(call.suffixes[0]) if call.suffixes else '')} {value}{unit}"

        return answer

    def _on_choice(self, headers: str, of: Callable[[Call], object], field: str, *words: str) -> None:
        def put(call: Call) -> None:
            setattr(of(call), field, _one_of(call.word(0), words))

        self._on(headers, put, lambda call: str(getattr(of(call), field)))

    # -- settings -------------------------------------------------------------------------------------------------

    def _add_channels(self) -> None:
        chan = self._channel
        self._on_choice("C<n>:TRA C<n>:TRACE", chan, "shown", "ON", "OFF")
        self._on_choice("C<n>:CPL C<n>:COUPLING", chan, "coupling", "D1M", "A1M", "GND")
        self._on_choice("C<n>:INVS C<n>:INVERT_SET", chan, "invert", "ON", "OFF")
        self._on_choice("C<n>:UNIT", chan, "unit", "V", "A")
        self._on_choice("C<n>:TRSL C<n>:TRIG_SLOPE", chan, "slope", "NEG", "POS", "WINDOW")
        self._on_choice("C<n>:TRCP C<n>:TRIG_COUPLING", chan, "trigger_coupling", "AC", "DC", "HFREJ", "LFREJ")
        self._on("C<n>:BWL", None, lambda call: chan(call).bandwidth)
        self.on("BWL", set=self._set_bandwidth)
        self._on("C<n>:ATTN C<n>:ATTENUATION", self._set_probe, lambda call: f"{chan(call).probe:g}")
        self._on("C<n>:VDIV C<n>:VOLT_DIV", self._set_scale, lambda call: f"{chan(call).scale:.2E}", "V")
        self._on("C<n>:OFST C<n>:OFFSET", self._set_offset, lambda call: f"{chan(call).offset:.2E}", "V")
        self._on("C<n>:TRLV C<n>:TRIG_LEVEL", self._set_level, lambda call: f"{chan(call).level:.2E}", "V")

    def _add_times(self) -> None:
        settings = self._settings
        self._on_choice("CHDR COMM_HEADER", settings, "headers", "SHORT", "LONG", "OFF")
        self._on_choice("ACQW ACQUIRE_WAY", settings, "acquire", "SAMPLING", "PEAK_DETECT", "HIGH_RES")
        self._on("TDIV TIME_DIV", self._set_time_scale, lambda _: f"{self._set.time_scale:.2E}", "S")
        self._on("TRDL TRIG_DELAY", self._set_delay, lambda _: f"{self._set.delay:.2E}", "S")
        self._on("MSIZ MEMORY_SIZE", self._set_size, lambda _: self._set.size)
        self._on("SARA SAMPLE_RATE", None, lambda _: f"{self._points() / self._window_s():.2E}", "Sa/s")
        self._on("SANU SAMPLE_NUM", None, lambda _: f"{self._points():.2E}", "pts")

    def _add_trigger(self) -> None:
        self._on("TRSE TRIG_SELECT", self._set_trigger, lambda _: self._set.trigger)
        self._on("TRMD TRIG_MODE", self._set_mode, lambda _: self._mode())
        self._on("SAST SAMPLE_STATUS", None, lambda _: _WORDS[self._shown()])
        self._on("INR", None, lambda _: str(self._events()))
        self.on("ARM", set=lambda _: self._arm())
        self.on("STOP", set=lambda _: self._acquisition.stop(self._next_record()))
        self.on("FRTR", set=lambda _: self._acquisition.force())

    def _add_waveform(self) -> None:
        self._on(
            "WFSU WAVEFORM_SETUP",
            self._set_waveform,
            lambda _: f"SP,{self._set.sparsing},NP,{self._set.count},FP,{self._set.first}",
        )
        self._on("DI:SW", None, lambda _: "OFF")  # it has no digital channels
        self.on("C<n>:WF", get=self._waveform)
        self.on("C<n>:WAVEFORM", get=self._waveform)

    def _settings(self, call: Call) -> _Settings:
        del call
        return self._set

    def _set_bandwidth(self, call: Call) -> None:
        for name, state in zip(call.args[::2], call.args[1::2], strict=False):
            number = int(_one_of(name.upper(), ("C1", "C2", "C3", "C4"))[1])
            self._channels[number].bandwidth = _one_of(state.upper(), ("ON", "OFF"))

    def _set_scale(self, call: Call) -> None:
        channel = self._channel(call)
        channel.scale = nearest(_plain(call), tuple(s * channel.probe for s in VOLT_SCALES))

    def _set_offset(self, call: Call) -> None:
        channel = self._channel(call)
        at_input = channel.scale / channel.probe
        reach = channel.probe * (2.0 if at_input < 0.119 else 20.0 if at_input < 1.19 else 200.0)
        channel.offset = _plain(call).number(0, -reach, reach)

    def _set_level(self, call: Call) -> None:
        channel = self._channel(call)
        lowest, highest = -4.5 * channel.scale - channel.offset, 4.5 * channel.scale - channel.offset
        channel.level = _plain(call).number(0, lowest, highest)

    def _set_time_scale(self, call: Call) -> None:
        self._set.time_scale = nearest(_plain(call), TIME_SCALES)

    def _set_delay(self, call: Call) -> None:
        self._set.delay = _plain(call).number(0, -self._window_s() / 2, 100 * self._window_s())

    def _set_size(self, call: Call) -> None:
        """Only while it runs."""
        shown = [channel.shown == "ON" for channel in self._channels.values()]
        paired = (shown[0] and shown[1]) or (shown[2] and shown[3])
        size = _one_of(call.word(0), PAIRED if paired else ALONE)
        if self._acquisition.state in (Acquiring.FREE, Acquiring.SEEKING):
            self._set.size = size

    def _set_trigger(self, call: Call) -> None:
        if len(call.args) < 3 or call.word(0) != "EDGE" or call.word(1) != "SR":
            raise ScpiError(-224, "Illegal parameter value")
        source = _one_of(call.word(2), ("C1", "C2", "C3", "C4"))
        self._set.trigger = f"EDGE,SR,{source},HT,OFF"

    def _set_waveform(self, call: Call) -> None:
        for name, text in zip(call.args[::2], call.args[1::2], strict=False):
            field = {"SP": "sparsing", "NP": "count", "FP": "first"}[_one_of(name.upper(), ("SP", "NP", "FP"))]
            setattr(self._set, field, int(Call((), (text,)).number(0, 0, 14_000_000)))

    def _window_s(self) -> float:
        return DIVISIONS * self._set.time_scale

    def _points(self) -> int:
        depth = float(self._set.size[:-1]) * _SIZES[self._set.size[-1]]
        return round(min(depth, FASTEST * self._window_s()))

    # -- the acquisition ------------------------------------------------------------------------------------------

    def _set_mode(self, call: Call) -> None:
        self._set.mode = _one_of(call.word(0), ("AUTO", "NORM", "SINGLE", "STOP"))
        if self._set.mode == "STOP":
            self._acquisition.stop(self._next_record())
        else:
            self._arm()

    def _mode(self) -> str:
        return "STOP" if self._acquisition.state is Acquiring.STOPPED else self._set.mode

    def _arm(self) -> None:
        """Start in the mode that is set; one that was stopped is armed for one acquisition."""
        if self._set.mode in ("AUTO", "NORM"):
            self._acquisition.free(by_itself=self._set.mode == "AUTO")
            return
        record = self._next_record()
        channel = self._channels[record.channel]
        self._acquisition.single(record, channel.level if channel.slope == "NEG" else None)

    def _next_record(self) -> Record:
        """What the next acquisition of the trigger's channel is by the settings."""
        number, window_s = int(self._set.trigger.split(",")[2][1]), self._window_s()
        channel = self._channels[number]
        per_code = channel.scale / CODES_PER_DIVISION
        coding = Coding(per_code, channel.offset / per_code, -128, 127)
        return Record(number, self._points(), to_ns(window_s), to_ns(window_s / 2 - self._set.delay), coding)

    def _events(self) -> int:
        """The internal state change register: what happened since it was last asked."""
        state, record = self._shown(), self._acquisition.finished
        if state is Acquiring.FREE:
            return 1 | _READY
        if state in (Acquiring.WAITING, Acquiring.SEEKING):
            return _READY
        new = state is Acquiring.STOPPED and record is not None and record is not self._told
        self._told = record
        return int(new)

    # -- the record -----------------------------------------------------------------------------------------------

    def _waveform(self, call: Call) -> bytes:
        """`DAT2` the points, `DESC` what they mean, `ALL` both; nothing, where there is no such record."""
        self._channel(call)
        kind = _one_of(call.word(0), ("DAT2", "DESC", "ALL"))
        record = self._acquisition.seen_last(self._next_record())
        if record is None:
            return self._block(kind, b"")
        step, first = max(1, self._set.sparsing), self._set.first
        count = max(0, math.ceil((record.points - first) / step))
        count = min(self._set.count, count) if self._set.count else count
        data = b"" if kind == "DESC" else self._codes(record, first, count, step, call.suffixes[0])
        desc = b"" if kind == "DAT2" else self._description(record, count)
        return self._block(kind, desc + data)

    def _codes(self, record: Record, first: int, count: int, step: int, shown: int) -> bytes:
        thin = replace(record, points=math.ceil(record.points / step)) if step > 1 else record
        codes = self._acquisition.codes(thin, first // step, first // step + count, shown)
        return codes.astype(np.int8).tobytes()

    def _block(self, kind: str, data: bytes) -> bytes:
        before = {"OFF": "", "SHORT": "C1:WF ", "LONG": "C1:WAVEFORM "}[self._set.headers]
        return f"{before}{kind},#9{len(data):09d}".encode("ascii") + data + b"\n"

    def _description(self, record: Record, count: int) -> bytes:
        out, coding = bytearray(346), record.coding
        out[:8] = b"WAVEDESC"
        for at, form, value in (
            (36, "<i", 346),
            (60, "<i", count),
            (116, "<i", record.points),
            (156, "<f", coding.volts_per_code * CODES_PER_DIVISION),
            (160, "<f", coding.zero_code * coding.volts_per_code),
            (176, "<f", record.window_ns / NS / record.points),
            (180, "<d", (record.window_ns / 2 - record.pre_ns) / NS),
        ):
            struct.pack_into(form, out, at, value)
        return bytes(out)


def _one_of(word: str, words: tuple[str, ...]) -> str:
    if word not in words:
        raise ScpiError(-224, "Illegal parameter value")
    return word


def _plain(call: Call) -> Call:
    """The same call, its first argument without a unit (`2.00E+00V`, `500MS`)."""
    text = call.word(0)
    unit = text.lstrip("+-.0123456789")
    if unit.startswith("E") and unit[1:2] in ("+", "-", "0", "1"):
        unit = unit[1:].lstrip("+-0123456789")
    try:
        value = float(text[: len(text) - len(unit)]) * _UNITS.get(unit, 1.0)
    except ValueError:
        raise ScpiError(-104, "Data type error") from None
    return replace(call, args=(repr(value), *call.args[1:]))
