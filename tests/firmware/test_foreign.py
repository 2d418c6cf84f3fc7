"""Another program's parser reads what is built here, and agrees: zigpy, in a process and an interpreter of its own.

zigpy is found in the interpreter that RIG_ZIGPY_PYTHON names, else in Debian's (package python3-zigpy).
"""

from __future__ import annotations

import json
import os
import random
import string
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rig.errors import InputError
from rig.firmware import OtaElement, build, load, names
from rig.firmware.inspection import inspect
from rig.firmware.ota import FIXED_LENGTHS
from tests.firmware.containers import full, gb, good, surveyed

_READER = Path(__file__).with_name("zigpy_reader.py")


def _interpreter() -> str | None:
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('zigpy') is None)"
    for python in filter(None, (os.environ.get("RIG_ZIGPY_PYTHON"), "/usr/bin/python3")):
        if Path(python).exists() and subprocess.run([python, "-c", look], check=False, env={}).returncode == 0:
            return python
    return None


BROKEN = {
    "short": good()[:-1],
    "big-endian": b"\x0b\xee\xf1\x1e" + good()[4:],
    "overrun": good()[:62] + b"\xff" + good()[63:],
}


def _drawn() -> dict[str, bytes]:
    """Every kind of header and of sub-element. Header strings are text: zigpy 0.53 keeps no others as they are."""
    source = random.Random("zigpy")
    drawn = {"full": full()}
    for number in range(100):
        tags = [source.choice((0, 1, 2, 3, 4, 5, 6, 0xF001, 0xFFFF)) for _ in range(source.randint(1, 5))]
        lengths = [FIXED_LENGTHS.get(tag, source.randint(0, 300)) for tag in tags]
        drawn[f"drawn-{number}"] = build(
            manufacturer_code=source.randrange(1 << 16),
            image_type=source.randrange(1 << 16),
            file_version=source.randrange(1 << 32),
            zigbee_stack_version=source.randrange(4),
            header_string="".join(source.choices(string.ascii_letters + " .-", k=source.randint(0, 32))).encode(),
            security_credential_version=source.choice((None, source.randrange(4))),
            upgrade_file_destination=source.choice((None, source.randrange(1 << 64))),
            hardware_versions=source.choice((None, (source.randrange(100), 100 + source.randrange(100)))),
            elements=[OtaElement(tag, source.randbytes(size)) for tag, size in zip(tags, lengths, strict=True)],
        )
    return drawn


@pytest.fixture(scope="module")
def zigpy(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, dict[str, Any]]:
    """What zigpy says of each file. One process reads them all: it starts slowly."""
    python = _interpreter()
    if python is None:
        pytest.skip("no interpreter has zigpy: apt-get install python3-zigpy, or name one in RIG_ZIGPY_PYTHON")
    place = tmp_path_factory.mktemp("zigpy")
    for name, data in {**_drawn(), **BROKEN, "gb": gb(b"a manufacturer image")}.items():
        (place / name).write_bytes(data)
    files = [*place.iterdir(), *(load(name).image for name in names())]
    command = [python, str(_READER), *(str(file) for file in files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 0, done.stderr
    return dict(zip(files, json.loads(done.stdout), strict=True))


def _named(zigpy: dict[Path, dict[str, Any]], name: str) -> dict[str, Any]:
    return next(told for file, told in zigpy.items() if file.name == name)


def _agrees(theirs: dict[str, Any], file: Path) -> None:
    ours = inspect(str(file)).to_json()
    assert ours["good"]
    assert theirs["header"] == {name: ours["header"][name] for name in theirs["header"]}
    assert theirs["elements"] == [
        {"tag": e["tag"], "length": e["length"], "sha256": e["sha256"]} for e in ours["elements"]
    ]
    assert (theirs["rest"], theirs["same_again"]) == (0, True)


def test_zigpy_reads_every_packaged_image_as_we_do_and_writes_the_same_bytes(
    zigpy: dict[Path, dict[str, Any]],
) -> None:
    packaged = [file for file in zigpy if file.name == "image.ota"]
    assert len(packaged) == len(names())
    for file in packaged:
        _agrees(zigpy[file], file)


def test_zigpy_reads_every_kind_of_header_and_sub_element_as_we_do(zigpy: dict[Path, dict[str, Any]]) -> None:
    drawn = [file for file in zigpy if file.name in _drawn()]
    assert len(drawn) == 101
    for file in drawn:
        _agrees(zigpy[file], file)


@pytest.mark.parametrize("name", BROKEN)
def test_what_zigpy_refuses_is_refused_here(name: str, zigpy: dict[Path, dict[str, Any]]) -> None:
    assert "refused" in _named(zigpy, name)
    with pytest.raises(InputError):
        surveyed(BROKEN[name]).check()


def test_zigpy_knows_no_gb_layout(zigpy: dict[Path, dict[str, Any]]) -> None:
    """So that nobody takes the agreement above for more than it is."""
    assert "refused" in _named(zigpy, "gb")
