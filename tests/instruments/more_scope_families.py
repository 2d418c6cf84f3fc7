"""The same as `scope_families`, of further families, and the list of all."""

from __future__ import annotations

import struct
from dataclasses import replace

from rig.instruments.ports import CaptureSettings
from rig.instruments.scopes.rigol_dho import RigolDHO
from rig.instruments.scopes.rohde_rtb import RohdeRTB
from rig.instruments.scopes.tektronix import Tektronix
from tests.instruments.scope_families import (
    KEYSIGHT,
    SCPI,
    SIGLENT_NEW,
    SIGLENT_OLD,
    TEK,
    F,
    Family,
    Pairs,
    S,
    T,
    W,
    block,
    changed,
    sets,
)

# -- Rigol DHO -------------------------------------------------------------------------------------------------------

_DHO_PREAMBLE = "1,2,10000,1,5.000000e-02,-2.000000e+00,0,7.812500e-04,-7680,32768"


def _words(codes: bytes) -> bytes:
    """12 bits in the upper part of a word, low byte first: the code in the upper byte."""
    return b"".join(struct.pack("<H", code << 8) for code in codes)


def _dho_preamble(old: str, new: str) -> Pairs:
    assert old in _DHO_PREAMBLE
    return ((":WAV:PRE?", _DHO_PREAMBLE.replace(old, new)),)


RIGOL_DHO = Family(
    name="rigol-dho800",
    driver=RigolDHO,
    idn="RIGOL TECHNOLOGIES,DHO804,DHO8A1,00.01.02",
    real=CaptureSettings(500.0, 2.0, 10_000, top_v=26.0, bottom_v=-14.0, trigger_v=8.0),
    setting_up=sets(
        """
        :RUN
        :CHAN1:DISP ON > 1
        :CHAN2:DISP OFF > 0
        :CHAN3:DISP OFF > 0
        :CHAN4:DISP OFF > 0
        :CHAN1:COUP DC > DC
        :CHAN1:INV OFF > 0
        :CHAN1:UNIT VOLT > VOLT
        :CHAN1:VERN OFF > 0
        :CHAN1:BWL 20M > 20M
        :ACQ:TYPE NORM > NORM
        :TIM:MODE MAIN > MAIN
        :TIM:DEL:ENAB OFF > 0
        :TRIG:MODE EDGE > EDGE
        :TRIG:EDG:SOUR CHAN1 > CHAN1
        :TRIG:EDG:SLOP NEG > NEG
        :TRIG:COUP DC > DC
        :CHAN1:PROB 10 > 10
        :CHAN1:SCAL 5 > 5.000000E+00
        :CHAN1:OFFS -6 > -6.000000E+00
        :TIM:MAIN:SCAL 50 > 5.000000E+01
        :TIM:MAIN:OFFS 248 > 2.480000E+02
        :ACQ:MDEP 10k > 1.0000E+04
        :TRIG:EDG:LEV 8 > 8.000000E+00
        """,
        SCPI,
    ),
    looks={state: ((":TRIG:STAT?", word),) for state, word in ((F, "RUN"), (W, "WAIT"), (T, "TD"), (S, "STOP"))},
    starting=sets(":SING", SCPI),
    halting=sets(":STOP", SCPI),
    forcing=sets(":TFOR", SCPI),
    choosing=sets(":WAV:SOUR CHAN1 > CHAN1\n:WAV:MODE RAW > RAW\n:WAV:FORM WORD > WORD", SCPI),
    meaning=((":WAV:PRE?", _DHO_PREAMBLE),),
    fetching=lambda codes: (
        (":WAV:STAR 1", None),
        (":WAV:STOP 10000", None),
        (":WAV:STAR?", "1"),
        (":WAV:STOP?", "10000"),
        SCPI,
        (":WAV:DATA?", block(_words(codes))),
    ),
    bad=(
        _dho_preamble("1,2,", "0,2,"),
        _dho_preamble("1,2,", "1,0,"),
        _dho_preamble("5.000000e-02", "NaN"),
        _dho_preamble("5.000000e-02", "1.000000e-02"),
        _dho_preamble("-2.000000e+00", "-2.500000e+02"),
        _dho_preamble("7.812500e-04", "3.000000e-04"),
        _dho_preamble("-7680", "0"),
        _dho_preamble(",32768", ""),
    ),
    volts_per_code=7.8125e-4,
    zero_code=-7680.0,
    time_base_ppm=75.0,
    offset_error_v=0.8 + 0.5 + 0.02 + 0.09 + 2 * 7.8125e-4,
    wide=True,
    free=((":TRIG:STAT?", "AUTO"),),
    nonsense=(((":TRIG:STAT?", ""),), ((":TRIG:STAT?", "T'D"),)),
)

# -- Tektronix -------------------------------------------------------------------------------------------------------

_TEK_MEANING: Pairs = (
    ("WFMO:XINCR?", "3.0000E-2"),
    ("WFMO:XZERO?", "-2.0000"),
    ("WFMO:PT_OFF?", "0"),
    ("WFMO:YMULT?", "80.0000E-3"),
    ("WFMO:YOFF?", "127.0"),
    ("WFMO:YZERO?", "6.0000"),
    ("WFMO:NR_PT?", "20000"),
    ("WFMO:BYT_NR?", "1"),
)

TEKTRONIX = Family(
    name="tektronix-tbs-mso",
    driver=Tektronix,
    idn="TEKTRONIX,TBS2104,C010101,CF:91.1CT FV:v1.0",
    real=CaptureSettings(600.0, 2.0, 20_000, top_v=14.0, bottom_v=-2.0, trigger_v=8.0),
    setting_up=(
        *sets(
            """
        HEAD OFF
        ACQ:STATE STOP
        SEL:CH1 ON > 1
        SEL:CH2 OFF > 0
        SEL:CH3 OFF > 0
        SEL:CH4 OFF > 0
        CH1:COUP DC > DC
        CH1:INV OFF > OFF
        ACQ:MOD SAM > SAMPLE
        ACQ:STOPA SEQ > SEQUENCE
        HOR:DEL:MOD OFF > 0
        TRIG:A:TYP EDGE > EDGE
        TRIG:A:MOD NORM > NORMAL
        TRIG:A:EDGE:SOU CH1 > CH1
        TRIG:A:EDGE:SLO FALL > FALL
        TRIG:A:EDGE:COUP DC > DC
        CH1:PRO:GAIN 0.1 > 100.0000E-3
        CH1:SCA 2 > 2.0000
        CH1:POS 0 > 0.0000
        CH1:OFFS 6 > 6.0000
        HOR:SCA 40 > 40.0000
        HOR:RECO 20000 > 20000
        """,
            TEK,
        ),
        ("HOR:SAMPLER?", "33.3333"),
        *sets("HOR:POS 0.3333333 > 0.33333333\nTRIG:A:LEV:CH1 8 > 8.0000", TEK),
    ),
    looks={
        state: (("TRIG:STATE?", word),) for state, word in ((F, "ARMED"), (W, "READY"), (T, "TRIGGER"), (S, "SAVE"))
    },
    starting=sets("ACQ:STATE RUN", TEK),
    halting=sets("ACQ:STATE STOP", TEK),
    forcing=sets("TRIG FORC", TEK),
    choosing=sets(
        """
        DAT:SOU CH1 > CH1
        DAT:ENC RPB > RPBINARY
        DAT:WID 1 > 1
        DAT:STAR 1 > 1
        DAT:STOP 20000000
        """,
        TEK,
    ),
    meaning=_TEK_MEANING,
    fetching=lambda codes: (("CURV?", block(codes)),),
    bad=(
        changed(_TEK_MEANING, "WFMO:XINCR?", "1.0000E-2"),
        changed(_TEK_MEANING, "WFMO:XINCR?", "9.9E37"),
        changed(_TEK_MEANING, "WFMO:XZERO?", "-300.0"),
        changed(_TEK_MEANING, "WFMO:PT_OFF?", "10000"),
        changed(_TEK_MEANING, "WFMO:YMULT?", "40.0000E-3"),
        changed(_TEK_MEANING, "WFMO:YMULT?", "-80.0000E-3"),
        changed(_TEK_MEANING, "WFMO:YZERO?", "0.0000"),
        changed(_TEK_MEANING, "WFMO:NR_PT?", "2000"),
        changed(_TEK_MEANING, "WFMO:BYT_NR?", "2"),
    ),
    volts_per_code=0.08,
    zero_code=127.0 - 75,
    time_base_ppm=75.0,
    offset_error_v=0.48 + 0.4 + 0.02 + 0.06 + 0.16,
    triggered=(("ACQ:NUMAC?", "1"),),
    untriggered=(("ACQ:NUMAC?", "0"),),
    free=(("TRIG:STATE?", "AUTO"),),
    nonsense=((("TRIG:STATE?", ""),),),
)

MSO = replace(
    TEKTRONIX,
    idn="TEKTRONIX,MSO24,B010101,CF:91.1CT FV:2.0.3",
    real=CaptureSettings(1000.0, 2.0, 10_000, top_v=14.0, bottom_v=-2.0, trigger_v=8.0),
    setting_up=(
        *TEKTRONIX.setting_up[: TEKTRONIX.setting_up.index(("CH1:PRO:GAIN 0.1", None))],
        *sets(
            """
        CH1:PROBEF:EXTA 10 > 10.0000
        CH1:SCA 2 > 2.0000
        CH1:POS 0 > 0.0000
        CH1:OFFS 6 > 6.0000
        HOR:MODE MAN > MANUAL
        HOR:MODE:MAN:CONF HORIZ > HORIZONTALSCALE
        HOR:MODE:SAMPLER 10 > 10.0000
        HOR:MODE:RECO 10000 > 10000
        """,
            TEK,
        ),
        ("HOR:SAMPLER?", "10.0000"),
        *sets("HOR:POS 0.2 > 0.2000\nTRIG:A:LEV:CH1 8 > 8.0000", TEK),
    ),
    choosing=(*TEKTRONIX.choosing[:-2], ("DAT:STOP 10000000", None), TEK),
    meaning=changed(changed(_TEK_MEANING, "WFMO:XINCR?", "0.1000"), "WFMO:NR_PT?", "10000"),
    bad=(changed(_TEK_MEANING, "WFMO:NR_PT?", "2000"),),
)

# -- Rohde & Schwarz RTB ---------------------------------------------------------------------------------------------

_RTB_MEANING: Pairs = (
    ("CHAN1:DATA:HEAD?", "-2.000000E+00,5.979400E+02,10000,1"),
    ("CHAN1:DATA:XOR?", "-2.000000E+00"),
    ("CHAN1:DATA:XINC?", "6.000000E-02"),
    ("CHAN1:DATA:YOR?", "-4.199999809E+00"),
    ("CHAN1:DATA:YINC?", "7.999999821E-02"),
)


def _rtb_look(word: str, bits: int) -> Pairs:
    return (("ACQ:STAT?", word), ("STAT:OPER:COND?", str(bits)))


ROHDE = Family(
    name="rohde-rtb",
    driver=RohdeRTB,
    idn="Rohde&Schwarz,RTB2004,1333.1005k04/101234,02.300",
    real=CaptureSettings(600.0, 2.0, 10_000, top_v=14.0, bottom_v=-2.0, trigger_v=8.0),
    setting_up=sets(
        """
        STOP
        CHAN1:STAT ON > 1
        CHAN2:STAT OFF > 0
        CHAN3:STAT OFF > 0
        CHAN4:STAT OFF > 0
        CHAN1:COUP DCL > DCL
        CHAN1:POL NORM > NORM
        CHAN1:BAND B20 > B20
        CHAN1:TYPE SAMP > SAMP
        CHAN1:ARIT OFF > OFF
        ACQ:POIN:AUT OFF > 0
        ACQ:NSIN:COUN 1 > 1
        TRIG:A:TYPE EDGE > EDGE
        TRIG:A:MODE NORM > NORM
        TRIG:A:SOUR CH1 > CH1
        TRIG:A:EDGE:SLOP NEG > NEG
        TRIG:A:EDGE:COUP DC > DC
        PROB1:SET:ATT:MAN 10 > 1.00E+01
        CHAN1:SCAL 2 > 2.00E+00
        CHAN1:POS 0 > 0.00E+00
        CHAN1:OFFS 6 > 6.00E+00
        TIM:SCAL 50 > 5.00E+01
        TIM:REF 50 > 5.00E+01
        TIM:POS 298 > 2.98E+02
        ACQ:POIN 10000 > 10000
        TRIG:A:LEV1 8 > 8.00E+00
        """,
        SCPI,
    ),
    looks={F: _rtb_look("RUN", 0), W: _rtb_look("RUN", 8), T: _rtb_look("RUN", 0), S: _rtb_look("COMP", 0)},
    starting=sets("SING", SCPI),
    halting=sets("STOP", SCPI),
    forcing=sets("*TRG", SCPI),
    choosing=sets("FORM UINT,8 > UINT,8\nCHAN1:DATA:POIN MAX", SCPI),
    meaning=_RTB_MEANING,
    fetching=lambda codes: (("CHAN1:DATA?", block(codes)),),
    bad=(
        changed(_RTB_MEANING, "CHAN1:DATA:HEAD?", "-2.0,5.9794E+02,1000,1"),
        changed(_RTB_MEANING, "CHAN1:DATA:HEAD?", "-2.0,5.9794E+02,10000,2"),
        changed(_RTB_MEANING, "CHAN1:DATA:XOR?", "-3.000000E+02"),
        changed(_RTB_MEANING, "CHAN1:DATA:XINC?", "1.000000E-02"),
        changed(_RTB_MEANING, "CHAN1:DATA:XINC?", "NAN"),
        changed(_RTB_MEANING, "CHAN1:DATA:YOR?", "-1.020000E+01"),
        changed(_RTB_MEANING, "CHAN1:DATA:YINC?", "0.000000E+00"),
    ),
    volts_per_code=7.999999821e-2,
    zero_code=52.5,
    time_base_ppm=35.0,
    offset_error_v=0.32 + 0.2 + 0.02 + 0.06 + 0.16,
    untriggered=_rtb_look("BRE", 0),
    nonsense=(_rtb_look("", 0), (*_rtb_look("RUN", 0)[:1], ("STAT:OPER:COND?", "?"))),
)

FAMILIES = (KEYSIGHT, SIGLENT_OLD, SIGLENT_NEW, RIGOL_DHO, TEKTRONIX, MSO, ROHDE)
