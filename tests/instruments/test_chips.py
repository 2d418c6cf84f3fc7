"""GPIO chips and lines as they are shown to who only looks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gpiod
import pytest

from rig.clock.virtual import VirtualClock
from rig.errors import BenchError
from rig.instruments.chips import chip_info, line_infos, load_open_chip
from rig.twin.devices import Signal
from rig.twin.gpio import TwinChip

CHIP = "/dev/gpiochip0"


@pytest.fixture
def chip() -> TwinChip:
    return TwinChip(CHIP, VirtualClock(), {5: Signal(), 16: Signal()})


def test_a_chip_tells_its_label_and_lines(chip: TwinChip) -> None:
    info = chip_info(chip.open, CHIP)
    assert (info.name, info.label, info.num_lines) == ("gpiochip0", "twin", 54)


def test_a_line_is_free_until_somebody_requests_it_and_after_its_release(chip: TwinChip) -> None:
    def used() -> dict[int, tuple[bool, str]]:
        return {n: (info.used, info.consumer) for n, info in line_infos(chip.open, CHIP, [5, 16, 27]).items()}

    assert set(used().values()) == {(False, "")}
    request = chip.request_lines(CHIP, {5: None}, "somebody")
    assert used() == {5: (True, "somebody"), 16: (False, ""), 27: (False, "")}
    nameless = chip.request_lines(CHIP, {16: None})
    assert used()[16] == (True, "?")
    request.release()
    nameless.release()
    assert set(used().values()) == {(False, "")}


def test_a_line_that_there_is_not_is_told_with_how_many_there_are(chip: TwinChip) -> None:
    with pytest.raises(BenchError, match="/dev/gpiochip0 has no line 54; it has 54"):
        line_infos(chip.open, CHIP, [53, 54])


def test_a_chip_that_goes_away_is_a_bench_error(chip: TwinChip) -> None:
    closed = []

    class Gone:
        def get_info(self) -> Any:
            raise OSError(19, "No such device")

        get_line_info = get_info

        def close(self) -> None:
            closed.append(True)

    with pytest.raises(BenchError, match="/dev/gpiochip0: No such device"):
        chip_info(lambda _: Gone(), CHIP)
    assert closed == [True]


def test_this_machines_gpiod_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_open_chip() is gpiod.Chip
    with pytest.raises(BenchError, match="/dev/gpiochip-none: No such file"):
        chip_info(load_open_chip(), "/dev/gpiochip-none")
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match=r"file: "):
        chip_info(load_open_chip(), str(tmp_path / "file"))
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(BenchError, match="no gpiod here"):
        load_open_chip()
