"""Programs that nobody here wrote with the twin's oscilloscopes: sigrok-cli, and drivers of three other makers."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from rig.twin.ports import Cancellable
from rig.twin.scopes.keysight_infiniivision import TwinInfiniiVision
from rig.twin.scopes.rigol_ds1000z import TwinDS1000Z
from rig.twin.scopes.scope_face import TwinScope
from rig.twin.scopes.siglent_sds1000x_e import TwinSDS1000XE
from rig.twin.wire import LineServer
from tests.foreign.programs import needs_foreign, told

RAIL_V = 11.4
needs_sigrok = pytest.mark.skipif(shutil.which("sigrok-cli") is None, reason="sigrok-cli is not installed")


class Now:
    """The machine's clock, for faces that run freely: nothing is ever scheduled then."""

    def now(self) -> int:
        return time.monotonic_ns()

    def schedule(self, at_ns: int, fn: Callable[[], None]) -> Cancellable:
        raise AssertionError("one that runs freely has nothing to wait for")

    def defer(self, delay_s: float | None, reply: Callable[[], None]) -> None:
        """A question that it does not know is never answered: the program finds that out by itself."""


class Steady:
    """A rail that does not move."""

    def volts(self, at_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return np.full(len(at_ns), RAIL_V)

    def turns(self, from_ns: int, to_ns: int) -> npt.NDArray[np.int64]:
        return np.empty(0, np.int64)

    def on_fall(self, level_v: float, fn: Callable[[int], None]) -> Cancellable:
        raise AssertionError("nothing falls here")


@contextmanager
def server(face: type[TwinScope], *lines: str) -> Iterator[LineServer]:
    """The face behind its wire, after these commands."""
    scope = face(Now(), Steady(), 7, 0.05)  # type: ignore[arg-type,call-arg]
    for line in lines:
        scope.handle(line)
    wire = LineServer("scope", scope.handle, Now(), threading.RLock())
    try:
        yield wire
    finally:
        wire.close()


def sigrok(driver: str, wire: LineServer, *words: str) -> str:
    device = f"{driver}:conn=tcp-raw/127.0.0.1/{wire.port}"
    return subprocess.run(
        ["sigrok-cli", "-d", device, *words], capture_output=True, text=True, timeout=60, check=True
    ).stdout


@needs_sigrok
def test_sigrok_captures_a_frame_of_the_ds1000z():
    with server(TwinDS1000Z, ":CHAN1:SCAL 2", ":CHAN1:OFFS -6", ":TIM:MAIN:SCAL 1e-3") as wire:
        out = sigrok("rigol-ds", wire, "-C", "CH1", "--frames", "1", "-O", "csv")
    volts = [float(line) for line in out.splitlines() if line and line[0] in "-0123456789"]
    assert len(volts) == 1200
    assert max(abs(value - RAIL_V) for value in volts) < 0.2


@needs_sigrok
def test_sigrok_reads_the_settings_of_the_sds1000x_e():
    """Its driver of libsigrok 0.5.2 does not end a capture: it asks for zero bytes for ever."""
    with server(TwinSDS1000XE, "TDIV 1MS", "C1:VDIV 2V") as wire:
        out = sigrok("siglent-sds", wire, "--show")
    assert "Siglent SDS1104X-E 8.2.6.1.37R2" in out
    assert "1 ms (current)" in out


@needs_foreign
@pytest.mark.parametrize(("maker", "face"), [("keysight", TwinInfiniiVision), ("siglent", TwinSDS1000XE)])
def test_pymeasure_sets_the_oscilloscope_up_and_downloads_what_it_sees(maker: str, face: type[TwinScope]):
    with server(face) as wire:
        found = json.loads(told("pymeasure_scope.py", maker, wire.address))
    assert found["scale"] == 2.0
    assert found["offset"] == (6.0 if maker == "keysight" else -6.0)
    assert found["points"] == 1000
    assert abs(found["low"] - RAIL_V) < 0.2
    assert abs(found["high"] - RAIL_V) < 0.2
    assert found["interval"] == pytest.approx(1e-5 if maker == "keysight" else 1e-6)


@needs_foreign
def test_labmcp_sets_the_ds1000z_up_measures_and_reads_screen_and_memory():
    with server(TwinDS1000Z) as wire:
        found = json.loads(told("labmcp_scope.py", str(wire.port)))
    channel = found["channel"]
    assert (channel["scale_v_per_div"], channel["offset_v"], channel["probe_ratio"]) == (2.0, -6.0, 10.0)
    assert (found["trigger"]["level_v"], found["trigger"]["slope"], found["trigger"]["status"]) == (8.0, "NEG", "AUTO")
    assert (found["screen"][0], found["memory"][0]) == (1200, 12_000)
    for value in (*found["screen"][1:], *found["memory"][1:], *found["measured"].values()):
        assert abs(value - RAIL_V) < 0.2


@needs_foreign
def test_msox3000_measures_and_downloads_what_the_infiniivision_shows(tmp_path: Path):
    file = tmp_path / "screen.csv"
    with server(TwinInfiniiVision) as wire:
        found = json.loads(told("msox3000_scope.py", wire.address, str(file)))
    assert found["shown"] == [True, False]
    assert all(abs(value - RAIL_V) < 0.2 for value in found["measured"])
    rows = [line.split(",") for line in file.read_text().splitlines()[1:]]
    assert (len(rows), found["points"]) == (999, 1000)  # its file has all but the last one
    assert max(abs(float(volts) - RAIL_V) for _, volts in rows) < 0.2
    assert float(rows[1][0]) - float(rows[0][0]) == pytest.approx(1e-5)
