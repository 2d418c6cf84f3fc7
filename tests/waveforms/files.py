"""Small files of each maker's header form, with made-up numbers: three samples, 12 V, 12.04 V and 0.12 V, mostly."""

from __future__ import annotations

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
KEYSIGHT = (
    "x-axis,1,2\nsecond,Volt,Volt\n-100.00E-06,12.00E+00,1.0E-03\n-50.00E-06,12.04E+00,2.0E-03\n"
    "0.00E-06,120.0E-03,3.0E-03\n"
)
INFINIIUM = (
    "Revision,0\nType,raw\nStart,0\nPoints,3\nCount,1\nXDispRange,1.0E-05\nXDispOrg,-5.0E-06\nXInc,2.5E-09\nXOrg,-5.0E-06\n"
    "XUnits,second\nYUnits,Volt\nFrame,DSO9254A\nDate,1 JAN 2020\nMax Bandwidth,2.5E+09\nData\n"
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
    KEYSIGHT,
    INFINIIUM + "12\n12.04\n0.12\n",
    INFINIIUM + "-5.0000E-06,12\n-4.9975E-06,12.04\n-4.9950E-06,0.12\n",
    SIGLENT_OLD,
    SIGLENT.format(names="Second,Value,Value"),
    SIGLENT.format(names="Time,CH2,CH3"),
    left_hand_file(["CH1"]),
    left_hand_file(["CH1", "CH2"]),
    TEK_MSO.format(time="TIME"),
    "in s,C1 in V\n-5.9E-01,12\n-4.9E-01,12.04\n-3.9E-01,0.12\n",
    PARAMETERS,
    PICO,
    "Zeit;Kanal A;Kanal B\n(µs);(V);(kV)\n\n-0,5;12,0;1\n0,0;12,04;2\n0,5;0,12;3\n",
    "time,volts\n0,12\n1,12.04\n2,0.12\n",
    "time (ms),volts\n0.0,12\n10.1,12\n20.3,0\n30.2,0\n",
    "12\n12.04\n0.12\n",
)
