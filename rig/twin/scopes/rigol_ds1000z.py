"""The SCPI face of a Rigol DS1104Z oscilloscope in the twin: a single deep capture of one node, in the time it takes.

Knows the commands of the MSO1000Z/DS1000Z Programming Guide that a bench uses, the trigger's states, and the memory's
coding. Has no physics: volts come from the `RailProbe`, and only when a record is read. A capture that `:STOP` cut
short leaves no record; one that ran freely leaves what it saw last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rig.clock.base import NS, to_ns
from rig.instruments.scopes.screen import steps
from rig.twin.ports import RailProbe, Timeline
from rig.twin.scopes.acquisition import Acquiring, Coding, Imperfections, Record
from rig.twin.scopes.scope_face import Channel, TwinScope, nearest
from rig.twin.scpi import Call, ScpiError, block

__all__ = ["Imperfections", "TwinDS1000Z"]

DIVISIONS, UP = 12, 8
CODES_PER_DIVISION = 25
REFERENCE_CODE = 127
LONGEST_READ = 250_000
SCREEN_POINTS = 1200
DEPTHS = (12_000, 120_000, 1_200_000, 12_000_000)
DEPTH_OPTION = 24_000_000
TIME_SCALES = steps(5e-9, 50.0)
VOLT_SCALES = steps(1e-3, 10.0)

_KEPT = {
    ":TIMebase:DELay:SCALe": "5.000000e-07",
    ":TIMebase:DELay:OFFSet": "0.000000e+00",
    ":TRIGger:HOLDoff": "1.600000e-08",
    ":TRIGger:NREJect": "0",
    ":DISPlay:TYPE": "VECT",
    ":DISPlay:GRADing:TIME": "MIN",
    ":DISPlay:WBRightness": "50",
    ":DISPlay:GRID": "FULL",
    ":DISPlay:GBRightness": "50",
}
_WORDS = {Acquiring.SEEKING: "WAIT"}
_CHANNELS = ("CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4")


@dataclass
class _Channel(Channel):
    display: str = "0"
    coupling: str = "DC"
    invert: str = "0"
    vernier: str = "0"
    bandwidth: str = "OFF"
    unit: str = "VOLT"
    skew: float = 0.0


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


class TwinDS1000Z(TwinScope[_Channel]):
    """A DS1104Z. States of `:TRIG:STAT?`: RUN while the pre-trigger fills (blind), WAIT, TD until the window is over,
    STOP, and AUTO when it runs freely. `deep_memory` is the 24 Mpts option.
    """

    _LEAST_PROBE, _MOST_PROBE = 0.01, 1000.0

    _set: _Settings

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
        who = ("RIGOL TECHNOLOGIES", "DS1104Z", serial, "00.04.05.SP2")
        super().__init__(who, timeline, probe, seed, noise_v, channel, imperfections)
        self._depths = (*DEPTHS, DEPTH_OPTION) if deep_memory else DEPTHS
        self.reset()
        self._add_channels()
        self._add_times()
        self._add_trigger()
        self._add_waveform()
        self.on(":MEASure:ITEM", set=lambda _: None, get=self._measured)
        for header, value in _KEPT.items():
            self._keeps(header, value)

    def reset(self) -> None:
        """`*RST`: channel 1 shown, running freely."""
        self._set = _Settings()
        self._channels = {n: _Channel(display="1" if n == 1 else "0") for n in (1, 2, 3, 4)}
        self._acquisition.free(by_itself=True)

    # -- settings -------------------------------------------------------------------------------------------------

    def _add_channels(self) -> None:
        for header, field, forms in (
            ("DISPlay", "display", ()),
            ("INVert", "invert", ()),
            ("VERNier", "vernier", ()),
            ("COUPling", "coupling", ("AC", "DC", "GND")),
            ("BWLimit", "bandwidth", ("20M", "OFF")),
            ("UNITs", "unit", ("VOLTage", "WATT", "AMPere", "UNKNown")),
        ):
            self._on_word(f":CHANnel<n>:{header}", self._channel, field, *forms)
        self.on(":CHANnel<n>:PROBe", set=self._set_probe, get=lambda call: f"{self._channel(call).probe:g}")
        self.on(":CHANnel<n>:SCALe", set=self._set_scale, get=lambda call: f"{self._channel(call).scale:.6e}")
        self.on(
            ":CHANnel<n>:RANGe",
            set=lambda call: self._set_scale(Call(call.suffixes, (str(call.number(0, 0.0, 1e5) / UP),))),
            get=lambda call: f"{self._channel(call).scale * UP:.6e}",
        )
        self.on(":CHANnel<n>:TCAL", set=self._set_skew, get=lambda call: f"{self._channel(call).skew:.6e}")
        self.on(":CHANnel<n>:OFFSet", set=self._set_offset, get=lambda call: f"{self._channel(call).offset:.6e}")

    def _add_times(self) -> None:
        self._add_word(":ACQuire:TYPE", "acquire", "NORMal", "AVERages", "PEAK", "HRESolution")
        self._add_word(":TIMebase:MODE", "time_mode", "MAIN", "XY", "ROLL")
        self._add_word(":TIMebase:DELay:ENABle", "delayed")
        self.on(":ACQuire:MDEPth", set=self._set_depth, get=lambda _: str(self._set.depth or "AUTO"))
        self.on(":ACQuire:SRATe", get=lambda _: f"{(self._set.depth or 12_000) / self._window_s():.6e}")
        self.on(":TIMebase[:MAIN]:SCALe", set=self._set_time_scale, get=lambda _: f"{self._set.time_scale:.6e}")
        self.on(":TIMebase[:MAIN]:OFFSet", set=self._set_time_offset, get=lambda _: f"{self._set.time_offset:.6e}")
        self.on(":RUN", set=lambda _: self._run())
        self.on(":STOP", set=lambda _: self._acquisition.stop(self._next_record()))
        self.on(":SINGle", set=lambda _: self._single())

    def _add_trigger(self) -> None:
        self._add_word(":TRIGger:MODE", "trigger", "EDGE")
        self._add_word(":TRIGger:EDGe:SOURce", "source", *_CHANNELS)
        self._add_word(":TRIGger:EDGe:SLOPe", "slope", "POSitive", "NEGative", "RFALl")
        self._add_word(":TRIGger:COUPling", "trigger_coupling", "AC", "DC", "LFReject", "HFReject")
        self._add_word(":TRIGger:SWEep", "sweep", "AUTO", "NORMal", "SINGle")
        self._add_word(":WAVeform:SOURce", "wave_source", *_CHANNELS)
        self._add_word(":WAVeform:MODE", "wave_mode", "NORMal", "MAXimum", "RAW")
        self._add_word(":WAVeform:FORMat", "wave_format", "WORD", "BYTE", "ASCii")
        self.on(":TRIGger:EDGe:LEVel", set=self._set_level, get=lambda _: f"{self._set.level:.6e}")
        self.on(":TRIGger:STATus", get=lambda _: _WORDS.get(self._shown(), self._shown().value))
        self.on(":TRIGger:POSition", get=lambda _: self._position())
        self.on(":TFORce", set=lambda _: self._acquisition.force())

    def _add_waveform(self) -> None:
        for header, field in ((":WAVeform:STARt", "wave_start"), (":WAVeform:STOP", "wave_stop")):
            self._add_point(header, field)
        self.on(":WAVeform:PREamble", get=lambda _: self._preamble())
        for index, field in enumerate(
            ("XINCrement", "XORigin", "XREFerence", "YINCrement", "YORigin", "YREFerence"), 4
        ):
            self.on(f":WAVeform:{field}", get=lambda _, at=index: self._preamble().split(",")[at])  # type: ignore[misc]
        self.on(":WAVeform:DATA", get=lambda _: self._data())

    def _add_point(self, header: str, field: str) -> None:
        self.on(
            header,
            set=lambda call: setattr(self._set, field, int(call.number(0, 1, self._depths[-1]))),
            get=lambda _: str(getattr(self._set, field)),
        )

    def _set_scale(self, call: Call) -> None:
        channel = self._channel(call)
        channel.scale = nearest(call, tuple(s * channel.probe for s in VOLT_SCALES))

    def _set_offset(self, call: Call) -> None:
        channel = self._channel(call)
        reach = channel.probe * (100.0 if channel.scale / channel.probe >= 0.4999 else 2.0)
        channel.offset = call.number(0, -reach, reach)

    def _set_skew(self, call: Call) -> None:
        self._channel(call).skew = call.number(0, -1e-7, 1e-7)

    def _set_time_scale(self, call: Call) -> None:
        self._set.time_scale = nearest(call, TIME_SCALES)

    def _set_time_offset(self, call: Call) -> None:
        window = self._window_s()
        self._set.time_offset = call.number(0, -window, max(1.0, 10 * window))

    def _set_depth(self, call: Call) -> None:
        """Only while it runs, and these depths only with one channel shown."""
        if self._acquisition.state is Acquiring.STOPPED:
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

    def _run(self) -> None:
        if self._set.sweep == "SING":
            self._single()
        else:
            self._acquisition.free(by_itself=self._set.sweep == "AUTO")

    def _single(self) -> None:
        s = self._set
        s.sweep = "SING"
        self._acquisition.single(self._next_record(), s.level if s.slope in ("NEG", "RFAL") else None)

    def _next_record(self) -> Record:
        """What the next acquisition of the trigger's channel is by the settings."""
        s, window_s = self._set, self._window_s()
        number = int(s.source[-1])
        return Record(
            channel=number,
            points=s.depth or DEPTHS[0],
            window_ns=to_ns(window_s),
            pre_ns=to_ns(window_s / 2 - s.time_offset),
            coding=_coding(self._channels[number]),
        )

    # -- the record -----------------------------------------------------------------------------------------------

    def _position(self) -> str:
        record = self._acquisition.finished
        return "-2" if record is None else str(round(record.pre_ns * record.points / record.window_ns))

    def _preamble(self) -> str:
        """Ten fields (guide, page 2-226); what the next record would have when there is none."""
        s = self._set
        forms = ("BYTE", "WORD", "ASC").index(s.wave_format), ("NORM", "MAX", "RAW").index(s.wave_mode)
        points, window_s, first_s = s.depth or DEPTHS[0], self._window_s(), s.time_offset - self._window_s() / 2
        coding = _coding(self._channels[int(s.wave_source[-1])])
        if (record := self._acquisition.finished) is not None:
            points, window_s, first_s = record.points, record.window_ns / NS, -record.pre_ns / NS
            coding = record.coding
        if s.wave_mode != "RAW":
            points = SCREEN_POINTS
        return (
            f"{forms[0]},{forms[1]},{points},1,{window_s / points:.6e},{first_s:.6e},0,"
            f"{coding.volts_per_code:.6e},{coding.zero_code - REFERENCE_CODE:g},{REFERENCE_CODE}"
        )

    def _measured(self, call: Call) -> str:
        """`:MEASure:ITEM? VMAX,CHAN1`: of what is on the screen; 9.9e37 where nothing is."""
        item, source = call.choice(0, "VMAX", "VMIN", "VPP", "VAVG"), call.choice(1, *_CHANNELS)
        screen = replace(self._next_record(), points=SCREEN_POINTS)
        value = self._measured_on(screen, _coding(self._channels[int(source[-1])]), item, int(source[-1]))
        return "9.9E37" if value is None else f"{value:.6e}"

    def _data(self) -> bytes:
        """Codes of the points asked for; an empty block, and why in the error queue, where there is no such record."""
        s, longest = self._set, LONGEST_READ
        record = self._acquisition.finished
        if s.wave_mode != "RAW":
            screen = replace(self._next_record(), points=SCREEN_POINTS)
            seen = self._acquisition.seen_last(screen)
            record, longest = None if seen is None else replace(seen, points=SCREEN_POINTS), SCREEN_POINTS
        first, last = s.wave_start, s.wave_stop
        if record is None or s.wave_format != "BYTE":
            self.error(-230, "Data corrupt or stale")
            return block(b"")
        if not first <= last <= record.points or last - first + 1 > longest:
            self.error(-222, "Data out of range")
            return block(b"")
        codes = self._acquisition.codes(record, first - 1, last, int(s.wave_source[-1]))
        return block(codes.astype(np.uint8).tobytes())


def _coding(channel: _Channel) -> Coding:
    per_code = channel.scale / CODES_PER_DIVISION
    return Coding(per_code, REFERENCE_CODE + round(channel.offset / per_code))
