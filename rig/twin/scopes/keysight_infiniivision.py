"""The SCPI face of a Keysight DSO-X 3024T in the twin: single captures in the time they take, and what is on screen.

Knows the commands of the InfiniiVision 3000 X-Series Programmer's Guide that a bench and common programs use, the
status registers, and the memory's coding. Has no physics. `:DIGitize` of one that triggers by itself gives the window
that has just passed. With peak detect it sends the least and the greatest in turn. Segmented memory is not simulated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rig.clock.base import NS, to_ns
from rig.instruments.scopes.screen import steps
from rig.twin.ports import RailProbe, Timeline
from rig.twin.scopes.acquisition import Acquiring, Coding, Imperfections, Record
from rig.twin.scopes.scope_face import Channel, TwinScope, nearest
from rig.twin.scpi import Call

DIVISIONS = 10
CODES_PER_DIVISION = 32
REFERENCE_CODE = 128
MEMORY = 4_000_000
"""Points of a single acquisition; one that runs has half."""
SCREEN_POINTS = 62_500
FASTEST = 5e9
TIME_SCALES = steps(2e-9, 50.0)
VOLT_SCALES = steps(1e-3, 5.0)

_RUN, _WAIT = 8, 32
_CHANNELS = ("CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4")
_FORMATS = {"BYTE": 0, "WORD": 1, "ASC": 4}
_FIELDS = ("XINCrement", "XORigin", "XREFerence", "YINCrement", "YORigin", "YREFerence")
_WORD = 256
"""A code in WORD format is this many times that of a byte."""
PEAK_FROM_S = 500e-6
"""Peak detect acts at this time base and slower ones."""


@dataclass
class _Channel(Channel):
    display: str = "0"
    coupling: str = "DC"
    invert: str = "0"
    vernier: str = "0"
    bandwidth: str = "0"
    unit: str = "VOLT"
    impedance: str = "ONEM"


@dataclass
class _Settings:
    """What the front panel would show. Times in seconds, volts at the probe's tip."""

    acquire: str = "NORM"
    mode: str = "RTIM"
    time_mode: str = "MAIN"
    reference: str = "CENT"
    time_scale: float = 1e-4
    position: float = 0.0
    trigger: str = "EDGE"
    sweep: str = "AUTO"
    source: str = "CHAN1"
    slope: str = "POS"
    coupling: str = "DC"
    reject: str = "OFF"
    level: float = 0.0
    wave_source: str = "CHAN1"
    wave_mode: str = "NORM"
    wave_format: str = "BYTE"
    wave_unsigned: str = "1"
    wave_order: str = "MSBF"
    wave_points: int = SCREEN_POINTS


class TwinInfiniiVision(TwinScope[_Channel]):
    """A DSO-X 3024T, running freely until it is told otherwise."""

    _set: _Settings

    def __init__(
        self,
        timeline: Timeline,
        probe: RailProbe,
        seed: int,
        noise_v: float,
        serial: str = "MY10000001",
        channel: int = 1,
        imperfections: Imperfections | None = None,
        memory: int = MEMORY,
    ) -> None:
        who = ("KEYSIGHT TECHNOLOGIES", "DSO-X 3024T", serial, "07.50.2021102830")
        super().__init__(who, timeline, probe, seed, noise_v, channel, imperfections)
        self.no_error = '+0,"No error"'
        self._memory = memory
        self._triggered = False
        self._measured = 1
        self._acquisition.on_trigger = self._note_trigger
        self.reset()
        self._add_channels()
        self._add_times()
        self._add_trigger()
        self._add_waveform()
        self._add_measurements()

    def reset(self) -> None:
        """`*RST`: channel 1 shown, running freely."""
        self._set = _Settings()
        self._channels = {n: _Channel(display="1" if n == 1 else "0") for n in (1, 2, 3, 4)}
        self._acquisition.free(by_itself=True)

    def clear(self) -> None:
        """`*CLS` also clears the trigger event."""
        super().clear()
        self._triggered = False

    # -- settings -------------------------------------------------------------------------------------------------

    def _add_channels(self) -> None:
        for header, field, forms in (
            ("DISPlay", "display", ()),
            ("INVert", "invert", ()),
            ("VERNier", "vernier", ()),
            ("BWLimit", "bandwidth", ()),
            ("COUPling", "coupling", ("AC", "DC")),
            ("IMPedance", "impedance", ("ONEMeg", "FIFTy")),
            ("UNITs", "unit", ("VOLT", "AMPere")),
        ):
            self._on_word(f":CHANnel<n>:{header}", self._channel, field, *forms)
        self.on(":CHANnel<n>:PROBe", set=self._set_probe, get=lambda call: f"{self._channel(call).probe:+.8E}")
        self.on(":CHANnel<n>:SCALe", set=self._set_scale, get=lambda call: f"{self._channel(call).scale:+.2E}")
        self.on(":CHANnel<n>:OFFSet", set=self._set_offset, get=lambda call: f"{self._channel(call).offset:+.5E}")
        self.on(
            ":CHANnel<n>:RANGe",
            set=lambda call: self._set_scale(Call(call.suffixes, (str(call.number(0, 0.0, 1e5) / 8),))),
            get=lambda call: f"{self._channel(call).scale * 8:+.2E}",
        )

    def _add_times(self) -> None:
        self._add_word(":ACQuire:TYPE", "acquire", "NORMal", "AVERage", "HRESolution", "PEAK")
        self._add_word(":ACQuire:MODE", "mode", "RTIMe")
        self._add_word(":TIMebase:MODE", "time_mode", "MAIN", "WINDow", "XY", "ROLL")
        self._add_word(":TIMebase:REFerence", "reference", "CENTer")
        self.on(":ACQuire:SRATe", get=lambda _: f"{self._rate():+.6E}")
        self.on(":ACQuire:POINts", get=lambda _: f"{round(self._rate() * self._window_s()):+d}")
        self.on(":TIMebase:SCALe", set=self._set_time_scale, get=lambda _: f"{self._set.time_scale:+.3E}")
        self.on(
            ":TIMebase:RANGe",
            set=lambda call: self._set_time_scale(Call((), (str(call.number(0, 0.0, 1e4) / DIVISIONS),))),
            get=lambda _: f"{self._window_s():+.3E}",
        )
        self.on(":TIMebase:POSition", set=self._set_position, get=lambda _: f"{self._set.position:+.8E}")
        self.on(":RUN", set=lambda _: self._acquisition.free(by_itself=self._set.sweep == "AUTO"))
        self.on(":STOP", set=lambda _: self._acquisition.stop(self._next_record(self._memory // 2)))
        self.on(":SINGle", set=lambda _: self._single())
        self.on(":DIGitize", set=lambda _: self._digitize())

    def _add_trigger(self) -> None:
        self._add_word(":TRIGger:MODE", "trigger", "EDGE")
        self._add_word(":TRIGger:SWEep", "sweep", "AUTO", "NORMal")
        self._add_word(":TRIGger[:EDGE]:SOURce", "source", *_CHANNELS)
        self._add_word(":TRIGger[:EDGE]:SLOPe", "slope", "POSitive", "NEGative", "EITHer")
        self._add_word(":TRIGger[:EDGE]:COUPling", "coupling", "AC", "DC", "LFReject")
        self._add_word(":TRIGger[:EDGE]:REJect", "reject", "OFF", "LFReject", "HFReject")
        self.on(":TRIGger[:EDGE]:LEVel", set=self._set_level, get=lambda _: f"{self._set.level:+.5E}")
        self.on(":TRIGger:FORCe", set=lambda _: self._acquisition.force())
        self.on(":OPERegister:CONDition", get=lambda _: f"{self._condition():+d}")
        self.on(":TER", get=lambda _: f"{self._event():+d}")

    def _add_measurements(self) -> None:
        """And which channels are shown, as older programs say it."""
        self.on(":VIEW", set=lambda call: self._show(call, "1"))
        self.on(":BLANk", set=lambda call: self._show(call, "0"))
        self.on(":STATus", get=lambda call: self._named(call, 0).display)
        self.on(":MEASure:SOURce", set=self._set_measured, get=lambda _: f"CHAN{self._measured}")
        for form in ("VMAX", "VMIN", "VPP"):
            self.on(f":MEASure:{form}", set=self._set_measured, get=lambda call, item=form: self._measure(call, item))  # type: ignore[misc]
        self.on(":MEASure:VAVerage", set=self._set_measured, get=lambda call: self._measure(call, "VAV"))

    def _named(self, call: Call, index: int) -> _Channel:
        return self._channels[int(call.choice(index, *_CHANNELS)[-1])]

    def _show(self, call: Call, display: str) -> None:
        self._named(call, 0).display = display

    def _set_measured(self, call: Call) -> None:
        """The last argument is the source, where it is named; before it may stand the interval."""
        for index, arg in enumerate(call.args):
            if arg.upper().startswith("CHAN"):
                self._measured = int(call.choice(index, *_CHANNELS)[-1])

    def _measure(self, call: Call, item: str) -> str:
        self._set_measured(call)
        channel = self._channels[self._measured]
        value = self._measured_on(self._next_record(SCREEN_POINTS), _coding(channel), item, self._measured)
        return "+9.9E+37" if value is None else f"{value:+.5E}"

    def _add_waveform(self) -> None:
        self._add_word(":WAVeform:SOURce", "wave_source", *_CHANNELS)
        self._add_word(":WAVeform:POINts:MODE", "wave_mode", "NORMal", "MAXimum", "RAW")
        self._add_word(":WAVeform:FORMat", "wave_format", "BYTE", "WORD", "ASCii")
        self._add_word(":WAVeform:BYTeorder", "wave_order", "LSBFirst", "MSBFirst")
        self._add_word(":WAVeform:UNSigned", "wave_unsigned")
        self.on(":WAVeform:POINts", set=self._set_points, get=lambda _: f"{self._points(self._readable()):+d}")
        self.on(":WAVeform:PREamble", get=lambda _: self._preamble())
        for index, field in enumerate(_FIELDS, 4):
            self.on(f":WAVeform:{field}", get=lambda _, at=index: self._preamble().split(",")[at])  # type: ignore[misc]
        self.on(":WAVeform:DATA", get=lambda _: self._data())

    def _set_scale(self, call: Call) -> None:
        channel = self._channel(call)
        channel.scale = nearest(call, tuple(s * channel.probe for s in VOLT_SCALES))

    def _set_offset(self, call: Call) -> None:
        channel = self._channel(call)
        reach = channel.probe * (50.0 if channel.scale / channel.probe > 0.2001 else 2.0)
        channel.offset = call.number(0, -reach, reach)

    def _set_time_scale(self, call: Call) -> None:
        self._set.time_scale = nearest(call, TIME_SCALES)

    def _set_position(self, call: Call) -> None:
        self._set.position = call.number(0, -self._window_s(), 500.0)

    def _set_level(self, call: Call) -> None:
        channel = self._channels[int(self._set.source[-1])]
        self._set.level = call.number(0, channel.offset - 6 * channel.scale, channel.offset + 6 * channel.scale)

    def _set_points(self, call: Call) -> None:
        most = call.word(0) in ("MAX", "MAXIMUM")
        self._set.wave_points = self._memory if most else int(call.number(0, 100, self._memory))

    def _window_s(self) -> float:
        return DIVISIONS * self._set.time_scale

    def _rate(self) -> float:
        running = self._acquisition.state in (Acquiring.FREE, Acquiring.SEEKING)
        return min(FASTEST, self._memory / (2 if running else 1) / self._window_s())

    # -- the acquisition ------------------------------------------------------------------------------------------

    def _single(self) -> None:
        s = self._set
        self._triggered = False
        self._acquisition.single(self._next_record(self._memory), s.level if s.slope in ("NEG", "EITH") else None)

    def _digitize(self) -> None:
        if self._set.sweep == "AUTO":
            self._acquisition.free(by_itself=True)
            self._acquisition.stop(self._next_record(self._memory))
            self._triggered = True
        else:
            self._single()

    def _next_record(self, memory: int) -> Record:
        """What the next acquisition of the trigger's channel is by the settings."""
        s, window_s = self._set, self._window_s()
        number = int(s.source[-1])
        points = max(100, round(min(FASTEST * window_s, memory)))
        pre_ns = to_ns(window_s / 2 - s.position)
        coding, peak = _coding(self._channels[number]), s.acquire == "PEAK" and s.time_scale >= PEAK_FROM_S
        return Record(number, points - points % 2, to_ns(window_s), pre_ns, coding, peak=peak)

    def _note_trigger(self) -> None:
        self._triggered = True

    def _condition(self) -> int:
        state = self._shown()
        return (0 if state is Acquiring.STOPPED else _RUN) | (_WAIT if state is Acquiring.WAITING else 0)

    def _event(self) -> int:
        """The trigger event register: cleared by reading."""
        state = self._shown()
        if state is Acquiring.WAITING:
            return 0
        found, self._triggered = self._triggered or state is Acquiring.FREE, False
        return int(found)

    # -- the record -----------------------------------------------------------------------------------------------

    def _readable(self) -> Record | None:
        """What can be read now: the memory only while it is stopped, the screen also while it runs freely."""
        if self._screen_is_meant():
            return self._acquisition.seen_last(self._next_record(SCREEN_POINTS))
        return self._acquisition.finished

    def _screen_is_meant(self) -> bool:
        """MAXimum is the screen while it runs, and the memory when it is stopped."""
        mode, runs = self._set.wave_mode, self._acquisition.state is Acquiring.FREE
        return mode == "NORM" or (mode == "MAX" and runs)

    def _points(self, record: Record | None) -> int:
        """How many of its points are sent."""
        if record is None:
            return 0
        longest = SCREEN_POINTS if self._screen_is_meant() else record.points
        points = min(self._set.wave_points, longest, record.points)
        return points - points % 2

    def _preamble(self) -> str:
        """Ten fields; what the next record would have when there is none."""
        s = self._set
        record = self._readable() or self._next_record(self._memory)
        points, coding = self._points(record), record.coding
        window_s, finer = record.window_ns / NS, _WORD if s.wave_format == "WORD" else 1
        origin_v = (REFERENCE_CODE - coding.zero_code) * coding.volts_per_code
        return (
            f"{_FORMATS[s.wave_format]:+d},{record.peak:+d},{points:+d},+1,{window_s / points:+.8E},"
            f"{-record.pre_ns / NS:+.8E},+0,"
            f"{coding.volts_per_code / finer:+.8E},{origin_v:+.8E},{REFERENCE_CODE * finer:+d}"
        )

    def _data(self) -> bytes:
        """The points; an empty block, and why in the error queue, where there is no such record."""
        record = self._readable()
        if record is None:
            self.error(-230, "Data corrupt or stale")
            return _block(b"")
        thin = replace(record, points=self._points(record))
        codes = self._acquisition.codes(thin, 0, thin.points, int(self._set.wave_source[-1]))
        if self._set.wave_format == "BYTE":
            return _block(codes.astype(np.uint8).tobytes())
        if self._set.wave_format == "WORD":
            order = ">u2" if self._set.wave_order == "MSBF" else "<u2"
            return _block((codes * _WORD).astype(order).tobytes())
        volts = (codes - thin.coding.zero_code) * thin.coding.volts_per_code
        return _block(",".join(f"{value:+.5E}" for value in volts).encode("ascii"))


def _coding(channel: _Channel) -> Coding:
    """0 is a hole, 1 clipped low, 255 clipped high."""
    per_code = channel.scale / CODES_PER_DIVISION
    return Coding(per_code, REFERENCE_CODE - channel.offset / per_code, 1, 255)


def _block(data: bytes) -> bytes:
    return b"#8%08d" % len(data) + data
