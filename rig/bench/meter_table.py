"""The [meter] table of a bench file: one for each driver. Only checks; opens nothing.

No credential is ever in it: `credentials_file` names where they are (`rig.meters.credentials`).
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rig.bench.dlms_table import DlmsPart
from rig.bench.optical_table import OpticalPart
from rig.bench.values import Endpoint, Pin, Seconds, SerialPort, Table, Timeout

Words = Annotated[list[Annotated[str, Field(min_length=1, max_length=4096)]], Field(min_length=1, max_length=100)]
"""A command of the lab's own: the program and its arguments, never a shell's line."""
_Text = Annotated[str, Field(min_length=1, max_length=100)]


class MeterTable(Table):
    """What is said of every meter, whatever drives it.

    `max_s`: when an activation that shows nothing is over (a future-dated one is waited for so long); `quiet_s`: how
    long the rail must be quiet after it. `variant` says how many live conductors the bench watches at the meter's
    terminals (`rig.bench.roles`).
    """

    variant: Literal["single-phase", "twin-element", "polyphase", "gas"] = "single-phase"
    poll_s: Annotated[float, Field(gt=0, le=600)] = 5.0
    start_s: Seconds = 120.0
    max_s: Seconds = 3600.0
    quiet_s: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    follow_s: Seconds = 90.0


class ModbusPart(Table):
    """What both kinds of Modbus have."""

    profile: str
    timeout_s: Timeout = 2.0
    credentials_file: _Text | None = None


class ModbusTcpPart(ModbusPart):
    driver: Literal["modbus-tcp"]
    address: Endpoint
    unit: Annotated[int, Field(ge=0, le=247)] = 1


class ModbusRtuPart(ModbusPart):
    """A serial line with eight data bits; 8E1 is the standard's default, no parity asks for two stop bits."""

    driver: Literal["modbus-rtu"]
    port: SerialPort
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 19200
    parity: Literal["none", "even", "odd"] = "even"
    stop_bits: Literal[1, 2] = 1
    unit: Annotated[int, Field(ge=1, le=247)] = 1


ReadablePart = ModbusTcpPart | ModbusRtuPart | DlmsPart | OpticalPart
"""What a meter is read by."""


class ModbusTcpTable(MeterTable, ModbusTcpPart):
    """A meter on Modbus TCP."""


class ModbusRtuTable(MeterTable, ModbusRtuPart):
    """A meter on Modbus RTU."""


class DlmsTable(MeterTable, DlmsPart):
    """A meter on DLMS/COSEM."""


class OpticalTable(MeterTable, OpticalPart):
    """A meter behind an optical head."""


class ContactTable(Table):
    """A contact on a GPIO line of its own: active from the moment at which the activation was started elsewhere.

    `latency_s`: the kernel's stamp may be later than that moment by so much.
    """

    chip: str = "/dev/gpiochip0"
    line: Pin
    active: Literal["high", "low"] = "high"
    latency_s: Annotated[float, Field(ge=0, le=1)] = 0.05


class OutsideTable(MeterTable):
    """A meter whose activation is started elsewhere (over the HAN, by a DCC adaptor), and watched here.

    `trigger`: who tells when. `person_s`: how far from a person's word the true moment may lie. `wait_s`: how long the
    trigger is waited for. The version comes from `version_command`, from a meter that is only read (`reads`), or from a
    person. `maker`, `model`, `serial`: where no `reads` tells them.
    """

    driver: Literal["outside"]
    trigger: Literal["person", "command", "contact"]
    command: Words | None = None
    command_s: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    contact: ContactTable | None = None
    person_s: Annotated[float, Field(gt=0, le=3600)] = 3.0
    wait_s: Annotated[float, Field(gt=0, le=86_400)] = 3600.0
    version_command: Words | None = None
    version_command_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    reads: Annotated[ReadablePart, Field(discriminator="driver")] | None = None
    maker: _Text | None = None
    model: _Text | None = None
    serial: _Text | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for name, belongs in (("command", "command"), ("contact", "contact")):
            if (getattr(self, name) is not None) != (self.trigger == belongs):
                raise ValueError(f'{name} belongs to trigger = "{belongs}", and only there')
        if self.version_command is not None and self.reads is not None:
            raise ValueError("the version is told by version_command or by reads, not by both")
        if self.reads is not None and (self.maker or self.model or self.serial):
            raise ValueError("who the meter is, is read: maker, model and serial are for a meter without reads")
        return self


class PluginTable(MeterTable):
    """A meter that another package drives (entry point `ichis_rig.meters`); `settings` are that package's own."""

    driver: Literal["plugin"]
    plugin: _Text
    settings: dict[str, Any] = Field(default_factory=dict)
    credentials_file: _Text | None = None


def place(table: MeterTable | ReadablePart) -> str:
    """Where this meter is, in words that are the same in every bench file that has it."""
    if isinstance(table, DlmsPart):
        where = table.address.lower() if table.address is not None else table.port
        return f"{where} DLMS server {table.server}" + (f".{table.physical}" if table.physical is not None else "")
    if isinstance(table, ModbusTcpPart):
        return f"{table.address.lower()} unit {table.unit}"
    if isinstance(table, ModbusRtuPart):
        return f"{table.port} unit {table.unit}"
    if isinstance(table, OpticalPart):
        return f"{table.port} optical" + (f" device {table.device}" if table.device else "")
    if isinstance(table, OutsideTable):
        return place(table.reads) if table.reads is not None else f"outside: {table.maker} {table.model} {table.serial}"
    if isinstance(table, PluginTable):
        return f"plug-in {table.plugin}: {json.dumps(table.settings, sort_keys=True, default=str)}"
    raise TypeError(type(table).__name__)


def readable(table: MeterTable) -> ReadablePart | None:
    """How this meter is read; None where nobody but its own driver, or a person, can tell of it."""
    part = table.reads if isinstance(table, OutsideTable) else table
    return part if isinstance(part, ReadablePart) else None


AnyMeterTable = Annotated[
    ModbusTcpTable | ModbusRtuTable | DlmsTable | OpticalTable | OutsideTable | PluginTable,
    Field(discriminator="driver"),
]
