"""What each family of oscilloscopes says and hears, word for word: the strict transcripts of `test_scope_families`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rig.instruments.ports import CaptureSettings, ScopeState
from rig.instruments.scopes.deep import DeepScope
from rig.instruments.scopes.keysight_infiniivision import KeysightInfiniiVision
from rig.instruments.scopes.siglent_sds1000x_e import SiglentSDS1000XE
from rig.instruments.scopes.siglent_sds2000x_plus import SiglentSDS2000XPlus
from tests.transcript import Pair

WANTED = CaptureSettings(window_s=500.0, pre_s=2.0, depth=10_000, top_v=12.5, bottom_v=-0.5, trigger_v=8.0)
F, W, T, S = ScopeState.FILLING, ScopeState.WAITING, ScopeState.TRIGGERED, ScopeState.STOPPED
Pairs = tuple[Pair, ...]

SCPI: Pair = (":SYST:ERR?", '+0,"No error"')
TEK: Pair = ("*ESR?", "0")


@dataclass(frozen=True)
class Family:
    """`looks` are what a look at each state says; `meaning` what it says of its record, which `bad` contradicts."""

    name: str
    driver: type[DeepScope]
    idn: str
    real: CaptureSettings
    setting_up: Pairs
    looks: dict[ScopeState, Pairs]
    starting: Pairs
    halting: Pairs
    forcing: Pairs
    choosing: Pairs
    meaning: Pairs
    fetching: Callable[[bytes], Pairs]
    bad: tuple[Pairs, ...]
    volts_per_code: float
    zero_code: float
    time_base_ppm: float
    offset_error_v: float
    triggered: Pairs = ()
    untriggered: Pairs = ()
    free: Pairs = ()
    wide: bool = False
    nonsense: tuple[Pairs, ...] = field(default=())
    choosing_look: Pairs = ()

    @property
    def identifying(self) -> Pair:
        return ("*IDN?", self.idn)

    @property
    def points(self) -> int:
        return self.real.depth


def sets(rows: str, complaint: Pair | None) -> Pairs:
    """Rows of `COMMAND VALUE > READ-BACK`, or `COMMAND` alone, or with `? QUESTION` where that is another header."""
    pairs: list[Pair] = []
    for row in (line.strip() for line in rows.strip().splitlines()):
        command, _, back = row.partition(" > ")
        command, _, question = command.partition(" ? ")
        pairs.append((command, None))
        if complaint is not None:
            pairs.append(complaint)
        if back:
            pairs.append((question or f"{command.split()[0]}?", back))
    return tuple(pairs)


def block(data: bytes, end: bytes = b"\n", before: bytes = b"") -> bytes:
    return before + b"#9%09d" % len(data) + data + end


def changed(pairs: Pairs, question: str, reply: str | bytes) -> Pairs:
    """The same, except for this answer."""
    assert any(pair[0] == question for pair in pairs)
    return tuple((sent, reply if sent == question else back) for sent, back in pairs)


# -- Keysight InfiniiVision ------------------------------------------------------------------------------------------

_KEYSIGHT_PREAMBLE = "+0,+0,+10000,+1,+5.00000000E-02,-2.00000000E+00,+0,+6.25000000E-02,+6.00000000E+00,+128"


def _keysight_look(condition: int, event: int = 0) -> Pairs:
    return ((":OPER:COND?", f"+{condition}"), (":TER?", f"+{event}"))


def _keysight_preamble(old: str, new: str) -> Pairs:
    assert old in _KEYSIGHT_PREAMBLE
    return ((":WAV:PRE?", _KEYSIGHT_PREAMBLE.replace(old, new)),)


KEYSIGHT = Family(
    name="keysight-infiniivision",
    driver=KeysightInfiniiVision,
    idn="KEYSIGHT TECHNOLOGIES,DSO-X 3024T,MY1,07.50",
    real=replace(WANTED, top_v=14.0, bottom_v=-2.0),
    setting_up=(
        *sets(
            """
        :STOP
        :CHAN1:DISP 1 > 1
        :CHAN2:DISP 0 > 0
        :CHAN3:DISP 0 > 0
        :CHAN4:DISP 0 > 0
        :CHAN1:COUP DC > DC
        :CHAN1:INV 0 > 0
        :CHAN1:UNIT VOLT > VOLT
        :CHAN1:VERN 0 > 0
        :CHAN1:BWL 1 > 1
        :ACQ:MODE RTIM > RTIM
        :ACQ:TYPE NORM > NORM
        :TIM:MODE MAIN > MAIN
        :TIM:REF CENT > CENT
        :TRIG:MODE EDGE > EDGE
        :TRIG:SWE NORM > NORM
        :TRIG:EDGE:SOUR CHAN1 > CHAN1
        :TRIG:EDGE:SLOP NEG > NEG
        :TRIG:EDGE:COUP DC > DC
        :TRIG:EDGE:REJ OFF > OFF
        :CHAN1:PROB 10 > +1.00000000E+01
        :CHAN1:SCAL 2 > +2.00E+00
        :CHAN1:OFFS 6 > +6.00000E+00
        :TIM:SCAL 50 > +5.000E+01
        :TIM:POS 248 > +2.48000000E+02
        :TRIG:EDGE:LEV 8 > +8.00000E+00
        """,
            SCPI,
        ),
        (":ACQ:SRAT?", "+8.00000E+03"),
    ),
    looks={
        F: _keysight_look(8),
        W: _keysight_look(8 + 32),
        T: _keysight_look(8, 1),
        S: _keysight_look(0),
    },
    starting=((":TER?", "+1"), *sets(":SING", SCPI)),
    halting=sets(":STOP", SCPI),
    forcing=sets(":TRIG:FORC", SCPI),
    choosing=sets(
        """
        :WAV:SOUR CHAN1 > CHAN1
        :WAV:POIN:MODE RAW > RAW
        :WAV:FORM BYTE > BYTE
        :WAV:UNS 1 > 1
        :WAV:POIN MAX
        """,
        SCPI,
    ),
    meaning=((":WAV:PRE?", _KEYSIGHT_PREAMBLE),),
    fetching=lambda codes: ((":WAV:DATA?", block(codes)),),
    bad=(
        _keysight_preamble("+0,+0,", "+1,+0,"),
        _keysight_preamble("+0,+0,", "+0,+1,"),
        _keysight_preamble("+10000", "+1000"),
        _keysight_preamble("+5.00000000E-02", "+9.9E+37"),
        _keysight_preamble("+5.00000000E-02", "+1.00000000E-02"),
        _keysight_preamble("-2.00000000E+00", "-2.50000000E+02"),
        _keysight_preamble("+6.25000000E-02", "+3.12500000E-02"),
        _keysight_preamble("+6.00000000E+00", "+0.00000000E+00"),
        _keysight_preamble(",+128", ""),
    ),
    volts_per_code=0.0625,
    zero_code=128 - 96,
    time_base_ppm=75.0,
    offset_error_v=0.32 + 0.2 + 0.02 + 0.06 + 0.125,
    wide=False,
    nonsense=(((":OPER:COND?", "NAN"), (":TER?", "+0")),),
    choosing_look=sets(
        """
        :WAV:SOUR CHAN1 > CHAN1
        :WAV:POIN:MODE RAW > RAW
        :WAV:FORM BYTE > BYTE
        :WAV:UNS 1 > 1
        :WAV:POIN 10000
        """,
        SCPI,
    ),
)

# -- Siglent, old dialect --------------------------------------------------------------------------------------------

_OLD_MEANING: Pairs = (
    ("TDIV?", "5.00E+01"),
    ("TRDL?", "3.48E+02"),
    ("SARA?", "2.00E+01"),
    ("C1:VDIV?", "2.00E+00"),
    ("C1:OFST?", "-6.00E+00"),
    ("SANU? C1", "1.40E+04"),
)


def _old_look(word: str, events: int = 0) -> Pairs:
    return (("SAST?", word), ("INR?", str(events)))


SIGLENT_OLD = Family(
    name="siglent-sds1000x-e",
    driver=SiglentSDS1000XE,
    idn="Siglent Technologies,SDS1104X-E,SDSMMEBQ1,8.2.6.1.37R2",
    real=CaptureSettings(700.0, 2.0, 14_000, top_v=14.0, bottom_v=-2.0, trigger_v=8.0),
    setting_up=(
        ("CHDR OFF", None),
        ("TRMD?", "AUTO"),
        *sets(
            """
        TRMD AUTO > AUTO
        C1:TRA ON > ON
        C2:TRA OFF > OFF
        C3:TRA OFF > OFF
        C4:TRA OFF > OFF
        C1:CPL D1M > D1M
        C1:INVS OFF > OFF
        C1:UNIT V > V
        BWL C1,ON ? C1:BWL? > ON
        ACQW SAMPLING > SAMPLING
        TRSE EDGE,SR,C1,HT,OFF > EDGE,SR,C1,HT,OFF
        C1:TRSL NEG > NEG
        C1:TRCP DC > DC
        C1:ATTN 10 > 10
        C1:VDIV 2V > 2.00E+00
        C1:OFST -6V > -6.00E+00
        TDIV 50S > 5.00E+01
        MSIZ 14K > 14K
        TRDL 348S > 3.48E+02
        C1:TRLV 8V > 8.00E+00
        """,
            None,
        ),
    ),
    looks={F: _old_look("Armed"), W: _old_look("Ready"), T: _old_look("Trig'd"), S: _old_look("Stop", 1)},
    starting=(("INR?", "1"), ("TRMD SINGLE", None), ("TRMD?", "SINGLE"), ("ARM", None), ("SAST?", "Armed")),
    halting=(("STOP", None), ("SAST?", "Stop")),
    forcing=(("FRTR", None), ("SAST?", "Trig'd")),
    choosing=(("WFSU SP,1,NP,0,FP,0", None), ("WFSU?", "SP,1,NP,0,FP,0")),
    meaning=_OLD_MEANING,
    fetching=lambda codes: (
        ("WFSU SP,1,NP,14000,FP,0", None),
        ("WFSU?", "SP,1,NP,14000,FP,0"),
        ("C1:WF? DAT2", block(bytes(c ^ 0x80 for c in codes), b"\n\n", b"DAT2,")),
    ),
    bad=(
        changed(_OLD_MEANING, "TDIV?", "2.00E+01"),
        changed(_OLD_MEANING, "TRDL?", "0.00E+00"),
        changed(_OLD_MEANING, "SARA?", "1.00E+01"),
        changed(_OLD_MEANING, "SARA?", "NAN"),
        changed(_OLD_MEANING, "C1:VDIV?", "1.00E+00"),
        changed(_OLD_MEANING, "C1:OFST?", "0.00E+00"),
        changed(_OLD_MEANING, "SANU? C1", "7.00E+03"),
    ),
    volts_per_code=0.08,
    zero_code=128 - 75,
    time_base_ppm=75.0,
    offset_error_v=0.045 * 16 + 0.02 + 0.09 + 0.16,
    untriggered=_old_look("Stop", 0),
    free=_old_look("Auto"),
    nonsense=(_old_look(""), (*_old_look("Ready", 0)[:1], ("INR?", "x"))),
)

# -- Siglent, new dialect --------------------------------------------------------------------------------------------


def wavedesc(**changes: float) -> bytes:
    """A WAVEDESC of 346 bytes of this capture, with these fields changed."""
    fields: dict[str, tuple[int, str, float]] = {
        "comm_type": (32, "<h", 0),
        "points": (116, "<i", 20_000),
        "gain": (156, "<f", 0.2),
        "offset": (160, "<f", -0.6),
        "per_division": (164, "<f", 30.0),
        "interval": (176, "<f", 0.025),
        "delay": (180, "<d", 248.0),
        "probe": (328, "<f", 10.0),
    }
    out = bytearray(346)
    out[:8] = b"WAVEDESC"
    for name, (at, form, value) in fields.items():
        struct.pack_into(form, out, at, changes.get(name, value))
    return bytes(out)


def _new_meaning(**changes: float) -> Pairs:
    return ((":WAV:PRE?", block(wavedesc(**changes))),)


SIGLENT_NEW = Family(
    name="siglent-sds2000x-plus",
    driver=SiglentSDS2000XPlus,
    idn="Siglent Technologies,SDS2104X Plus,SDS2P1,1.3.9R12",
    real=CaptureSettings(500.0, 2.0, 20_000, top_v=14.0, bottom_v=-2.0, trigger_v=8.0),
    setting_up=(
        *sets(":TRIG:MODE AUTO > AUTO", None),
        (":TRIG:RUN", None),
        (":TRIG:STAT?", "Auto"),
        *sets(
            """
        :CHAN1:SWIT ON > ON
        :CHAN2:SWIT OFF > OFF
        :CHAN3:SWIT OFF > OFF
        :CHAN4:SWIT OFF > OFF
        :CHAN1:COUP DC > DC
        :CHAN1:IMP ONEM > ONEMeg
        :CHAN1:INV OFF > OFF
        :CHAN1:UNIT V > V
        :CHAN1:BWL 20M > 20M
        :ACQ:TYPE NORM > NORMal
        :ACQ:SEQ OFF > OFF
        :TRIG:TYPE EDGE > EDGE
        :TRIG:EDGE:SOUR C1 > C1
        :TRIG:EDGE:SLOP FALL > FALLing
        :TRIG:EDGE:COUP DC > DC
        :CHAN1:PROB VAL,10 > 1.00E+01
        :CHAN1:SCAL 2 > 2.00E+00
        :CHAN1:OFFS -6 > -6.00E+00
        :TIM:SCAL 50 > 5.00E+01
        :ACQ:MDEP 20k > 20k
        :TIM:DEL 248 > 2.48E+02
        :TRIG:EDGE:LEV 8 > 8.00E+00
        """,
            None,
        ),
    ),
    looks={state: ((":TRIG:STAT?", word),) for state, word in ((F, "Arm"), (W, "Ready"), (T, "Trig'd"), (S, "Stop"))},
    starting=(*sets(":TRIG:MODE SING > SINGle", None), (":TRIG:RUN", None), (":TRIG:STAT?", "Arm")),
    halting=((":TRIG:STOP", None), (":TRIG:STAT?", "Stop")),
    forcing=((":TRIG:MODE FTRIG", None), (":TRIG:STAT?", "Trig'd")),
    choosing=sets(
        """
        :WAV:SOUR C1 > C1
        :WAV:WIDT BYTE > BYTE
        :WAV:STAR 0 > 0
        :WAV:INT 1 > 1
        :WAV:POIN 0 > 0
        """,
        None,
    ),
    meaning=_new_meaning(),
    fetching=lambda codes: (
        (":WAV:MAXP?", "12000"),
        *sets(":WAV:STAR 0 > 0\n:WAV:POIN 12000 > 12000", None),
        (":WAV:DATA?", block(bytes(c ^ 0x80 for c in codes[:12000]), b"\n\n")),
        *sets(":WAV:STAR 12000 > 12000\n:WAV:POIN 8000 > 8000", None),
        (":WAV:DATA?", block(bytes(c ^ 0x80 for c in codes[12000:]), b"\n\n")),
    ),
    bad=(
        _new_meaning(comm_type=1),
        _new_meaning(points=0),
        _new_meaning(points=200),
        _new_meaning(gain=0.1),
        _new_meaning(gain=float("nan")),
        _new_meaning(offset=0.0),
        _new_meaning(per_division=0.0),
        _new_meaning(interval=0.05),
        _new_meaning(delay=0.0),
        _new_meaning(probe=1.0),
        ((":WAV:PRE?", block(b"WAVEDESC")),),
    ),
    volts_per_code=2.0 / 30,
    zero_code=128 - 90,
    time_base_ppm=35.0,
    offset_error_v=0.045 * 16 + 0.02 + 0.09 + 4.0 / 30,
    triggered=((":ACQ:NUMA?", "1"),),
    untriggered=((":ACQ:NUMA?", "0"),),
    free=((":TRIG:STAT?", "Auto"),),
    nonsense=(((":TRIG:STAT?", ""),),),
)
