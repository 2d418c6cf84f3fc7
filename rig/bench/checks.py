"""What no single key of a bench file shows: thresholds out of order, useless bands, pins used twice. Pure.

Each of these would make a run prove nothing, or less than it says: so they are refused before anything is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from rig.bench.circuit import current, load
from rig.bench.config import (
    BenchConfig,
    CoilRelayTable,
    GpiodSenseTable,
    GpioRelayTable,
    RelayTable,
    SenseTable,
)
from rig.bench.roles import roles
from rig.instruments.address import Kind, parse_address
from rig.instruments.catalogue import OSCILLOSCOPES, SUPPLIES
from rig.instruments.guards import Guard
from rig.toml_file import Key
from rig.toml_model import Fault

_COMPARATORS = ("rail_up", "rail_down")
_WORDS = {
    Guard.LEVEL: "a level",
    Guard.AT_LIMIT: '"at-limit" (it trips when its current limit acts)',
    Guard.NONE: '"none"',
}


def faults(config: BenchConfig) -> list[Fault]:
    """All contradictions, most important first."""
    checks = (
        _thresholds,
        roles,
        _nodes,
        _bands,
        load,
        current,
        _supplies,
        _peak_detect,
        _times,
        _guardian,
        _names,
        _pins,
        _boards,
        _addresses,
    )
    return list(chain.from_iterable(check(config) for check in checks))


def _thresholds(config: BenchConfig) -> Iterator[Fault]:
    rail, safe_v = config.rail, config.topology.safe_v
    if not rail.down_below_v < rail.up_above_v < rail.nominal_v:
        values = f"{rail.down_below_v:g}, {rail.up_above_v:g}, {rail.nominal_v:g}"
        yield Fault(("rail",), "thresholds are out of order", values, "down_below_v < up_above_v < nominal_v")
    if safe_v > rail.down_below_v:
        expected = f"at most down_below_v, {rail.down_below_v:g} V"
        yield Fault(("topology", "safe_v"), "a safe rail must be down", f"{safe_v:g} V", expected)
    if rail.up_above_v + rail.noise_v >= rail.nominal_v:
        expected = f"below {rail.nominal_v - rail.up_above_v:g} V: nominal_v less up_above_v"
        yield Fault(("rail", "noise_v"), "with this noise a good rail proves no 'up'", f"{rail.noise_v:g} V", expected)


def _nodes(config: BenchConfig) -> Iterator[Fault]:
    """The verdict is about one node: what decides must look at it. All sense lines are one request, so of one place."""
    node, (key, place) = config.rail.node, _place(config.sense[0])
    for index, scope in enumerate(config.oscilloscope):
        if scope.node != node:
            yield Fault(("oscilloscope", index, "node"), "must look at the judged node", scope.node, node)
    for index, line in enumerate(config.sense):
        if line.role in _COMPARATORS and line.node != node:
            yield Fault(("sense", index, "node"), "must look at the judged node", line.node, node)
        other_key, other = _place(line)
        if (other_key, other) != (key, place):
            where = ("sense", index, other_key if other_key == key else "driver")
            yield Fault(where, "all sense lines are of one chip, or of one line server", other, place)


def _place(line: SenseTable) -> tuple[str, str]:
    """The key that says where a line is, and what it says."""
    return ("chip", line.chip) if isinstance(line, GpiodSenseTable) else ("address", line.address)


def _bands(config: BenchConfig) -> Iterator[Fault]:
    """A comparator proves something only when its whole switching band lies on one side of its threshold."""
    lowest_up, highest_down = config.rail.up_above_v, min(config.rail.down_below_v, config.topology.safe_v)
    good_v = min(config.rail.nominal_v, config.supply[0].volts)
    for index, line in enumerate(config.sense):
        if line.role not in _COMPARATORS:
            continue
        key = ("sense", index, "band_v")
        if line.band_v is None:
            yield Fault(key, f"{line.role} needs its switching band", "nothing", "[lowest, highest] volts")
            continue
        low, high = line.band_v
        band = f"{low:g} to {high:g} V"
        if low > high:
            yield Fault(key, "a band runs from its lowest to its highest", band, "lowest <= highest")
        elif line.role == "rail_up" and low < lowest_up:
            yield Fault(key, "a band below up_above_v proves no 'up'", band, f"from {lowest_up:g} V up")
        elif line.role == "rail_up" and high >= good_v:
            expected = f"below {good_v:g} V: nominal_v, and the supply's volts"
            yield Fault(key, "a good rail does not leave this band", band, expected)
        elif line.role == "rail_down" and high > highest_down:
            expected = f"up to {highest_down:g} V"
            yield Fault(key, "a band above down_below_v or safe_v proves no 'down'", band, expected)


def _supplies(config: BenchConfig) -> Iterator[Fault]:
    """A supply is asked for what it has: a level where it has one, and nothing that it has not; where it can answer."""
    for index, table in enumerate(config.supply):
        facts = SUPPLIES[table.driver]
        if facts.unended and parse_address(table.address).kind not in (Kind.SERIAL, Kind.SOCKET):
            found, expected = table.address, "ASRL/dev/ttyUSB0::INSTR, or a socket that leads to one"
            yield Fault(
                ("supply", index, "address"), f"a {table.driver} talks only over a serial port", found, expected
            )
        for key, value, has in (
            ("over_voltage_v", table.over_voltage_v, facts.over_voltage),
            ("over_current_a", table.over_current_a, facts.over_current),
        ):
            kind = Guard(value) if isinstance(value, str) else Guard.LEVEL
            if kind not in has:
                words = [_WORDS[guard] for guard in has]
                found = repr(value) if isinstance(value, str) else f"{value:g}"
                yield Fault(("supply", index, key), f"a {table.driver} has none such", found, " or ".join(words))


def _peak_detect(config: BenchConfig) -> Iterator[Fault]:
    """Only where it is known what the record then looks like; and a level that is polled has no bins."""
    able = ", ".join(driver for driver, facts in OSCILLOSCOPES.items() if facts.peak_detect)
    for index, table in enumerate(config.oscilloscope):
        key = ("oscilloscope", index, "peak_detect")
        if table.peak_detect and not OSCILLOSCOPES[table.driver].peak_detect:
            what = f"no guide was found that says what the record of a {table.driver} looks like with peak detect"
            yield Fault(key, what, "true", f"false, or one of: {able}")
        elif table.peak_detect and table.mode == "poll":
            yield Fault(key, 'peak detect is for captures, and mode = "poll" takes none', "true", "false")


def _times(config: BenchConfig) -> Iterator[Fault]:
    topology, restore_s, ride_s = config.topology, config.rail.restore_min_s, config.rail.ride_through_s
    if topology.control_cut_s <= topology.discharge_s + restore_s:
        expected = f"more than {topology.discharge_s + restore_s:g} s: discharge_s and restore_min_s"
        found = f"{topology.control_cut_s:g} s"
        yield Fault(("topology", "control_cut_s"), "a control cut as short as this proves nothing", found, expected)
    if config.meter.quiet_s <= restore_s:
        expected = f"more than restore_min_s, {restore_s:g} s"
        yield Fault(("meter", "quiet_s"), "ends before a rail counts as back", f"{config.meter.quiet_s:g} s", expected)
    for index, relay in enumerate(config.relay):
        if relay.role == "supply-feed" and relay.least_dwell_s > topology.control_cut_s:
            expected = f"at most control_cut_s, {topology.control_cut_s:g} s"
            key = ("relay", index, "least_dwell_s")
            yield Fault(key, "this relay could not make the control cut", f"{relay.least_dwell_s:g} s", expected)
    for index, line in enumerate(config.sense):
        if line.role in _COMPARATORS and line.latency_s > ride_s:
            expected = f"at most ride_through_s, {ride_s:g} s"
            key = ("sense", index, "latency_s")
            yield Fault(key, "a dip as long as this latency may leave no edge", f"{line.latency_s:g} s", expected)
    for index, scope in enumerate(config.oscilloscope):
        if scope.pre_s >= scope.window_s:
            expected = f"less than window_s, {scope.window_s:g} s"
            key = ("oscilloscope", index, "pre_s")
            yield Fault(key, "nothing of the window is left after the trigger", f"{scope.pre_s:g} s", expected)


def _guardian(config: BenchConfig) -> Iterator[Fault]:
    table, topology, meter = config.guardian, config.topology, config.meter
    if table.silent_s < 2 * table.beat_s:
        expected = f"at least twice beat_s, {2 * table.beat_s:g} s"
        yield Fault(("guardian", "silent_s"), "one late beat would end every run", f"{table.silent_s:g} s", expected)
    longest = meter.start_s + config.hub.settle_s + meter.max_s + meter.follow_s + config.limits.limit_s
    longest += sum(2 * scope.window_s for scope in config.oscilloscope)
    if table.longest_energised_s <= longest:
        expected = f"more than {longest:g} s: start_s, settle_s, max_s, follow_s, limit_s and twice window_s"
        found = f"{table.longest_energised_s:g} s"
        yield Fault(("guardian", "longest_energised_s"), "a whole run may feed the hub for longer", found, expected)
    if topology.least_off_s < topology.dead_time_s:
        expected = f"at least dead_time_s, {topology.dead_time_s:g} s"
        key = ("topology", "least_off_s")
        yield Fault(key, "the rail is off for less than the dead time", f"{topology.least_off_s:g} s", expected)
    if table.keeps_lines and not any(isinstance(relay, GpioRelayTable) for relay in config.relay):
        expected = "a relay with driver rpi-gpio"
        yield Fault(("guardian", "keeps_lines"), "there is no line to keep", "true", expected)
    for pin, word in (("watchdog_pin", "watchdog_period_s"), ("estop_pin", "estop_pressed")):
        if getattr(table, pin) is None and getattr(table, word) is not None:
            yield Fault(("guardian", word), "says something of a pin that is not there", word, pin)


def _names(config: BenchConfig) -> Iterator[Fault]:
    tables = {
        "supply": [s.name for s in config.supply],
        "oscilloscope": [o.name for o in config.oscilloscope],
        "relay": [r.name for r in config.relay],
        "sense": [s.name for s in config.sense],
    }
    seen: dict[str, str] = {}
    for table, names in tables.items():
        for index, name in enumerate(names):
            if name in seen:
                yield Fault((table, index, "name"), "a name is used twice", name, f"not that of {seen[name]}")
            seen.setdefault(name, f"{table}[{index}]")


def _pins(config: BenchConfig) -> Iterator[Fault]:
    """Each line of the header, and each coil of a board, has one use."""
    uses: list[tuple[Key, str, str]] = [(("relay", i, _key(r)), _drive(r), r.name) for i, r in enumerate(config.relay)]
    uses += [(("sense", i, "line"), _line(s), s.name) for i, s in enumerate(config.sense)]
    guardian = (("watchdog_pin", config.guardian.watchdog_pin), ("estop_pin", config.guardian.estop_pin))
    uses += [(("guardian", key), f"GPIO {pin}", f"the guardian's {key}") for key, pin in guardian if pin is not None]
    seen: dict[str, str] = {}
    for key, pin, who in uses:
        if pin in seen:
            yield Fault(key, "a pin is used twice", f"{pin} for {who}", f"a free one ({seen[pin]} has it)")
        seen.setdefault(pin, who)


def _key(relay: RelayTable) -> str:
    return "pin" if isinstance(relay, GpioRelayTable) else "coil"


def _drive(relay: RelayTable) -> str:
    """What drives a relay, in words that are the same only for the same thing."""
    if isinstance(relay, GpioRelayTable):
        return f"GPIO {relay.pin}"
    return f"coil {relay.coil} of unit {relay.unit} at {relay.address or relay.port}"


def _line(line: SenseTable) -> str:
    return f"GPIO {line.line}" if isinstance(line, GpiodSenseTable) else f"served line {line.line}"


def _boards(config: BenchConfig) -> Iterator[Fault]:
    """Relays on one board share its link, so they must say the same of it."""
    seen: dict[str, CoilRelayTable] = {}
    for index, relay in enumerate(config.relay):
        if not isinstance(relay, CoilRelayTable):
            continue
        first = seen.setdefault(relay.address or relay.port or "", relay)
        for key in ("baud", "parity", "timeout_s"):
            found, expected = getattr(relay, key), getattr(first, key)
            if found != expected:
                message = f"is on the same link as {first.name}, which says otherwise"
                yield Fault(("relay", index, key), message, str(found), str(expected))


def _addresses(config: BenchConfig) -> Iterator[Fault]:
    uses: list[tuple[Key, str, str]] = [
        (("supply", i, "address"), s.address, s.name) for i, s in enumerate(config.supply)
    ]
    uses += [(("oscilloscope", i, "address"), o.address, o.name) for i, o in enumerate(config.oscilloscope)]
    seen: dict[str, str] = {}
    for key, address, who in uses:
        if address.upper() in seen:
            yield Fault(key, "an address is used twice", address, f"not that of {seen[address.upper()]}")
        seen.setdefault(address.upper(), who)
