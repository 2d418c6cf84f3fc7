"""The settings on which a verdict rests, each with its value and where it comes from: printed in every record."""

from __future__ import annotations

from rig.bench.config import SupplyTable
from rig.bench.meter_table import OutsideTable
from rig.bench.opening import Bench
from rig.firmware import Fixture
from rig.judgement import Limit
from rig.procedures.capturing import Taken
from rig.procedures.feed_path import GAS
from rig.procedures.watch import PAIR_S
from rig.records.run import CAVEAT, Assumption

_BENCH = "bench file"
_ASSUMED = "assumption: the ICHIS electrical limits are to be filled in from the DCC's document"


def assumptions(bench: Bench, limit: Limit, fixture: Fixture, taken: Taken | None) -> tuple[Assumption, ...]:
    """All of them, in the order in which they matter."""
    config = bench.config
    rail, limits = config.rail, config.limits
    rows = [
        ("limit_s", f"{limit.length_ns / 1e9:g} s", "MP102A: three minutes"),
        (
            "comparison",
            limit.comparison.value,
            "MP102A says both 'more than' and 'three or more'; ge is the strict reading",
        ),
        ("up_above_v", f"{rail.up_above_v:g} V", _ASSUMED),
        ("down_below_v", f"{rail.down_below_v:g} V", _ASSUMED),
        ("ride_through_s", f"{rail.ride_through_s:g} s", "assumption: a shorter dip is no outage"),
        ("restore_min_s", f"{rail.restore_min_s:g} s", "assumption: a shorter return restores nothing"),
        ("noise_v", f"{rail.noise_v:g} V", _BENCH + ": worst-case noise at the probe"),
        (
            "clock_rate_ppm",
            f"{limits.clock_rate_ppm:g} ppm",
            f"limit on its average over {PAIR_S:g} s, watched against CLOCK_MONOTONIC_RAW",
        ),
        ("quiet_s", f"{config.meter.quiet_s:g} s", _BENCH + ": a meter that cuts later than this is not seen to"),
        ("max_s", f"{config.meter.max_s:g} s", _BENCH + ": the meter's maximum"),
        ("safe_v", f"{config.topology.safe_v:g} V", _BENCH),
    ]
    rows += _of_the_supply(config.supply[0])
    for line in config.sense:
        if line.band_v is not None:
            low, high = line.band_v
            rows.append((f"{line.name}.band_v", f"{low:g} to {high:g} V", _BENCH + ": comparator with tolerances"))
        if line.band_a is not None:
            low, high = line.band_a
            rows.append((f"{line.name}.band_a", f"{low:g} to {high:g} A", _BENCH + ": sensor and comparator"))
        rows.append((f"{line.name}.latency_s", f"{line.latency_s:g} s", _BENCH + ": comparator, isolator, interrupt"))
    rows.append(
        ("sense edges", "dips that leave no edge are shorter than ride_through_s", "assumption: kernel interrupts")
    )
    if taken is not None:
        capture = taken.capture
        gain = f"{capture.gain_error:.3g} of the reading and {capture.offset_error_v:.3g} V"
        rows.append(("oscilloscope.accuracy", gain, "the model's data sheet, worst case"))
        rows.append(("oscilloscope.time_base_ppm", f"{capture.time_base_ppm:g} ppm", "the model's data sheet"))
        rows.append(
            (
                "oscilloscope.down_samples",
                "no dips just when it looks",
                "assumption: samples up to restore_min_s apart join",
            )
            if capture.highs is None
            else ("oscilloscope.peak_detect", f"bins of {capture.dt_s:.3g} s", "it looked at all of each bin")
        )
    if bench.config.oscilloscope[0].mode == "poll":
        rows.append(("oscilloscope.mode", "polled", "it proves down between two new levels, and never up"))
        rows.append(
            (
                "oscilloscope.down_levels",
                "no dips just when it looks",
                "assumption: levels up to restore_min_s apart join",
            )
        )
    rows += _of_the_meter(bench)
    if fixture.synthetic:
        rows.append(("firmware", "synthetic", "the twin's meter: no real product was measured"))
    return tuple(Assumption(*row) for row in rows)


def _of_the_supply(table: SupplyTable) -> list[tuple[str, str, str]]:
    """What stands in place of a protection that this supply has not."""
    rows = []
    if isinstance(table.over_voltage_v, str):
        text = f"none: its own regulation alone holds {table.volts:g} V"
        rows.append((f"{table.name}.over_voltage_v", text, "this supply has no over-voltage protection to set"))
    if table.over_current_a == "at-limit":
        text = f"trips when its limit of {table.amps:g} A acts"
        rows.append((f"{table.name}.over_current_a", text, "this supply's protection has no level of its own"))
    elif table.over_current_a == "none":
        text = f"none: its limit of {table.amps:g} A alone bounds the current"
        rows.append((f"{table.name}.over_current_a", text, "this supply has no over-current protection to set"))
    return rows


def _of_the_meter(bench: Bench) -> list[tuple[str, str, str]]:
    """What a run rests on where the rig does not do it all itself, and what it cannot show."""
    rows = []
    table = bench.config.meter
    if isinstance(table, OutsideTable) and table.trigger == "person":
        rows.append(("person_s", f"{table.person_s:g} s", _BENCH + ": how far from a person's word the start may lie"))
    if isinstance(table, OutsideTable) and table.contact is not None:
        rows.append(("contact.latency_s", f"{table.contact.latency_s:g} s", _BENCH + ": from the start to the stamp"))
    if not bench.meter.abilities.transfer:
        rows.append(("image", "not transferred and not verified by the rig", "the meter takes its image another way"))
    if bench.config.topology.kind == "hot-shoe":
        rows.append((CAVEAT, GAS, "domain: a gas meter runs on its battery, and the hot shoe feeds the hub"))
    return rows
