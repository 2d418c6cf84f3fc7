"""Whole runs with peak detect: few bins prove the rail up, and show a dip that samples so far apart step over."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rig
from rig.procedures import control
from rig.twin import bench as twin_bench
from rig.twin.faces import OSCILLOSCOPES
from rig.twin.scopes.keysight_infiniivision import TwinInfiniiVision
from rig.waveforms import open_capture
from tests.firmware.folders import change

FIXTURE = Path(__file__).parents[2] / "firmware_fixtures" / "cut-45s"
MEMORY = 10_000
"""In a window of 500 s: a sample each 50 ms, or a bin of peak detect each 100 ms."""
DIP_S = (60.010, 60.050)
"""The rail falls to 4 V, between two samples: the window begins where the cut at 3 s has fallen to 10 V, 6 ms later."""


@pytest.fixture(autouse=True)
def shallow_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    face, template = OSCILLOSCOPES["keysight-infiniivision"], twin_bench.template

    def small(text: str) -> str:
        return text.replace("max_s = 3600.0", "max_s = 400.0").replace("depth = 1_000_000", f"depth = {MEMORY}")

    shallow = replace(face, make=lambda *words: TwinInfiniiVision(*words, memory=MEMORY))
    monkeypatch.setitem(OSCILLOSCOPES, "keysight-infiniivision", shallow)
    monkeypatch.setattr(twin_bench, "template", lambda name: small(template(name)))
    monkeypatch.setattr(control, "CONTROL_DEPTH", MEMORY)


@pytest.fixture
def dips(tmp_path: Path) -> Path:
    """A meter that cuts the rail for 45 s, and 12 s later lets it dip for 40 ms."""
    folder = tmp_path / "dips"
    shutil.copytree(FIXTURE, folder)
    steps = f"  [48.0, 12.0],\n  [{DIP_S[0]}, 0.0],\n  [{DIP_S[1]}, 12.0],\n"
    change(folder, "  [48.0, 12.0],\n", steps)
    return folder


def lowest_after(file: Path, time_s: float) -> float:
    """Volts of the least code from so long after the trigger on."""
    with open_capture(file) as stored:
        codes = np.concatenate(list(stored.blocks()))
        first = round((time_s - stored.grid.first_s) / stored.grid.dt_s) * (2 if stored.bins else 1)
        return float(stored.scale.volts(codes[first:]).min())


def test_a_run_with_peak_detect_sees_a_dip_that_samples_step_over(dips: Path, tmp_path: Path) -> None:
    lowest, upper = {}, {}
    for peak in ("false", "true"):
        out = tmp_path / peak
        bench = f"twin,oscilloscope=keysight-infiniivision,peak_detect={peak}"
        record = rig.run_activation(bench, dips, out=out)
        assert record.verdict == "PASS"
        outage = record.outages[0]
        assert outage.upper_s is not None
        assert 44.8 < outage.lower_s <= 45.0 <= outage.upper_s < 45.1
        assert "scope" in outage.sources
        assert any(row.key == "oscilloscope.peak_detect" for row in record.assumptions) is (peak == "true")
        (file,) = out.glob("*/activation.h5")
        lowest[peak] = lowest_after(file, 50.0)
        upper[peak] = rig.analyse(file, down_v=6.0, up_v=10.0, noise_v=0.1).longest_outage.upper_s
    assert lowest["false"] > 11.0
    assert lowest["true"] < 6.0
    assert upper["false"] is None  # what is between samples so far apart may be anything
    assert upper["true"] is not None
    assert 45.0 <= upper["true"] < 45.3
