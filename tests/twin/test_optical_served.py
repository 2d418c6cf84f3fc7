"""The twin with a meter behind an optical head, served on the system clock: its bench file is enough to read it."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from rig.bench.config import check_bench
from rig.bench.meter_opening import open_meter
from rig.bench.optical_table import OpticalPart
from rig.clock.system import SystemClock
from rig.firmware import load
from rig.meters.port import MeterIdentity
from rig.twin.meter import BOOT_S
from rig.twin.serving import ServedTwin

SCALE = 0.01


@pytest.mark.parametrize("bench", ["twin-optical", "twin,meter=optical-tcp"])
def test_another_process_reads_the_meter_by_the_bench_file_that_it_is_given(bench: str) -> None:
    twin = ServedTwin([load("cut-45s")], bench, SCALE)
    try:
        text = twin.bench_text().replace("\ntimeout_s = 2.0\n", "\ntimeout_s = 30.0\n")  # the machine may be busy
        config = check_bench(tomllib.loads(text), text, "served")
        table = config.meter
        assert isinstance(table, OpticalPart)
        assert table.credentials_file is not None
        credentials = Path(table.credentials_file)
        assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
        with twin.timeline:
            twin.world.meter.mains(True)
        clock = SystemClock()
        clock.sleep(1.2 * BOOT_S * SCALE)
        meter = open_meter(config, clock)
        assert meter.identity() == MeterIdentity("Synthetic Meters", "SM-ESME-1", "SM0000001")
        assert meter.version() == "1.0.0"
        meter.close()
    finally:
        twin.close()
    assert not credentials.exists(), "gone with the twin"
