"""The other verbs on a kernel's chip: controls, doctor, safe; and what is not as it should be with its lines."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.kernel.benches import Bench
from tests.kernel.chips import PINS, Chip

pytestmark = pytest.mark.kernel

RAIL_UP = 5
"""The comparator's line in the twin's bench file."""
_HOLDER = """
import sys, gpiod
from gpiod.line import Direction
lines = {int(sys.argv[2]): gpiod.LineSettings(direction=Direction.INPUT)}
with gpiod.request_lines(sys.argv[1], consumer="somebody else", config=lines):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(chip: Chip, line: int) -> Iterator[None]:
    """Another process has this line."""
    words = [sys.executable, "-c", _HOLDER, chip.device, str(line)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield


def test_the_controls_are_made_and_stand(serve: Callable[..., Bench], chip: Chip) -> None:
    bench = serve("--firmware", "cut-45s").quick()
    done = bench.rig("controls", "--json")
    assert done.code == 0, done.told + done.errors
    assert chip.feeds() == (0, 0)
    record = bench.run("cut-45s").json
    assert record["verdict"] == "PASS"


def test_the_doctor_sees_the_chip_and_changes_nothing(serve: Callable[..., Bench], chip: Chip) -> None:
    bench = serve("--firmware", "cut-45s")
    time.sleep(120)  # the meter starts
    before = chip.relays()
    found = bench.rig("doctor", "--json")
    assert chip.relays() == before
    rows = {row["what"]: row for row in found.json["checks"]}
    assert "pinctrl-bcm2711" in rows["GPIO chip"]["found"]
    assert bench.rig("safe").code == 0
    rows = {row["what"]: row for row in bench.rig("doctor", "--json").json["checks"]}
    assert "held by process" in rows["kept lines"]["found"]
    assert not [row for row in rows.values() if row["status"] == "failed"], rows


def test_safe_moves_energised_lines_and_somebody_keeps_them(serve: Callable[..., Bench], chip: Chip) -> None:
    bench = serve("--firmware", "cut-45s")
    assert chip.feeds() == (1, 1)
    done = bench.rig("safe", "--json")
    assert done.code == 0, done.told
    assert chip.relays() == {"mains": 1, "meter-feed": 0, "supply-feed": 0}


def test_a_sense_line_that_another_process_has_is_named_and_nothing_is_touched(
    serve: Callable[..., Bench], chip: Chip
) -> None:
    bench = serve("--firmware", "cut-45s")
    with held(chip, RAIL_UP):
        done = bench.run("cut-45s")
    assert done.code == 2, done.told
    error = done.json
    assert error["schema"] == "rig.error/1"
    assert "somebody else" in error["found"]
    assert f"line {RAIL_UP}" in error["found"]
    assert not list(bench.out.glob("*/run.json"))


def test_a_relay_line_that_another_process_has_is_an_error_of_the_bench(
    serve: Callable[..., Bench], chip: Chip
) -> None:
    bench = serve("--firmware", "cut-45s")
    with held(chip, PINS["meter-feed"]):
        done = bench.run("cut-45s")
    assert done.code == 4, done.told
    assert "K2" in done.json["message"] + str(done.json["key"]), done.json


def test_a_chip_that_disappears_ends_the_run_and_is_never_a_pass(serve: Callable[..., Bench], chip: Chip) -> None:
    bench = serve("--firmware", "cut-45s").quick()
    with bench.running("cut-45s") as run:
        run.step("watch")
        chip.vanish()
        assert run.end() in (3, 4), run.told
    assert bench.record()["verdict"] in ("ERROR", "INCONCLUSIVE")
