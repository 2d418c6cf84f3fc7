"""Feed the OTA parser and the manifest's reader damaged files: only `InputError` may come out, or what is whole.

    python -m bench.fuzz_firmware [COUNT] [SEED]

COUNT containers are read as bytes; one in fifty also as a file by `inspect`, which hashes its parts; and one in fifty
manifests is damaged beside them and loaded. Prints how many inputs were tried, and how much memory and time the worst
took. An input that breaks the rule is kept.
"""

from __future__ import annotations

import io
import random
import resource
import shutil
import struct
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from rig.errors import InputError
from rig.firmware import load
from rig.firmware.container import MOST_ELEMENTS, Container, survey
from rig.firmware.fixture import MANIFEST, packaged
from rig.firmware.inspection import inspect
from tests.firmware.containers import full, gb, good

NUMBERS = (0, 1, 5, 6, 56, 60, 64, 66, 69, 0x40, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
FIELDS = ((4, "<H"), (6, "<H"), (8, "<H"), (18, "<H"), (52, "<I"), (56, "<H"), (58, "<H"), (60, "<H"), (62, "<I"))
TOKENS = (
    "=",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'''",
    '"""',
    "#",
    "\n",
    ",",
    ".",
    "-",
    "inf",
    "nan",
    "1e400",
    "0x1",
    "\\u",
    "é",
)
MOST_MB = 200
MOST_S = 1.0


def broken(source: random.Random, data: bytes, others: tuple[bytes, ...]) -> bytes:
    """`data` with up to eight faults in it."""
    work = bytearray(data)
    for _ in range(source.choice((0, 1, 1, 1, 2, 3, 8))):
        at, to = sorted(source.randrange(len(work) + 1) for _ in range(2))
        match source.randrange(8):
            case 0:
                work[at : at + 1] = bytes([source.randrange(256)])
            case 1:
                del work[at : min(to, at + 40)]
            case 2:
                work[at:at] = work[at : min(to, at + 200)] * source.choice((1, 1, 50))
            case 3:
                work[at:at] = source.randbytes(source.randrange(80))
            case 4:
                del work[at:]
            case 5:
                work[at:to] = source.choice(others)
            case 6:
                work += bytes(source.choice((1, 7, 10_000)))
            case 7:
                offset, layout = source.choice(FIELDS)
                if len(work) >= offset + struct.calcsize(layout):
                    number = source.choice((*NUMBERS, len(work), len(work) + 1, len(work) - 1))
                    struct.pack_into(layout, work, offset, number & (1 << 8 * struct.calcsize(layout)) - 1)
    return bytes(work)


def check(data: bytes, container: Container) -> None:
    """What every reading keeps: each byte after the header belongs to one thing, and a good file is good throughout."""
    assert len(container.elements) <= MOST_ELEMENTS
    parts = [(element.offset, element.data.end) for element in container.elements]
    if container.gb is not None:
        image = container.gb.manufacturer_image
        parts += [(image.offset, image.end), (image.end, image.end + 66)]
        assert container.gb.signature == data[image.end + 2 : image.end + 66]
    parts += [(part.offset, part.end) for part in (container.unread, container.trailing) if part is not None]
    assert all(end == start for (_, end), (start, _) in pairwise(parts))
    assert not parts or parts[-1][1] == len(data)
    if not container.faults:
        header = container.header
        assert header.total_image_size == len(data)
        assert parts[0][0] == header.ota_header_length
        assert container.unread is None
        assert container.trailing is None
        assert all(element.length == element.data.length for element in container.elements)


def attempt(data: bytes) -> str:
    try:
        container = survey(io.BytesIO(data), "x.ota")
    except InputError as error:
        check_told(error, "x.ota: offset ")
        return "no upgrade file"
    check(data, container)
    if container.faults:
        check_told(container.faults[0].error("x.ota"), "x.ota: offset ")
    return "with faults" if container.faults else "good"


def attempt_file(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        inspect(str(path)).to_json()
    except InputError as error:
        check_told(error, str(path))


def attempt_manifest(source: random.Random, folder: Path) -> bool:
    """Damage the manifest, load the fixture, put the manifest back; True when it loaded all the same."""
    whole = (folder / MANIFEST).read_text(encoding="utf-8")
    text = whole
    for _ in range(source.choice((1, 1, 2, 3, 8))):
        at, to = sorted(source.randrange(len(text) + 1) for _ in range(2))
        text = text[:at] + source.choice((*TOKENS, text[at : min(to, at + 30)])) + text[at + source.randrange(20) :]
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    try:
        load(str(folder))
    except InputError as error:
        check_told(error, str(folder))
        return False
    else:
        return True
    finally:
        (folder / "damaged.toml").write_text(text, encoding="utf-8")
        (folder / MANIFEST).write_text(whole, encoding="utf-8")


def check_told(error: InputError, start: str) -> None:
    line = error.one_line()
    assert line.startswith(start)
    assert "\n" not in line


def main(count: int = 200_000, seed: int = 1) -> None:
    image = load("cut-45s").image_bytes()
    seeds = (good(), full(), gb(b"manufacturer image" * 10), good(hardware_versions=None), image)
    told: dict[str, int] = {}
    files = loaded = 0
    slowest_s = 0.0
    with tempfile.TemporaryDirectory() as name:
        folders = sorted(Path(shutil.copytree(packaged(), Path(name) / "fixtures")).iterdir())
        for number in range(count):
            source = random.Random(f"{seed}/{number}")
            data, folder = broken(source, source.choice(seeds), seeds), source.choice(folders)
            start = time.process_time()
            try:
                outcome = attempt(data)
                if number % 50 == 0:
                    files += 1
                    attempt_file(Path(name) / "x.ota", data)
                    loaded += attempt_manifest(source, folder)
            except BaseException:
                Path("fuzz-broken.ota").write_bytes(data)
                if (folder / "damaged.toml").exists():
                    shutil.copy(folder / "damaged.toml", "fuzz-broken.toml")
                print(f"seed {seed}, input {number}: kept as fuzz-broken.ota and fuzz-broken.toml")
                raise
            slowest_s = max(slowest_s, time.process_time() - start)
            told[outcome] = told.get(outcome, 0) + 1
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} containers tried: {', '.join(f'{n} {what}' for what, n in sorted(told.items()))}")
    print(f"{files} of them as files too, and as many manifests: {loaded} loaded, {files - loaded} refused")
    print(f"nothing else came out; the slowest took {slowest_s * 1e3:.0f} ms (< {MOST_S * 1e3:.0f})")
    print(f"at most {peak_mb:.0f} MB (< {MOST_MB})")
    assert peak_mb < MOST_MB
    assert slowest_s < MOST_S


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
