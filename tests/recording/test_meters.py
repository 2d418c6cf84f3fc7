"""What is said to a meter is recorded without its credentials, in whatever form they go over the wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.meters.serial_port import with_parity
from rig.recording import Recorder, Struck, read_recording
from rig.twin.optical_commands import PASSWORD
from tests.meters.device import lab as modbus_lab
from tests.meters.device import profile
from tests.meters.iec62056.optical_lab import IMAGE, lab
from tests.meters.test_modbus_profile import HASH, LIST, SIZE


@pytest.mark.parametrize("rtu", [False, True], ids=["tcp", "rtu"])
def test_the_registers_of_a_credential_are_struck_out_of_a_modbus_recording(tmp_path: Path, rtu: bool) -> None:
    recorder = Recorder(tmp_path / "r.txt")
    with modbus_lab(profile(LIST), rtu=rtu, secrets={"key": "Pa55wd"}) as it:
        it.meter._link.tap = recorder.tap("meter", it.clock.now, it.meter.secret_bytes())
        it.device.put(1, 1)
        it.meter.activate(HASH, SIZE)
        it.meter.close()
    recorder.close()
    assert "Pa55" not in (tmp_path / "r.txt").read_text()
    found = read_recording(tmp_path / "r.txt").of("meter")
    sent = [event for event in found if event.kind == ">"]
    assert [Struck() in event.data for event in sent].count(True) == 1
    assert [event.kind for event in found].count("<") == len(sent) >= 5
    assert found[-1].kind == "close"


def test_a_password_at_the_optical_port_is_struck_out_with_its_parity_too(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.txt")
    with lab() as it:
        meter = it.driver()
        it.port.tap = recorder.tap("meter", it.clock.now, meter.secret_bytes())
        assert meter.version() == "1.0.0"
        meter.transfer(IMAGE, lambda done, total: None)
        meter.close()
    recorder.close()
    events = read_recording(tmp_path / "r.txt").of("meter")
    assert any(Struck() in event.data for event in events)
    said = b"".join(piece for event in events for piece in event.data if isinstance(piece, bytes))
    assert with_parity(PASSWORD.encode()) not in said
    assert PASSWORD.encode() not in said
