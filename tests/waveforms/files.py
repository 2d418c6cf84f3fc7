"""Small files of each maker's header form, with made-up numbers: three samples, 12 V, 12.04 V and 0.12 V, mostly.

Beside them what the tests of the dialects share.
"""

from __future__ import annotations

from pathlib import Path

from rig.rail.samples import Grid
from rig.waveforms import Waveform

RIGOL_COUNTED = (
    "X,CH1,Start,Increment,\nSequence,Volt,-6.000000e-03,4.000000e-06\n0,1.20e+01,\n1,1.204e+01,\n2,1.2e-01,\n"
)
RIGOL_LOGIC = (
    "X,CH1,D7-D0,D15-D8,Start,Increment,\nSequence,Volt,,,-1.144000e-03,2.000000e-06\n"
    "0,12,0x00,0x1f,\n1,12.04,0x00,0x00,\n2,0.12,0x00,0x00,\n"
)
RIGOL_TIMES = "Time,X(CH2),\nSecond,Volt,\n-1.2e-03,12,\n-1.1e-03,12.04,\n-1.0e-03,0.12,\n"
RIGOL_NAMELESS = ",CH2\nSecond,Volt\n-1.63840e-02,1.200e+01, \n-1.63800e-02,1.204e+01, \n-1.63760e-02,1.20e-01, \n"
RIGOL_QUOTED = (
    '"Number of Data points =","3"\n"Sampling Period =","1.0e-3"\n"X","CH1"\n"Second","Volt"\n'
    "0.000,12\n0.001,12.04\n0.002,0.12\n"
)
RIGOL_MEMORY = "CH1(V),t0 = -25s, tInc = 2e-06s,\n12,\n12.04,\n0.12,\n"
RIGOL_SCREEN = "Time(s),CH1V\n-0.5,12\n-0.25,12.04\n0.0,0.12\n"
RIGOL_COUNTED_FROM_22 = (
    "X,CH1,CH2,Start,Increment,\nSequence,Volt,Volt,-1.400000e-03,2.000000e-06,\n"
    "22,1.20e+01,6.25e-03,\n23,1.204e+01,-6.25e-03,\n24,1.2e-01,6.25e-03,\n"
)
RIGOL_BOTH = (
    "Time(s),CH1(V),CH2(V),CH4(V),t0 = -5e-07s, tInc = 4e-10s,\n"
    "-4.996e-07,+1.200000E+01,+1.824256E-02,+1.364244E-02,,\n-4.992e-07,+1.204000E+01,+1.8E-02,+1.3E-02,,\n"
    "-4.988e-07,+1.200000E-01,+1.8E-02,+1.3E-02,,\n"
)
RIGOL_DHO_MEMORY = "CH1V,CH4V,t0=-0.03182,tInc=1.5e-06\n12,1\n12.04,1\n0.12,1\n"
KEYSIGHT_SEGMENTS = (
    "points/segment = 3\nx-axis,1,2\n"
    "second,Volt,Volt\n-1.000000E-03,12.0E+00,-402.010E-06\n-995.000E-06,12.04E+00,+1.206030E-03\n"
    "-990.000E-06,+120.0E-03,+1.2E-03\n"
)
KEYSIGHT = (
    "x-axis,1,2\nsecond,Volt,Volt\n-100.00E-06,12.00E+00,1.0E-03\n-50.00E-06,12.04E+00,2.0E-03\n"
    "0.00E-06,120.0E-03,3.0E-03\n"
)
INFINIIUM = (
    "Revision,0\nType,raw\nStart,0\nPoints,3\nCount,1\nXDispRange,1.0E-05\nXDispOrg,-5.0E-06\nXInc,2.5E-09\nXOrg,-5.0E-06\n"
    "XUnits,second\nYUnits,Volt\nFrame,DSO9254A\nDate,1 JAN 2020\nMax Bandwidth,2.5E+09\nData\n"
)
_INFINIIUM_KEYS = (
    ("Revision", "0"),
    ("Type", "raw"),
    ("Start", "0"),
    ("Points", "3"),
    ("Count", "1"),
    ("XDispRange", "9.0E-06"),
    ("XDispOrg", "-5.0E-06"),
    ("XInc", "2.5E-09"),
    ("XOrg", "-5.000000000000E-06"),
    ("XUnits", "Second"),
    ("YDispRange", "1.6E+01"),
    ("YDispOrg", "6.0E+00"),
    ("YInc", "4.0E-03"),
    ("YOrg", "0.0E+00"),
    ("YUnits", "Volt"),
    ("Frame", "DSO9254A:MY12345678"),
    ("Date", "15 JAN 2020"),
    ("Time", "12:34:56"),
    ("Max Bandwidth", "2.5E+09"),
    ("Min Bandwidth", "0.0E+00"),
)


def infiniium_file(
    form: str, head: str = "", tail: str = "", rows: str = "-5.0E-06,12\n-4.9975E-06,12.04\n-4.995E-06,0.12\n"
) -> str:
    """The keys of Infiniium, each as `form` has it of `key` and `value`."""
    keys = "".join(form.format(key=key, value=value) + "\n" for key, value in _INFINIIUM_KEYS)
    return head + keys + tail + rows


INFINIIUM_TWO = infiniium_file(
    "{key}:,{value},{value}",
    ",Channel 1,Channel 3\n",
    "Data:\n",
    "-5.0E-06,12,-4.0E-06,1\n-4.9975E-06,12.04,-3.9975E-06,2\n-4.995E-06,0.12,-3.995E-06,3\n",
)
SIGLENT_SHORT = (
    "Source,CH1,CH2\nSecond,Volt,Volt\n-0.00007000000, 12.00000, 1.0\n-0.00006999000, 12.04000, 1.0\n"
    "-0.00006998000, 0.12000, 1.0\n"
)
SIGLENT_ADS = (
    "Record Length,3\nSample Interval,CH1:0.0000000100000 CH2:0.0000000100000\nVertical Units,CH1:V CH2:A,,\n"
    "Vertical Scale,CH1:0.05 CH2:0.10,,\nVertical Offset,CH1:-0.15000 CH2:0.20000,,\nHorizontal Units,s,,\n"
    "Horizontal Scale,0.0000000025,,\nModel Number,ADS1202CL+,,\nSerial Number,ADS00001121687,,\n"
    "Software Version,3.01.01.31R16,,\n\nSource,CH1,CH2\nSecond,Volt,Volt\n"
    "-0.00000001000,12.00000,0.01200\n 0.00000000000,12.04000,0.01200\n 0.00000001000,0.12000,0.01200\n"
)
SIGLENT_OLD = (
    "Record Length,Analog:3\nSample Rate,100000000.0\nVertical Scale,CH1: 0.05\nVertical Offset,CH1:0.00000\n"
    "Horizontal Scale, 0.000010000\nSecond,Volt\n"
    "-0.00007000000,12.00000\n-0.00006999000,12.04000\n-0.00006998000,0.12000\n"
)
SIGLENT = (
    "Record Length,Analog:3\nSample Interval,Analog:0.001\nVertical Units,CH2:mV,CH3:V\nVertical Scale,CH2:2.00,CH3:1\n"
    "Vertical Offset,CH2:0,CH3:0\nHorizontal Units,S\nHorizontal Scale,0.1\nModel Number,SDS2104X\nSerial Number,S1\n"
    "Source,CH2,CH3\n{names}\n-0.001,12000,5\n0.000,12040,5\n0.001,120,5\n"
)
TEK_KEYS = [
    ("Record Length", "2.000000e+01"),
    ("Sample Interval", "4.000000e-06"),
    ("Trigger Point", "1.000000e+01"),
    ("", ""),
    ("", ""),
    ("", ""),
    ("Source", "CH1"),
    ("Vertical Units", "V"),
    ("Vertical Scale", "2.000000e+00"),
    ("Vertical Offset", "0.0"),
    ("Horizontal Units", "s"),
    ("Horizontal Scale", "1.000000e-03"),
    ("Pt Fmt", "Y"),
    ("Yzero", "0.0"),
    ("Probe Atten", "1.0"),
    ("Model Number", "TDS2002"),
    ("Serial Number", "C1"),
    ("Firmware Version", "FV:v1"),
]


def left_hand_file(sources: list[str], sign: str = "") -> str:
    lines = []
    for at in range(20):
        key, value = TEK_KEYS[at] if at < len(TEK_KEYS) else ("", "")
        parts = [
            f"{key},{source if key == 'Source' else value},,  {sign}{-40e-6 + at * 4e-6:.9f}, {at + 100 * number},"
            for number, source in enumerate(sources)
        ]
        lines.append("".join(parts))
    return "\r\n".join(lines).replace(f"{sign}-", "-") + "\r\n"


TEK_MSO = (
    "Model,MSO58\nFirmware Version,2.0.3\n\nWaveform Type,ANALOG,ANALOG\nPoint Format,Y,Y\nHorizontal Units,s,s\n"
    "Horizontal Scale,0.001\nSample Interval,1e-06,1e-06\nRecord Length,3,3\nGating,0.0% to 100.0%\n"
    "Vertical Units,V,A\nVertical Scale,2\nLabel,SUPPLY,CURRENT\n,,\n{time},CH1,CH2,\n"
    "-1.000000e-06,12,1.5,\n0.000000e+00,12.04,1.6,\n1.000000e-06,0.12,1.7,\n"
)
TEK_QUOTED = (
    '"Record Length",6,"Points",-6.00e-08,12\n"Sample Interval",1.6e-09,s,-5.84e-08,12.04\n'
    '"Trigger Point",39,"Samples",-5.68e-08,0.12\n"Trigger Time",1.5990174e-009,s,-5.52e-08,12\n'
    '"",,,-5.36e-08,12\n,,,-5.20e-08,12\n'
)
TEK_MIXED = (
    "Model,MDO3014\nFirmware Version,1.20\n\nWaveform Type,ANALOG,,Waveform Type,DIGITAL,\n"
    "Point Format,Y,,Point Format,Y,\nHorizontal Units,s,,Horizontal Units,s,\n"
    "Sample Interval,1e-06,,Sample Interval,2e-06,\nRecord Length,3,,Record Length,3,\n"
    "Gating,0.0% to 100.0%,,Gating,0.0% to 100.0%,\nProbe Attenuation,10,,,,\nVertical Units,V,,Vertical Units,V,V\n"
    "Vertical Offset,0,,Threshold Used,1.65,1.65\n,,,,,\nLabel,PCLK,,Label,FV,REF\nTIME,CH1,,TIME,D11,REF1\n"
    "-1.000000e-06,12,,-2.000000e-06,0,1\n0.000000e+00,12.04,,0.000000e+00,0,2\n1.000000e-06,0.12,,2.000000e-06,1,3\n"
)
TEK_MSO44 = (
    "Model,MSO44\nLabel,\nWaveform Type,ANALOG\nHorizontal Units,s\nSample Interval,1.00000000e-06\nRecord Length,3\n"
    "Zero Index,1.00000000\nVertical Units,V\n,\nLabels,\nTIME,CH1\n"
    "-1.000000e-06,12\n0.000000e+00,12.04\n1.000000e-06,0.12\n"
)
ROHDE_SCHWARZ_RTH = (
    "Model;RTH1004\nSerialNumber;103752\nFirmware Version;'1.80.3.4'\n\n"
    "Acquisition Time Stamp;2023-01-23 12:08:02.423888073;2023-01-23 12:08:02.423888073\nWaveform Type;ANALOG;\n"
    "Acquisition Mode;SAMPLE;\nHorizontal Unit;s;\nHorizontal Scale;5e-07;\nHorizontal Position;-2.504e-07;\n"
    "Reference Point;50 %;\nSample Interval;8e-10;\nRecord Length;3;\nProbe Setting;'100:1';'0.1 V/A'\n"
    "Vertical Unit;V;A\nVertical Scale;5;5\nVertical Position;-1;1\nVertical Offset;0;0\nHistory Index;0;0\n"
    "History Time Stamp;0.000000000000;0.000000000000\n;;\nTIME;CH1;CH4\n"
    "-2.7504e-06;12;0.4\n-2.7496e-06;12.04;0.4\n-2.7488e-06;0.12;0.4\n"
)
ROHDE_SCHWARZ_RTM20 = "[s],CH1[V]\n-1.1996E-02,1.2E+01\n-1.1992E-02,1.204E+01\n-1.1988E-02,1.2E-01\n"
SIGROK_HEAD = (
    "; CSV generated by libsigrok 0.5.2\n; from Demo driver and pattern generator on Tue Nov 24 05:11:23 2026\n"
    "; Channels ({count}/3): {names}\n; Samplerate: {rate}\n"
)
SIGROK_VOLTS = SIGROK_HEAD.format(count=2, names="A0, Rail", rate="300 kHz") + "V DC,V DC\n1,12\n1,12.04\n2,0.12\n"
SIGROK_TIMES = SIGROK_HEAD.format(count=2, names="D0, Rail", rate="300 kHz") + (
    "microseconds,logic,V DC,Trigger\n3,0,12,0\n6,1,12.04,1\n9,0,0.12,0\n"
)
SIGROK_NAMES = (
    SIGROK_HEAD.format(count=2, names="A0, Rail", rate="2 Hz") + "Time,A0,Rail\n500,1,12\n1000,1,12.04\n1500,2,0.12\n"
)
PARAMETERS = (
    "Resolution:1e-3:\nRecordLength:3:\nXStart:-0.5:\nXStop:-0.498:\nSignalRecordLength:3:\nHardwareXStart:-0.501:\n"
    "SignalHardwareRecordLength:4:\nSignalResolution:1e-3:\nSource:Ch2:\nTimestampState:Off:\n"
)
PICO = "Time,Channel A\n(ms),(mV)\n\n-0.50000000,12000.00\n0.00000000,12040.00\n0.50000000,120.00\n"


CSV_FILES = (
    RIGOL_COUNTED,
    RIGOL_LOGIC,
    RIGOL_TIMES,
    RIGOL_NAMELESS,
    RIGOL_QUOTED,
    RIGOL_MEMORY,
    RIGOL_SCREEN,
    RIGOL_COUNTED_FROM_22,
    RIGOL_BOTH,
    RIGOL_DHO_MEMORY,
    KEYSIGHT,
    KEYSIGHT_SEGMENTS,
    infiniium_file("{key}:{value}", tail="Data:\n"),
    infiniium_file("{key}:    {value}", "Channel 2\n", "Time,  Channel 2\n"),
    INFINIIUM_TWO,
    INFINIIUM + "12\n12.04\n0.12\n",
    INFINIIUM + "-5.0000E-06,12\n-4.9975E-06,12.04\n-4.9950E-06,0.12\n",
    SIGLENT_OLD,
    SIGLENT_SHORT,
    SIGLENT_ADS,
    SIGLENT.format(names="Second,Value,Value"),
    SIGLENT.format(names="Time,CH2,CH3"),
    left_hand_file(["CH1"]),
    left_hand_file(["CH1", "CH2"]),
    TEK_MSO.format(time="TIME"),
    TEK_QUOTED,
    TEK_MIXED,
    TEK_MSO44,
    ROHDE_SCHWARZ_RTH,
    ROHDE_SCHWARZ_RTM20,
    SIGROK_VOLTS,
    SIGROK_TIMES,
    SIGROK_NAMES,
    "in s,C1 in V\n-5.9E-01,12\n-4.9E-01,12.04\n-3.9E-01,0.12\n",
    PARAMETERS,
    PICO,
    "Zeit;Kanal A;Kanal B\n(µs);(V);(kV)\n\n-0,5;12,0;1\n0,0;12,04;2\n0,5;0,12;3\n",
    "time,volts\n0,12\n1,12.04\n2,0.12\n",
    "time (ms),volts\n0.0,12\n10.1,12\n20.3,0\n30.2,0\n",
    "12\n12.04\n0.12\n",
)


VOLTS = [12.0, 12.04, 0.12]


def file(folder: Path, text: str, name: str = "scope.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def expect(wave: Waveform, dialect: str, channel: str, volts: list[float], grid: Grid) -> None:
    assert (wave.dialect, wave.channel) == (dialect, channel)
    assert wave.values.tolist() == volts
    assert wave.grid == grid
    assert wave.times_ns is None
    assert wave.scale is None
    assert wave.notes[0] == f"read as {dialect}"
