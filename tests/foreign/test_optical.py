"""The twin's meter read by a client that nobody here wrote, and our driver behind RFC 2217 servers of others."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial.rfc2217

from rig.clock.system import SystemClock
from rig.errors import LinkError
from rig.firmware import Behaviour
from rig.meters.credentials import Secret
from rig.meters.iec62056.meter import OpticalMeter
from rig.meters.iec62056.profile import load_optical_profile
from rig.meters.iec62056.sign_on import SignOn
from rig.meters.port import MeterIdentity
from rig.meters.serial_port import SerialPort
from rig.twin.meter import BOOT_S, KnownImage, TwinMeter
from rig.twin.optical import State, TwinOptical
from rig.twin.optical_commands import PASSWORD, TwinCommands
from rig.twin.optical_wire import OpticalServer, OpticalTcpServer
from rig.twin.system_time import SystemTimeline
from tests.foreign.programs import needs_foreign, told

PROFILE = load_optical_profile("synthetic-esme-optical")
WHO = MeterIdentity("Synthetic Meters", "SM-ESME-1", "SM0000001")
SCALE = 0.05
"""The twin's line is twenty times as fast as a real one."""
LONG_S = 30.0


@pytest.fixture
def meter() -> Iterator[tuple[TwinOptical, SystemTimeline]]:
    timeline = SystemTimeline(SCALE)
    with timeline:
        known = {"00" * 32: KnownImage("1.1.0", Behaviour())}
        device = TwinMeter(timeline, lambda _: None, known, "1.0.0")
        device.mains(True)
        timeline.schedule(timeline.now() + round(BOOT_S * 1e9), lambda: None)
    SystemClock().sleep(1.1 * BOOT_S * SCALE)
    yield TwinOptical(device, timeline, TwinCommands(device)), timeline
    timeline.close()


@needs_foreign
def test_a_client_that_nobody_here_wrote_reads_the_twins_meter(meter: tuple[TwinOptical, SystemTimeline]) -> None:
    face, timeline = meter
    server = OpticalTcpServer(face, timeline, timeline)
    try:
        lines = told(
            "iec62056_client.py", server.host, str(server.port), "SM0000001", PASSWORD, "0.2.0", "96.1.0", "FW.U"
        ).splitlines()
    finally:
        server.close()
    assert "readout 0.2.0 1.0.0" in lines
    assert "readout 0.0.0 SM0000001" in lines
    assert "identification SYn 5 M-ESME-1" in lines, "it takes the first letter of the model for a mode"
    assert "password True" in lines
    assert "0.2.0 1.0.0 None" in lines
    assert "96.1.0 SM0000001 None" in lines
    assert any(line.startswith("FW.U ") and line.endswith(" s") for line in lines)
    assert face.state is State.IDLE


def driver(url: str, parity: bool = True) -> OpticalMeter:
    clock = SystemClock()
    port = SerialPort("meter", url, clock, software_parity=parity)
    return OpticalMeter(
        port, PROFILE, clock, SignOn(answer_s=LONG_S), {"twin_password": Secret("twin_password", PASSWORD)}
    )


def test_the_driver_reads_a_meter_behind_a_plain_socket(meter: tuple[TwinOptical, SystemTimeline]) -> None:
    face, timeline = meter
    server = OpticalTcpServer(face, timeline, timeline)
    it = driver(f"socket://{server.endpoint}", parity=False)
    try:
        assert it.identity() == WHO
        assert it.version() == "1.0.0"
        it.close()
        assert face.state is State.IDLE
    finally:
        server.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


PYSERIAL_SERVER = """
import socket, sys, threading
import serial, serial.rfc2217
class Pty(serial.Serial):  # a pseudo-terminal has no modem lines
    def _update_dtr_state(self): pass
    _update_rts_state = _update_dtr_state
    cts = dsr = ri = cd = False
port = Pty(sys.argv[1], timeout=0.05)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
link, _ = listener.accept()
class Connection:
    def write(self, data):
        link.sendall(data)
manager = serial.rfc2217.PortManager(port, Connection())
def reader():
    while True:
        data = port.read(port.in_waiting or 1)
        if data:
            link.sendall(b"".join(manager.escape(data)))
threading.Thread(target=reader, daemon=True).start()
while data := link.recv(1024):
    port.write(b"".join(manager.filter(data)))
"""
"""pyserial's own server of RFC 2217 (`serial.rfc2217.PortManager`), with the loop that its documentation shows."""


@contextmanager
def pyserial_server(device: str) -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", PYSERIAL_SERVER, device], stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        try:
            yield int(it.stdout.readline())
        finally:
            it.kill()


@contextmanager
def ser2net(device: str, folder: Path) -> Iterator[int]:
    """Debian's ser2net, version 4."""
    port, file = free_port(), folder / "ser2net.yaml"
    file.write_text(
        "%YAML 1.1\n---\nconnection: &meter\n"
        f"  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n  connector: serialdev,{device},300n81,local\n"
    )
    with subprocess.Popen(["ser2net", "-n", "-c", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as it:
        try:
            wait_for(port)
            yield port
        finally:
            it.kill()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + LONG_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            assert time.monotonic() < deadline
            continue
        return


def reads_behind(url: str, head: OpticalServer) -> None:
    it = driver(url)
    assert it.identity() == WHO
    assert it.version() == "1.0.0"
    assert head.face.baud == 9600, "the server changed the port's rate"
    it.close()
    assert head.face.state is State.IDLE


@pytest.mark.filterwarnings("ignore:set(Daemon|Name)\\(\\) is deprecated:DeprecationWarning")
@pytest.mark.parametrize("server", ["pyserial", "ser2net"])
def test_the_driver_reads_a_meter_behind_an_rfc_2217_server(
    server: str, meter: tuple[TwinOptical, SystemTimeline], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face, timeline = meter
    # pyserial waits for 3 s for what the server agrees to; the machine may be busy
    monkeypatch.setattr(serial.rfc2217.TelnetSubnegotiation.wait, "__defaults__", (LONG_S,))
    patient = f"timeout={LONG_S:g}"
    head = OpticalServer(face, timeline, timeline)
    try:
        if server == "pyserial":
            with pyserial_server(head.path) as port:
                reads_behind(f"rfc2217://127.0.0.1:{port}?{patient}", head)
        elif shutil.which("ser2net") is None:
            pytest.skip("no ser2net: apt-get install ser2net")
        else:
            with ser2net(head.path, tmp_path) as port:
                # a pseudo-terminal has no DTR that ser2net could set: it does not answer that
                reads_behind(f"rfc2217://127.0.0.1:{port}?{patient}&ign_set_control", head)
    finally:
        head.close()


@pytest.mark.filterwarnings("ignore:set(Daemon|Name)\\(\\) is deprecated:DeprecationWarning")
def test_a_server_that_is_not_there_is_an_error() -> None:
    for kind in ("rfc2217", "socket"):
        with pytest.raises(LinkError, match=f"meter: cannot open {kind}://127.0.0.1:"):
            driver(f"{kind}://127.0.0.1:1").version()  # no program is given a port this low
