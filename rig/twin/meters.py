"""The meters that a twin can have, by how they are spoken to: what the bench file says of each, and its wire.

`modbus-tcp` is the usual one. `optical` is mode C of IEC 62056-21 at an optical head, `optical-tcp` the same messages
on TCP. `dlms` is DLMS over HDLC at a head after a sign-on (mode E), `dlms-direct` HDLC on a serial line from the start,
`dlms-tcp` the wrapper on TCP; `dlms-low` asks for a password, `dlms-gmac` for high-level security with ciphering.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rig.bench.config import BenchConfig
from rig.bench.dlms_table import DlmsPart
from rig.bench.meter_table import ModbusRtuPart, OutsideTable
from rig.bench.optical_table import OpticalPart
from rig.meters.dlms.client import MECHANISMS
from rig.meters.modbus_rtu import SerialLine
from rig.twin.dlms.association import Client, Security
from rig.twin.dlms.face import PUBLIC_CLIENT, TITLE, TwinDlms
from rig.twin.dlms.wire import HdlcEnd, HdlcServer, WrapperServer
from rig.twin.meter import TwinMeter
from rig.twin.modbus import TwinModbus
from rig.twin.modbus_server import ModbusServer
from rig.twin.optical import TwinOptical
from rig.twin.optical_commands import PASSWORD, TwinCommands
from rig.twin.optical_wire import OpticalServer, OpticalTcpServer
from rig.twin.ports import Timeline
from rig.twin.serial_wire import LineRate, RtuServer


class MeterWire(Protocol):
    """The wire to a twin's meter, as faults use it."""

    def delay(self, seconds: float) -> None:
        """Every answer comes this late from now on."""

    def unplug(self) -> None: ...

    def close(self) -> None: ...


_USUAL = 'driver = "modbus-tcp"\naddress = "$modbus"\nprofile = "synthetic-esme"\nunit = 1\ntimeout_s = 2.0\n'
"""What stands in every packaged bench file."""
_MODBUS = 'profile = "synthetic-esme"\nunit = 1\ntimeout_s = 2.0\n'
_SECRETS = 'credentials_file = "$credentials"\n'
_DLMS = 'profile = "synthetic-esme-dlms"\ntimeout_s = 5.0\n'
METERS: dict[str, str] = {
    "modbus-tcp": _USUAL,
    "modbus-rtu": 'driver = "modbus-rtu"\nport = "$serial"\nbaud = 19200\nparity = "none"\nstop_bits = 2\n' + _MODBUS,
    "optical": 'driver = "optical"\nport = "$optical"\nprofile = "synthetic-esme-optical"\ntimeout_s = 2.0\n'
    'credentials_file = "$credentials"\n',
    "optical-tcp": 'driver = "optical"\nport = "$optical_tcp"\nparity = "none"\nprofile = "synthetic-esme-optical"\n'
    'timeout_s = 2.0\ncredentials_file = "$credentials"\n',
    "dlms": 'driver = "dlms"\nport = "$optical"\nsign_on = "mode-e"\nbaud = 9600\n' + _DLMS,
    "dlms-direct": 'driver = "dlms"\nport = "$optical"\nsign_on = "direct"\nbaud = 9600\n' + _DLMS,
    "dlms-tcp": 'driver = "dlms"\naddress = "$dlms"\n' + _DLMS,
    "dlms-low": 'driver = "dlms"\nport = "$optical"\nauthentication = "low"\n' + _DLMS + _SECRETS,
    "dlms-gmac": 'driver = "dlms"\nport = "$optical"\nauthentication = "high-gmac"\nciphered = true\n'
    'title = "5249470000000001"\n' + _DLMS + _SECRETS,
}
"""What the bench file says of each. A pseudo-terminal has no parity: Modbus asks for two stop bits then (Serial Line
V1.02, 2.5.1)."""
DLMS_SECRETS = {
    "password": "twin-password",
    "encryption_key": "000102030405060708090A0B0C0D0E0F",
    "authentication_key": "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF",
}
"""What the twin's meter wants to hear on DLMS: no secrets, but handled as if they were. The keys are the Green Book's
examples."""
NOWHERE = {
    "modbus": "127.0.0.1:3",
    "dlms": "127.0.0.1:4",
    "optical_tcp": "socket://127.0.0.1:5",
    "serial": "/dev/null",
    "optical": "/dev/null",
    "credentials": "none",
}
"""Where a meter is for a bench file whose servers are not up yet."""


def with_meter(text: str, meter: str) -> str:
    """The bench file `text` of a twin with this meter."""
    return text.replace(_USUAL, METERS[meter])


@dataclass(frozen=True)
class Connected:
    """A wire, and where it is: the name of its address in the bench file, and the address.

    `credentials`: the file of what this meter wants to hear; whoever closes the wire removes it.
    """

    wire: MeterWire
    kind: str
    address: str
    credentials: Path | None = None
    dlms: TwinDlms | None = None


def connect(
    config: BenchConfig, meter: TwinMeter, timeline: Timeline, lock: AbstractContextManager[object], scale: float
) -> Connected:
    """The wire to `meter` that this bench file speaks on. `scale`: how long a second of the model takes outside."""
    table = config.meter
    part = table.reads if isinstance(table, OutsideTable) else table
    if isinstance(part, DlmsPart):
        return _dlms(part, meter, timeline, lock, scale)
    if isinstance(part, OpticalPart):
        messages = TwinOptical(meter, timeline, TwinCommands(meter, scale), scale=scale)
        credentials = _credentials({"twin_password": PASSWORD})
        if part.port.startswith("socket:"):
            tcp = OpticalTcpServer(messages, timeline, lock)
            return Connected(tcp, "optical_tcp", f"socket://{tcp.endpoint}", credentials)
        head = OpticalServer(messages, timeline, lock)
        return Connected(head, "optical", head.path, credentials)
    face = TwinModbus(meter, scale=scale)
    if isinstance(part, ModbusRtuPart):
        bits = SerialLine(part.port, part.baud, part.parity, part.stop_bits).bits()
        line = RtuServer(face, LineRate(part.baud, bits), timeline, lock)
        return Connected(line, "serial", line.path)
    server = ModbusServer(face, timeline, lock)
    return Connected(server, "modbus", server.endpoint)


def _dlms(
    part: DlmsPart, meter: TwinMeter, timeline: Timeline, lock: AbstractContextManager[object], scale: float
) -> Connected:
    """The client of the bench file must show what that file says of it; the public client (16) nothing."""
    wanted = Client(MECHANISMS[part.authentication], DLMS_SECRETS["password"].encode("ascii"), part.ciphered)
    keys = (bytes.fromhex(DLMS_SECRETS[key]) for key in ("encryption_key", "authentication_key"))
    security = Security({PUBLIC_CLIENT: Client(), part.client: wanted}, TITLE, *keys)
    face = TwinDlms(meter, security, scale=scale)
    secured = part.authentication != "none" or part.ciphered
    secrets = _credentials(DLMS_SECRETS) if secured else None
    if part.address is not None:
        server = WrapperServer(face, timeline, lock)
        return Connected(server, "dlms", server.endpoint, secrets, face)
    if part.sign_on == "direct":
        line = HdlcServer(face, part.baud, timeline, lock)
        return Connected(line, "optical", line.path, secrets, face)
    commands = TwinCommands(meter, scale)
    messages = TwinOptical(meter, timeline, commands, HdlcEnd(face), part.baud, scale=scale)
    head = OpticalServer(messages, timeline, lock)
    return Connected(head, "optical", head.path, secrets, face)


def _credentials(values: Mapping[str, str]) -> Path:
    """A file as a lab has it: for its owner alone."""
    handle, name = tempfile.mkstemp(prefix="ichis-rig-twin-", suffix=".toml")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.writelines(f'{key} = "{value}"\n' for key, value in values.items())
    return Path(name)
