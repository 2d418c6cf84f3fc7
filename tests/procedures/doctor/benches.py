"""The twin as the doctor finds it, and what it says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rig import firmware
from rig.bench.config import BenchConfig
from rig.bench.opening import CallSets
from rig.procedures.doctor.bench_look import BenchLook, Wires
from rig.records.doctor import Check
from rig.twin.bench import Twin
from rig.twin.faults import parse_from_start
from tests.procedures.doctor.machines import pi


@contextmanager
def twin(*faults: str) -> Iterator[Twin]:
    bench = Twin([firmware.load("cut-45s")], faults=[parse_from_start(name) for name in faults])
    try:
        bench.stand_ready()
        yield bench
    finally:
        bench.close()


def with_supply(config: BenchConfig, **keys: object) -> BenchConfig:
    """The bench file with other keys in its supply's table."""
    return config.model_copy(update={"supply": [config.supply[0].model_copy(update=keys)]})


def look(bench: Twin, root: Path, config: BenchConfig | None = None, *, real: bool = False) -> list[Check]:
    return the_look(bench, root, config, real=real).checks()


def the_look(
    bench: Twin,
    root: Path,
    config: BenchConfig | None = None,
    *,
    real: bool = False,
    call_sets: CallSets | None = None,
) -> BenchLook:
    wires = Wires(bench.config, bench.clock, bench.call_sets, real)
    wires = replace(wires, config=config or bench.config, call_sets=call_sets or bench.call_sets)
    return BenchLook(wires, pi(root))


def seen(root: Path, *faults: str) -> dict[str, Check]:
    """The checks of a twin with these faults, by name."""
    with twin(*faults) as bench:
        return {check.what: check for check in look(bench, root)}
