"""The Python face of `rig doctor`: a bench by name or file, or none, and this machine; what was found, as one record.

Like `rig.api` it knows that there is a twin. Heavy imports come late, so that the search for VISA resources, which
waits for a second, runs beside them.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rig.bench import is_bench_file
from rig.clock import Clock
from rig.clock.system import SystemClock
from rig.errors import InputError, RigError, Where
from rig.procedures.doctor import computer
from rig.procedures.doctor.machine import Machine
from rig.procedures.doctor.machine_look import MachineLook, Needs
from rig.recording import Taps
from rig.records.doctor import DoctorLabels, Examination, Proposal

if TYPE_CHECKING:
    from rig.bench.config import BenchConfig
    from rig.procedures.doctor.bench_look import BenchLook, Wires
    from rig.procedures.doctor.discovery import Candidate, Probe, ProbesLook
    from rig.twin.faults import Fault

_FREE_DISK_MB = 200.0
"""The bench file's own default, for a machine without one."""


def examine(
    bench: str | None = "twin",
    *,
    out: str | Path = "runs",
    probes: Sequence[str] = (),
    propose: str | Path | None = None,
    faults: Sequence[str] = (),
    machine: Machine | None = None,
    system: Clock | None = None,
    taps: Taps | None = None,
) -> Examination:
    """Look at a bench and at this machine. Changes nothing on either; writes the bench file that `propose` names.

    `bench` None: this machine alone. `probes`: addresses (`HOST` or `HOST:PORT`) to ask who they are. `faults` act on
    the twin from the start. `machine` and `system` (the clock of everything but a twin) are this machine's. `taps` hear
    the bench's links. Raises InputError for bad input, before anything is asked; what is wrong with the bench is in the
    checks.
    """
    config = _bench_file(bench)
    acting = _faults(faults, bench, config)
    file = _free_file(propose)
    asked = _probes(probes)
    machine, system = machine or Machine(), system or SystemClock()
    started, start = system.utc(), system.now()
    twin_alone = bench is not None and config is None and file is None  # who looks at a twin broadcasts nothing
    machine_look = MachineLook(machine, system, _needs(config), lan=not twin_alone)

    from rig.procedures.doctor.discovery import ProbesLook

    probes_look = ProbesLook(asked, system, named=True)
    with _wires(bench, config, system, acting, taps) as wires:
        bench_look = _bench_look(wires, machine)
        rows = bench_look.checks() if bench_look else []
    rows += [*probes_look.checks(), computer.disk(machine, Path(out), _need_mb(wires)), *machine_look.checks()]
    proposal = None
    if file is not None:
        found_look = _found_by_itself(machine_look, asked, system)
        rows += found_look.checks()
        proposal = _propose(file, machine_look, (*probes_look.found(), *found_look.found()), bench_look)
    stamp = started.isoformat(timespec="seconds").replace("+00:00", "Z")
    labels = DoctorLabels(platform.node(), stamp, (system.now() - start) / 1e9)
    return Examination(wires.config.bench.name if wires else None, tuple(rows), proposal, labels)


# -- what was asked for, checked ---------------------------------------------------------------------------------------


def _bench_file(bench: str | None) -> BenchConfig | None:
    """The bench file, where a file is named; with a meter profile that there is."""
    if bench is None or not is_bench_file(bench):
        return None
    from rig.bench.config import load_bench, locate
    from rig.bench.meter_opening import check_profile

    config = load_bench(Path(bench))
    try:
        check_profile(config)
    except RigError as error:
        locate(error, Path(bench))
        raise
    return config


def _needs(config: BenchConfig | None) -> Needs:
    """What the bench of this file needs; a twin needs nothing."""
    if config is None:
        return Needs()
    from rig.bench.config import GpioRelayTable
    from rig.procedures.doctor.lines import chip_of

    return Needs(True, chip_of(config), any(isinstance(relay, GpioRelayTable) for relay in config.relay))


def _faults(faults: Sequence[str], bench: str | None, config: BenchConfig | None) -> list[Fault]:
    from rig.twin.faults import parse_from_start

    if faults and (bench is None or config is not None):
        raise InputError("faults are for the twin", Where(key="--fault", found=bench or "no bench", expected="a twin"))
    return [parse_from_start(text) for text in faults]


def _free_file(propose: str | Path | None) -> Path | None:
    if propose is None:
        return None
    from rig.procedures.doctor.proposal import check_free

    check_free(Path(propose))
    return Path(propose)


def _probes(probes: Sequence[str]) -> list[Probe]:
    if not probes:
        return []
    from rig.procedures.doctor.discovery import parse_probe

    return [parse_probe(text) for text in probes]


# -- the bench ---------------------------------------------------------------------------------------------------------


@contextmanager
def _wires(
    bench: str | None, config: BenchConfig | None, system: Clock, faults: list[Fault], taps: Taps | None
) -> Iterator[Wires | None]:
    """The bench to look at, nothing of it opened: that of a file, a twin as a run leaves it, or none."""
    if bench is None:
        yield None
        return
    from rig.bench.opening import CallSets
    from rig.procedures.doctor.bench_look import Wires as TheWires

    if config is not None:
        yield TheWires(config, system, CallSets(taps=taps), real=True)
        return
    from rig.firmware import load
    from rig.twin.bench import Twin

    twin = Twin([load("cut-45s")], bench, 0, faults)
    try:
        twin.stand_ready()
        yield TheWires(twin.config, twin.clock, replace(twin.call_sets, taps=taps), real=False)
    finally:
        twin.close()


def _bench_look(wires: Wires | None, machine: Machine) -> BenchLook | None:
    if wires is None:
        return None
    from rig.procedures.doctor.bench_look import BenchLook as TheLook

    return TheLook(wires, machine)


def _need_mb(wires: Wires | None) -> float:
    return wires.config.limits.free_disk_mb if wires is not None else _FREE_DISK_MB


# -- a first bench file ------------------------------------------------------------------------------------------------


def _found_by_itself(machine_look: MachineLook, named: list[Probe], system: Clock) -> ProbesLook:
    """Ask the network instruments that were found without being named."""
    from rig.procedures.doctor.discovery import USUAL_PORTS, Probe, ProbesLook

    known = {probe.host for probe in named}
    probes = [Probe(host, USUAL_PORTS) for host in machine_look.lan_hosts() if host not in known]
    return ProbesLook(probes, system, named=False)


def _propose(
    file: Path, machine_look: MachineLook, candidates: tuple[Candidate, ...], bench_look: BenchLook | None
) -> Proposal:
    from rig.procedures.doctor.proposal import Findings, write

    findings = Findings(candidates, None, machine_look.chips(), machine_look.serial_ports())
    return write(file, bench_look.findings(findings) if bench_look is not None else findings)
