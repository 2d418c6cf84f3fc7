"""The bench file, `rig.bench/1`: what stands on this bench, where it answers, and what must never be exceeded.

Only checks; opens nothing. Volts, amperes, seconds. Unknown keys, wrong types and limits that contradict each other are
one `InputError` with file, key and line. Defaults that are assumptions say so in `assumptions`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from rig.bench.meter_table import AnyMeterTable
from rig.bench.values import PORT, Addressed, Endpoint, Pin, Seconds, VisaAddress, or_words
from rig.bench.values import Table as _Table
from rig.errors import RigError
from rig.instruments.catalogue import OscilloscopeDriver, SupplyDriver
from rig.toml_file import line_of, read_toml, validate
from rig.toml_model import refuse

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
Volts = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)]
Amps = Annotated[float, Field(gt=0, le=30, allow_inf_nan=False)]
if TYPE_CHECKING:
    OverVolts = float | Literal["none"]
    OverAmps = float | Literal["at-limit", "none"]
else:
    OverVolts = Annotated[Volts, *or_words({"type": "number", "minimum": 0, "maximum": 60}, "none")]
    OverAmps = Annotated[Amps, *or_words({"type": "number", "exclusiveMinimum": 0, "maximum": 30}, "at-limit", "none")]
Ohms = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Farads = Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
_LOCAL = rf"^((127(?:\.[0-9]{{1,3}}){{3}}|\[::1\]|localhost):{PORT}|(/[!-~]{{1,100}}))$"


def _local(value: str) -> str:
    match = re.fullmatch(_LOCAL, value)
    if match is None or (match[3] is not None and not 1 <= int(match[3]) <= 65_535):
        raise ValueError(f"{value!r} is not on this machine: 127.0.0.1:PORT, [::1]:PORT or the path of a socket")
    return value


LocalEndpoint = Annotated[str, AfterValidator(_local), WithJsonSchema({"type": "string", "pattern": _LOCAL})]
"""host:port on loopback, or the path of a Unix socket."""


def _day(value: object) -> object:
    """TOML has dates of its own; who writes one in quotes means the same. A time of day is not wanted."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"{value!r} is no day: {error}") from error
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError(f"{value!s} is no day like 2027-03-31")  # noqa: TRY004 - pydantic tells ValueErrors
    return value


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
RelayRole = Literal["mains", "meter-feed", "supply-feed"]
SenseRole = Literal[
    "rail_up", "rail_down", "mains", "mains_l2", "mains_l3", "ac_lo", "mt_pr", "ch_pr", "current", "estop"
]
"""`mains_l2` and `mains_l3`: further phases, or the second element, at the meter's terminals (`rig.bench.roles`)."""


class BenchTable(_Table):
    name: Name
    description: str = ""


class LimitsTable(_Table):
    """`limit_s` and `comparison` are the rule (MP102A; exactly 180 s fails by default).

    `calibration_overdue`: what an overdue instrument is: `rig doctor` says so, and a run warns or is refused.
    """

    limit_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 180.0
    comparison: Literal["ge", "gt"] = "ge"
    clock_rate_ppm: Annotated[float, Field(gt=0, le=10_000)] = 200.0
    free_disk_mb: Annotated[float, Field(ge=0, le=1e6)] = 200.0
    calibration_overdue: Literal["warning", "failed"] = "failed"
    control_valid_h: Annotated[float, Field(gt=0, le=8760)] = 24.0


class TopologyTable(_Table):
    """ICHIS: mains contactor -> meter -> 12 V -> meter-feed relay -> hub; supply -> supply-feed relay -> hub.

    Hot shoe: the supply, through the supply-feed relay, is the hub's normal feed; no meter feeds it.
    `discharge_s`: how long the unfed rail may take to fall below `safe_v`. `control_cut_s` is below 30 s, because a
    longer cut of a commissioned hub is told to a real network operator (MP102A). `dead_time_s`: how long one feed has
    been open before the other may close. `least_off_s`: how long no feed has been closed before a run feeds the rail.
    """

    kind: Literal["ichis", "hot-shoe"] = "ichis"
    safe_v: Volts = 5.5
    discharge_s: Seconds = 2.0
    dead_time_s: Seconds = 0.1
    least_off_s: Seconds = 2.0
    control_cut_s: Annotated[float, Field(gt=0, le=29)] = 5.0


class RailTable(_Table):
    """Thresholds between which nothing is claimed, and what counts as an outage."""

    node: Name = "hub"
    nominal_v: Volts = 12.0
    down_below_v: Volts = 6.0
    up_above_v: Volts = 10.0
    ride_through_s: Seconds = 0.02
    restore_min_s: Seconds = 1.0
    noise_v: Volts = 0.1


class HubTable(_Table):
    """`commissioned`: whether the hub talks to the live DCC; then no cut of 30 s or more is ever made by the rig."""

    commissioned: bool
    settle_s: Seconds = 60.0


class InstrumentTable(Addressed):
    """What every instrument may say of itself.

    `model`, `serial` and `firmware` are who must answer `*IDN?` at its address, where the bench file says so: a run
    refuses another model or serial number. `calibration_due` is the first day on which it is overdue.
    """

    name: Name
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    calibration_due: Day | None = None


class SupplyTable(InstrumentTable):
    """The bench supply. `max_volts` and `max_amps` are never exceeded, whatever a procedure asks for.

    `over_voltage_v`, `over_current_a`: the levels at which its protections trip, or what it has in their place:
    `"at-limit"` (it trips when its current limit acts) or `"none"`. `rig.bench.checks` knows which driver has which.
    """

    name: Name
    driver: SupplyDriver
    address: VisaAddress
    channel: Annotated[int, Field(ge=1, le=4)] = 1
    volts: Volts = 12.0
    amps: Amps = 1.5
    over_voltage_v: OverVolts = 13.2
    over_current_a: OverAmps = 2.0
    max_volts: Volts = 14.0
    max_amps: Amps = 2.5
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 3.0

    @model_validator(mode="after")
    def _inside(self) -> Self:
        level_v, level_a = self.over_voltage_v, self.over_current_a
        if not (self.volts < level_v <= self.max_volts if isinstance(level_v, float) else self.volts <= self.max_volts):
            raise ValueError(f"must be volts {'< over_voltage_v ' if isinstance(level_v, float) else ''}<= max_volts")
        if not (self.amps < level_a <= self.max_amps if isinstance(level_a, float) else self.amps <= self.max_amps):
            raise ValueError(f"must be amps {'< over_current_a ' if isinstance(level_a, float) else ''}<= max_amps")
        return self

    @property
    def highest(self) -> tuple[float, float]:
        """Volts and amperes beyond which it is outside its envelope: its protections, or else what is never set."""
        volts = self.over_voltage_v if isinstance(self.over_voltage_v, float) else self.max_volts
        return volts, self.over_current_a if isinstance(self.over_current_a, float) else self.max_amps


class OscilloscopeTable(InstrumentTable):
    """The oscilloscope. `window_s` is the whole capture, `pre_s` its part before the trigger, `depth` in samples.

    `mode` "poll": it takes no capture, but one short look after another; it then proves *down*, never *up*.
    `peak_detect`: a capture keeps the least and the greatest of what it saw, in place of every two samples; every bin
    then proves what all of it was, however shallow the capture is.
    """

    name: Name
    driver: OscilloscopeDriver
    address: VisaAddress
    channel: Annotated[int, Field(ge=1, le=4)] = 1
    probe: Annotated[float, Field(gt=0, le=1000)] = 10.0
    node: Name = "hub"
    window_s: Annotated[float, Field(gt=0, le=3600)] = 600.0
    pre_s: Seconds = 6.0
    depth: Annotated[int, Field(ge=1000, le=1_000_000_000)] = 12_000_000
    mode: Literal["capture", "poll"] = "capture"
    peak_detect: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0


class _RelayTable(_Table):
    """One relay. `safe`: where it goes at the end; mains may stay as it is, the feeds of the hub open.

    `least_dwell_s`: how long it stays where it was moved to before it is moved again (only making safe may be sooner).
    `rated_operations`: the life of its contact at this load by its data sheet; without it nothing is counted.
    """

    name: Name
    role: RelayRole
    safe: Literal["open", "as-is"] = "open"
    least_dwell_s: Seconds = 0.0
    rated_operations: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None


class GpioRelayTable(_RelayTable):
    """A relay driven by a line of a Raspberry Pi's header, by its BCM number."""

    driver: Literal["rpi-gpio"]
    pin: Annotated[int, Field(ge=0, le=27)]
    active: Literal["high", "low"] = "high"


class CoilRelayTable(_RelayTable):
    """A coil of a Modbus relay board: on Modbus TCP (`address`), or on a serial line (`port`, `baud`, `parity`).

    `coil` counts from 0, as on the wire. Makers use the numbers from 0xFF on for other things (all coils, flashing).
    """

    driver: Literal["modbus-coil"]
    address: Endpoint | None = None
    port: Annotated[str, Field(pattern=r"^/dev/[!-~]{1,200}$")] | None = None
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["none", "even", "odd"] = "none"
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    coil: Annotated[int, Field(ge=0, le=0xFE)]
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 1.0

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.address is None) == (self.port is None):
            raise ValueError("a relay board has either address (Modbus TCP) or port (a serial line)")
        if self.port is not None and self.unit == 0:
            raise ValueError("unit 0 of a serial line is everybody, and nobody answers")
        return self


RelayTable = Annotated[GpioRelayTable | CoilRelayTable, Field(discriminator="driver")]


class _SenseTable(_Table):
    """One sense line. `band_v` is the comparator's whole switching band with tolerances (rail_up and rail_down).

    `band_a`: the same for `current`: active proves that the feed delivers more than its lowest.
    `latency_s`: a stamp may be later than what it tells of by so much: comparator, isolator, the interrupt's jitter,
    and any debounce between them. It is never nothing.
    """

    name: Name
    role: SenseRole
    line: Pin
    active: Literal["high", "low"] = "high"
    node: Name = "hub"
    band_v: Annotated[list[Volts], Field(min_length=2, max_length=2)] | None = None
    band_a: Annotated[list[Amps], Field(min_length=2, max_length=2)] | None = None
    latency_s: Annotated[float, Field(gt=0, le=1)] = 0.002


class GpiodSenseTable(_SenseTable):
    """A line of a GPIO chip, stamped by the kernel."""

    driver: Literal["gpiod"]
    chip: Annotated[str, Field(pattern=r"^/")] = "/dev/gpiochip0"


class ServedSenseTable(_SenseTable):
    """A line that another process of this machine stamps and serves (`rig.instruments.line_client`)."""

    driver: Literal["line-server"]
    address: LocalEndpoint


SenseTable = Annotated[GpiodSenseTable | ServedSenseTable, Field(discriminator="driver")]


class LoadTable(_Table):
    """The minimum load across the judged node: what pulls an unfed rail down, and what a fed one always draws.

    `tolerance` is a fraction of `ohm`; `watts` what it may turn into heat for ever; `capacitance_f` the most that may
    stand on the node (the hub's input, the bench's own). `rig.bench.circuit` checks `discharge_s` against them.
    """

    ohm: Ohms
    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.05
    watts: Annotated[float, Field(gt=0, le=1000)]
    capacitance_f: Farads


class WiringTable(_Table):
    """`harness`: the WireViz file that this bench is wired from, relative to the bench file (`rig wiring`)."""

    harness: Annotated[str, Field(pattern=r"^[^/\\\x00][^\x00]*\.ya?ml$", max_length=200)]


WATCHDOG_PERIOD_S = 0.5
"""How often the guardian's pulses come where the bench file does not say."""


class GuardianTable(_Table):
    """The process that owns the relay lines. It ends a controller that is silent for `silent_s` (a beat each `beat_s`).

    `longest_energised_s`: how long a feed may stay closed. `retry_s`: how long it tries what it could not prove.
    `watchdog_pin`: toggled every half `watchdog_period_s` (0.5); the hardware behind it drops the feeds without.
    `keeps_lines`: after its work is done, a process goes on holding the relays' GPIO lines (`rig.guardian.keeper`), for
    a bench on which a line that nobody holds may energise a relay.
    `estop_pin` reads `estop_pressed` (high) while the emergency stop is pressed, and with a broken wire, too.
    """

    beat_s: Annotated[float, Field(ge=0.05, le=60)] = 0.5
    silent_s: Annotated[float, Field(ge=0.1, le=600)] = 5.0
    longest_energised_s: Annotated[float, Field(gt=0, le=7 * 86_400, allow_inf_nan=False)] = 28_800.0
    retry_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    watchdog_pin: Annotated[int, Field(ge=0, le=27)] | None = None
    watchdog_period_s: Annotated[float, Field(ge=0.02, le=60)] | None = None
    estop_pin: Annotated[int, Field(ge=0, le=27)] | None = None
    keeps_lines: bool = False
    estop_pressed: Literal["high", "low"] | None = None


class BenchConfig(_Table):
    """The whole file."""

    schema_: Literal["rig.bench/1"] = Field(alias="schema")
    bench: BenchTable
    limits: LimitsTable = LimitsTable()
    topology: TopologyTable = TopologyTable()
    rail: RailTable = RailTable()
    hub: HubTable
    supply: Annotated[list[SupplyTable], Field(min_length=1, max_length=1)]
    oscilloscope: Annotated[list[OscilloscopeTable], Field(min_length=1, max_length=1)]
    relay: Annotated[list[RelayTable], Field(min_length=1)]
    sense: Annotated[list[SenseTable], Field(min_length=2)]
    load: LoadTable | None = None
    meter: AnyMeterTable
    wiring: WiringTable | None = None
    guardian: GuardianTable = GuardianTable()

    def relay_of(self, role: RelayRole) -> RelayTable:
        return next(r for r in self.relay if r.role == role)


def load_bench(path: Path) -> BenchConfig:
    """The bench file at `path`, checked. Raises InputError."""
    data, text = read_toml(path)
    return check_bench(data, text, str(path))


def locate(error: RigError, path: Path) -> None:
    """Complete an error that names a key of the bench file at `path` with the file and the key's line."""
    key = error.where.key
    if key is None or error.where.file is not None:
        return
    parts = [int(number) if number else name for number, name in re.findall(r"\[([0-9]+)\]|([\w-]+)", key)]
    error.where = replace(error.where, file=str(path), line=line_of(path.read_text(encoding="utf-8"), tuple(parts)))


def check_bench(data: dict[str, object], text: str, file: str) -> BenchConfig:
    """`data` (the parsed `text`) as a bench file, checked beyond its types. Raises InputError."""
    from rig.bench.checks import faults

    config = validate(BenchConfig, data, text, file)
    refuse(faults(config), text, file)
    return config
