"""What no single key of a bench file shows: thresholds out of order, useless bands, pins used twice. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from rig.bench.config import BenchConfig
from rig.toml_file import Key

_RELAY_ROLES = ("mains", "meter-feed", "supply-feed")
_SENSE_ROLES = ("rail_up", "rail_down", "mains")


@dataclass(frozen=True)
class Fault:
    """One contradiction: where it is, what is wrong, what was found and what was expected."""

    key: Key
    message: str
    found: str
    expected: str


def faults(config: BenchConfig) -> list[Fault]:
    """All contradictions, most important first."""
    return list(chain(_thresholds(config), _roles(config), _bands(config), _names(config), _pins(config)))


def _thresholds(config: BenchConfig) -> Iterator[Fault]:
    rail, safe_v = config.rail, config.topology.safe_v
    if not rail.down_below_v < rail.up_above_v < rail.nominal_v:
        values = f"{rail.down_below_v:g}, {rail.up_above_v:g}, {rail.nominal_v:g}"
        yield Fault(("rail",), "thresholds are out of order", values, "down_below_v < up_above_v < nominal_v")
    if safe_v > rail.down_below_v:
        expected = f"at most down_below_v, {rail.down_below_v:g} V"
        yield Fault(("topology", "safe_v"), "a safe rail must be down", f"{safe_v:g} V", expected)
    for index, scope in enumerate(config.oscilloscope):
        if scope.node != rail.node:
            yield Fault(("oscilloscope", index, "node"), "must look at the judged node", scope.node, rail.node)


def _roles(config: BenchConfig) -> Iterator[Fault]:
    have: list[tuple[str, tuple[str, ...], list[str]]] = [
        ("relay", _RELAY_ROLES, [r.role for r in config.relay]),
        ("sense", _SENSE_ROLES, [s.role for s in config.sense]),
    ]
    for table, wanted, roles in have:
        for role in wanted:
            count = roles.count(role)
            if count != 1:
                yield Fault((table,), f"exactly one {table} has the role '{role}'", str(count), "1")
    for index, relay in enumerate(config.relay):
        if relay.role != "mains" and relay.safe != "open":
            yield Fault(("relay", index, "safe"), "a feed of the hub is safe when open", relay.safe, "open")


def _bands(config: BenchConfig) -> Iterator[Fault]:
    """A comparator proves something only when its whole switching band lies on one side of its threshold."""
    lowest_up, highest_down = config.rail.up_above_v, min(config.rail.down_below_v, config.topology.safe_v)
    for index, line in enumerate(config.sense):
        if line.role not in ("rail_up", "rail_down"):
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
        elif line.role == "rail_up" and high >= config.rail.nominal_v:
            yield Fault(key, "a good rail never reaches this band", band, f"below {config.rail.nominal_v:g} V")
        elif line.role == "rail_down" and high > highest_down:
            expected = f"up to {highest_down:g} V"
            yield Fault(key, "a band above down_below_v or safe_v proves no 'down'", band, expected)


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
