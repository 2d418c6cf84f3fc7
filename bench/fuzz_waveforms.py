"""Feed the waveform readers damaged files: only `InputError` may come out, or a waveform that is whole.

    python -m bench.fuzz_waveforms [COUNT] [SEED]

Prints how many inputs were tried, how many were read and how many refused. An input that breaks the rule is kept.
"""

from __future__ import annotations

import gzip
import io
import random
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from rig.errors import InputError
from rig.instruments.ports import Capture
from rig.records.capture_file import save_capture
from rig.waveforms import Waveform, channels, dialects, read
from tests.waveforms.files import CSV_FILES

TOKENS = (
    *(
        token.encode()
        for token in (",", ";", "\t", "\n", "\r\n", "\r", '"', "=", ":", "-", "+", ".", "e", "E+", "0x", "#", " ")
    ),
    *(
        token.encode()
        for token in ("nan", "inf", "∞", "9.9E+37", "1e400", "1e-400", "-0", "1e9", "1e18", "0.1", "999999999999")
    ),
    *(
        token.encode()
        for token in ("Start", "Increment", "Second", "Volt", "time", "TIME", "X", "x-axis", "Analog:", "(ms)")
    ),
    *(
        token.encode()
        for token in ("in s", "tInc = 0", "t0 = nan", "Record Length", "Sample Interval", "XInc", "CH1", "D0")
    ),
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"Resolution:1:\nXStart:0:\nRecordLength:3:\n",
)


def broken(source: random.Random, data: bytes, others: tuple[bytes, ...]) -> bytes:
    """`data` with up to eight faults in it."""
    work = bytearray(data)
    for _ in range(source.choice((0, 1, 1, 1, 2, 3, 8))):
        at, to = sorted(source.randrange(len(work) + 1) for _ in range(2))
        match source.randrange(9):
            case 0:
                work[at : at + 1] = bytes([source.randrange(256)])
            case 1:
                del work[at : min(to, at + 40)]
            case 2:
                work[at:at] = work[at : min(to, at + 200)] * source.choice((1, 1, 50))
            case 3 | 4:
                work[at:at] = source.choice(TOKENS)
            case 5:
                work[at : at + source.randrange(4)] = source.choice(TOKENS)
            case 6:
                del work[at:]
            case 7:
                work[at:to] = source.choice(others)
            case 8:
                work[:] = work.replace(source.choice(TOKENS), source.choice(TOKENS), source.choice((1, -1)))
    return bytes(work)


def seeds(folder: Path) -> tuple[bytes, ...]:
    """Good files: each CSV dialect, a compressed one, a sigrok session and a capture."""
    texts = tuple(text.encode() for text in CSV_FILES)
    session = io.BytesIO()
    with zipfile.ZipFile(session, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("version", "2")
        archive.writestr("metadata", "[device 1]\nsamplerate=1 kHz\ntotal analog=1\nanalog1=CH1\n")
        archive.writestr("analog-1-1-1", np.linspace(0, 12, 50, dtype="<f4").tobytes())
    path = folder / "seed.h5"
    codes = np.arange(300, dtype=np.int16)
    save_capture(path, Capture(codes, 1e-3, -0.1, 0.01, 5.0, -512, 511, 0.02, 0.05, 25.0, 1e-4), 1.0)
    return (*texts, *texts, *texts, gzip.compress(texts[0]), session.getvalue(), path.read_bytes())


def check(wave: Waveform) -> None:
    """What every waveform keeps, whatever it was read from."""
    count = len(wave.values)
    assert wave.values.ndim == 1
    assert count >= 2
    assert (wave.grid is None) != (wave.times_ns is None)
    if wave.scale is None:
        assert not np.isinf(wave.values).any()
    if wave.grid is not None:
        assert wave.grid.dt_s > 0
        assert np.isfinite(wave.grid.first_s)
        assert np.isfinite(wave.grid.dt_s)
        assert abs(wave.grid.first_s) + count * wave.grid.dt_s < 1e16
    if wave.times_ns is not None:
        assert len(wave.times_ns) == count
        assert np.all(np.diff(wave.times_ns) > 0)


def attempt(source: random.Random, path: Path) -> bool:
    """Read `path` with whatever options; True when it gave a waveform."""
    options = source.random()
    dialect = source.choice((None, *dialects())) if options < 0.2 else None
    interval_s = source.choice((1e-3, 0.0, float("nan"), -1.0)) if options > 0.8 else None
    start_s = source.choice((0.5, float("inf"))) if options > 0.9 else None
    try:
        known = channels(path, dialect=dialect, interval_s=interval_s)
        channel = source.choice((*known, *known, *known, None, "CH1"))
        wave = read(path, channel=channel, dialect=dialect, interval_s=interval_s, start_s=start_s)
    except InputError as error:
        told = error.one_line()
    else:
        check(wave)
        return True
    assert told.startswith(str(path.parent))
    assert "\n" not in told
    return False


def main(count: int = 20_000, seed: int = 1) -> None:
    tried = taken = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good = seeds(folder)
        for number in range(count):
            source = random.Random(f"{seed}/{number}")
            path = folder / source.choice(("f.csv", "f.csv", "f.Wfm.csv", "f.csv.gz"))
            data = broken(source, source.choice(good), good)
            path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" and source.random() < 0.5 else data)
            try:
                taken += attempt(source, path)
            except BaseException:
                Path("fuzz-broken.bin").write_bytes(path.read_bytes())
                print(f"seed {seed}, input {number}: kept as fuzz-broken.bin (was {path.name})")
                raise
            tried += 1
    print(f"{tried} inputs tried: {taken} read, {tried - taken} refused, none of them otherwise")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
