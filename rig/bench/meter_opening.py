"""The [meter] table becomes a meter behind its port. Knows which driver a table names; talks to no meter yet.

What can be wrong before anything is touched is found here: an unknown profile, a credential that is missing, a command
that is not there, a plug-in that cannot be loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rig.bench.config import BenchConfig
from rig.bench.dlms_opening import open_dlms
from rig.bench.dlms_table import DlmsPart
from rig.bench.meter_table import ContactTable, ModbusRtuPart, ModbusTcpPart, OutsideTable, readable
from rig.bench.optical_table import OpticalPart
from rig.clock import Clock
from rig.errors import InputError, Where
from rig.guardian.lease import state_folder
from rig.instruments.sense import GpiodSenseLines, RequestLines, SenseLine, load_request_lines
from rig.meters.command import checked_command
from rig.meters.credentials import Credentials, Secret
from rig.meters.desk import Desk
from rig.meters.dlms.meter import DlmsMeter
from rig.meters.dlms.profile import load_profile as dlms_profile
from rig.meters.iec62056.meter import OpticalMeter
from rig.meters.iec62056.profile import load_optical_profile
from rig.meters.iec62056.sign_on import SignOn
from rig.meters.modbus import ModbusMeter, probes
from rig.meters.modbus_link import ModbusLink, TcpLink
from rig.meters.modbus_rtu import RtuLink, SerialLine
from rig.meters.outside import CommandTrigger, ContactTrigger, OutsideMeter, PersonTrigger, Reads, Trigger
from rig.meters.plugins import open_plugin
from rig.meters.port import Meter, MeterIdentity
from rig.meters.profile import load_profile
from rig.meters.serial_port import SerialPort
from rig.recording import Taps

NAME = "meter"
_CONTACT = "contact"


def open_meter(
    config: BenchConfig,
    clock: Clock,
    request_lines: RequestLines | None = None,
    terminal: int | None = None,
    taps: Taps | None = None,
) -> Meter:
    """The meter. `terminal`: the descriptor of a terminal at which a person sits, where there is one. `taps` hear its
    link, but not a plug-in's.

    Raises InputError, or BenchError for a contact whose line cannot be had.
    """
    table = config.meter
    if isinstance(table, ModbusTcpPart | ModbusRtuPart | OpticalPart):
        meter = _by_profile(table, clock, _key(config), taps)
        if not meter.activates:
            expected = "one with [[activation]], or driver = 'outside' with this one in reads"
            where = Where(key="meter.profile", found=repr(table.profile), expected=expected)
            raise InputError("this profile only reads", where)
        return meter
    if isinstance(table, DlmsPart):
        return open_dlms(NAME, table, clock, state_folder(), taps)
    if isinstance(table, OutsideTable):
        return _outside(config, table, clock, request_lines, terminal, taps)
    return open_plugin(table.plugin, table.settings, clock, _credentials(table.credentials_file))


def check_profile(config: BenchConfig) -> None:
    """Raises InputError for a profile that there is not, or that is wrong."""
    part = readable(config.meter)
    if isinstance(part, DlmsPart):
        dlms_profile(part.profile, _key(config))
    elif isinstance(part, OpticalPart):
        load_optical_profile(part.profile, _key(config))
    elif part is not None:
        load_profile(part.profile, _key(config))


def open_reader(
    config: BenchConfig, clock: Clock, taps: Taps | None = None
) -> ModbusMeter | OpticalMeter | DlmsMeter | None:
    """The part of the meter that is only read, where a driver of ours reads it. No contact, socket, plug-in is opened.

    Raises InputError.
    """
    part = readable(config.meter)
    if isinstance(part, DlmsPart):
        return open_dlms(NAME, part, clock, state_folder(), taps)
    return _by_profile(part, clock, _key(config), taps) if part is not None else None


def _key(config: BenchConfig) -> str:
    return "meter.reads.profile" if isinstance(config.meter, OutsideTable) else "meter.profile"


def _credentials(file: str | None) -> Credentials:
    return Credentials(None if file is None else Path(file).expanduser())


def _by_profile(
    table: ModbusTcpPart | ModbusRtuPart | OpticalPart, clock: Clock, key: str, taps: Taps | None
) -> ModbusMeter | OpticalMeter:
    if isinstance(table, OpticalPart):
        profile = load_optical_profile(table.profile, key)
        how = SignOn(table.device, table.first_baud, table.most_baud, table.wake_up, table.timeout_s)
        port = SerialPort(NAME, table.port, clock, software_parity=table.parity == "even")
        secrets = _secrets(profile.credentials, table.credentials_file)
        optical = OpticalMeter(port, profile, clock, how, secrets, table.idle_s)
        port.tap = None if taps is None else taps.tap(NAME, clock.now, optical.secret_bytes())
        return optical
    return _modbus(table, clock, key, taps)


def _secrets(names: Iterable[str], file: str | None) -> dict[str, Secret]:
    """The credentials that a profile names; no file is read where it names none."""
    wanted = list(names)
    known = _credentials(file) if wanted else None
    return {name: known.get(name) for name in wanted} if known is not None else {}


def _modbus(table: ModbusTcpPart | ModbusRtuPart, clock: Clock, key: str, taps: Taps | None) -> ModbusMeter:
    profile = load_profile(table.profile, key)
    secrets = _secrets(profile.credentials, table.credentials_file)
    if isinstance(table, ModbusTcpPart):
        host, _, port = table.address.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")  # an IPv6 address stands in brackets
        link: ModbusLink = TcpLink(NAME, host, int(port), table.unit, clock, table.timeout_s)
    else:
        line = SerialLine(table.port, table.baud, table.parity, table.stop_bits)
        link = RtuLink(NAME, line, table.unit, clock, table.timeout_s, probes(profile))
    meter = ModbusMeter(link, profile, clock, secrets)
    link.tap = None if taps is None else taps.tap(NAME, clock.now, meter.secret_bytes())
    return meter


def _outside(
    config: BenchConfig,
    table: OutsideTable,
    clock: Clock,
    request_lines: RequestLines | None,
    terminal: int | None,
    taps: Taps | None,
) -> OutsideMeter:
    reader = open_reader(config, clock, taps)
    version_command = None
    if table.version_command is not None:
        version_command = (checked_command(table.version_command, "meter.version_command"), table.version_command_s)
    desk = None
    if table.trigger == "person" or (reader is None and version_command is None):
        desk = Desk(config.bench.name, clock, terminal)
    try:
        trigger = _trigger(table, clock, desk, request_lines)
    except BaseException:
        if desk is not None:
            desk.close()
        raise
    identity = MeterIdentity(table.maker or "", table.model or "", table.serial or "")
    return OutsideMeter(NAME, trigger, Reads(identity, reader, version_command, desk), clock, table.start_s)


def _trigger(table: OutsideTable, clock: Clock, desk: Desk | None, request_lines: RequestLines | None) -> Trigger:
    if table.command is not None:
        return CommandTrigger(checked_command(table.command, "meter.command"), clock, table.command_s)
    if table.contact is not None:
        lines = _contact(table.contact, request_lines or load_request_lines())
        return ContactTrigger(lines, clock, table.contact.latency_s, table.wait_s)
    if desk is None:
        raise ValueError("a person's trigger needs a desk")
    return PersonTrigger(desk, clock, table.person_s, table.wait_s)


def _contact(table: ContactTable, request_lines: RequestLines) -> GpiodSenseLines:
    return GpiodSenseLines(table.chip, (SenseLine(_CONTACT, table.line, table.active == "high"),), request_lines)
