"""What a bench file says of its circuit, checked by Ohm's law: does an unfed rail fall, does a fed one draw? Pure.

A rail that stays up without a feed hides every cut ('held, not supplied', domain.md, 3): the minimum load must pull it
below `safe_v` within `discharge_s`, with every value at its worst.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from rig.bench.config import BenchConfig
from rig.toml_model import Fault


def discharge_s(config: BenchConfig) -> float | None:
    """The longest that the unfed rail takes from its highest volts to `safe_v`; None without a [load]."""
    if config.load is None:
        return None
    start_v = max(config.rail.nominal_v, config.supply[0].volts)
    ohm = config.load.ohm * (1 + config.load.tolerance)
    safe_v = config.topology.safe_v
    return math.inf if safe_v <= 0 else ohm * config.load.capacitance_f * max(0.0, math.log(start_v / safe_v))


def load(config: BenchConfig) -> Iterator[Fault]:
    """A minimum load that does not discharge the rail in time, or that burns."""
    takes_s, table = discharge_s(config), config.load
    if table is None or takes_s is None:
        return
    if takes_s > config.topology.discharge_s:
        expected = f"at most discharge_s, {config.topology.discharge_s:g} s"
        yield Fault(
            ("load",), "the minimum load does not pull an unfed rail down in time", f"{takes_s:.3g} s", expected
        )
    watts = config.supply[0].max_volts ** 2 / (table.ohm * (1 - table.tolerance))
    if watts > table.watts:
        expected = f"at least {watts:.3g} W: max_volts squared over ohm less tolerance"
        yield Fault(("load", "watts"), "the minimum load would burn", f"{table.watts:g} W", expected)


def current(config: BenchConfig) -> Iterator[Fault]:
    """A current line proves 'supplied, not held' only when the minimum load alone draws more than its band."""
    for index, line in enumerate(config.sense):
        key = ("sense", index, "band_a")
        if line.role != "current":
            if line.band_a is not None:
                yield Fault(key, "only a line with the role current has a band of amperes", line.role, "current")
            continue
        if line.band_a is None:
            yield Fault(key, "current needs its switching band", "nothing", "[lowest, highest] amperes")
            continue
        low, high = line.band_a
        band = f"{low:g} to {high:g} A"
        if low > high:
            yield Fault(key, "a band runs from its lowest to its highest", band, "lowest <= highest")
        elif config.load is not None:
            draws_a = config.rail.up_above_v / (config.load.ohm * (1 + config.load.tolerance))
            if high >= draws_a:
                expected = f"below {draws_a:.4g} A: what the minimum load draws at up_above_v"
                yield Fault(key, "a fed rail does not leave this band", band, expected)
