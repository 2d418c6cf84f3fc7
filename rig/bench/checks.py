"""What no single key of a bench file shows: thresholds out of order, useless bands, pins used twice. Pure.

Each of these would make a run prove nothing, or less than it says: so they are refused before anything is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from rig.bench.circuit import current, load
from rig.bench.config import BenchConfig
from rig.bench.fault import Fault
from rig.bench.roles import roles
from rig.toml_file import Key

_COMPARATORS = ("rail_up", "rail_down")


def faults(config: BenchConfig) -> list[Fault]:
    """All contradictions, most important first."""
    checks = (_thresholds, roles, _nodes, _bands, load, current, _times, _names, _pins, _addresses)
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
    """The verdict is about one node: what decides must look at it. All sense lines are one request, so of one chip."""
    node, chip = config.rail.node, config.sense[0].chip
    for index, scope in enumerate(config.oscilloscope):
        if scope.node != node:
            yield Fault(("oscilloscope", index, "node"), "must look at the judged node", scope.node, node)
    for index, line in enumerate(config.sense):
        if line.role in _COMPARATORS and line.node != node:
            yield Fault(("sense", index, "node"), "must look at the judged node", line.node, node)
        if line.chip != chip:
            yield Fault(("sense", index, "chip"), "all sense lines are of one chip", line.chip, chip)


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


def _times(config: BenchConfig) -> Iterator[Fault]:
    topology, restore_s = config.topology, config.rail.restore_min_s
    if topology.control_cut_s <= topology.discharge_s + restore_s:
        expected = f"more than {topology.discharge_s + restore_s:g} s: discharge_s and restore_min_s"
        found = f"{topology.control_cut_s:g} s"
        yield Fault(("topology", "control_cut_s"), "a control cut as short as this proves nothing", found, expected)
    if config.meter.quiet_s <= restore_s:
        expected = f"more than restore_min_s, {restore_s:g} s"
        yield Fault(("meter", "quiet_s"), "ends before a rail counts as back", f"{config.meter.quiet_s:g} s", expected)
    for index, scope in enumerate(config.oscilloscope):
        if scope.pre_s >= scope.window_s:
            expected = f"less than window_s, {scope.window_s:g} s"
            key = ("oscilloscope", index, "pre_s")
            yield Fault(key, "nothing of the window is left after the trigger", f"{scope.pre_s:g} s", expected)


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
    uses: list[tuple[Key, int, str]] = [(("relay", i, "pin"), r.pin, r.name) for i, r in enumerate(config.relay)]
    uses += [(("sense", i, "line"), s.line, s.name) for i, s in enumerate(config.sense)]
    seen: dict[int, str] = {}
    for key, pin, who in uses:
        if pin in seen:
            yield Fault(key, "a pin is used twice", f"GPIO {pin} for {who}", f"a free one ({seen[pin]} has it)")
        seen.setdefault(pin, who)


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
