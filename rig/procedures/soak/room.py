"""Whether a night of a plan fits on the disk: its cycles, its captures by the bench file, what must stay free."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from rig.bench.config import BenchConfig
from rig.errors import InputError, Where
from rig.procedures.control import CONTROL_DEPTH
from rig.procedures.soak.plan_file import DiskTable
from rig.records.disk import CapturePolicy, Room, bundle_bytes, room_for, used_bytes
from rig.records.journal import Attempt
from rig.records.soak_words import counted

_MB = 1e6
_LOOKED_AT = 20


def policy_of(disk: DiskTable) -> CapturePolicy:
    """As the plan says."""
    return CapturePolicy(disk.passed, disk.others)


def check_room(config: BenchConfig, disk: DiskTable, cycles: int, out: Path, measured_bytes: int = 0) -> Room:
    """Raises InputError for a night that does not fit even if all of it passes. `measured_bytes`: see `measured`."""
    stay = round(config.limits.free_disk_mb * _MB)
    room = room_for(cycles, samples_of(config), policy_of(disk), _free(out), stay, measured_bytes)
    if not room.fits:
        where = Where(str(out), found=room.words, expected=f"room for {counted(cycles, 'cycle')}")
        raise InputError("the night will not fit on this disk", where)
    return room


def measured(out: Path, attempts: Sequence[Attempt]) -> int:
    """The most that one of the last cycles which passed has taken of the disk; 0 where none is known."""
    passed = [a.begun.run_id for a in attempts if a.ended is not None and a.ended.verdict == "PASS"]
    return max((used_bytes(out / run_id) for run_id in passed[-_LOOKED_AT:]), default=0)


def full(config: BenchConfig, disk: DiskTable, out: Path) -> str | None:
    """Why not even one more cycle fits, whatever its verdict; None where one does."""
    most = max(bundle_bytes(samples_of(config), keep) for keep in (disk.passed, disk.others))
    free, need = _free(out) / _MB, config.limits.free_disk_mb + most / _MB
    if free >= need:
        return None
    return f"too little room for another cycle: {free:.0f} MB are free, {need:.0f} MB are needed"


def samples_of(config: BenchConfig) -> tuple[int, ...]:
    """How many samples each capture of a cycle may have: the activation's, and a control of either feed."""
    return (config.oscilloscope[0].depth, CONTROL_DEPTH, CONTROL_DEPTH)


def _free(out: Path) -> int:
    """On the disk where `out` is, or will be."""
    there = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free
