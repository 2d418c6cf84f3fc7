"""The Python face of `rig safe`: make a bench safe when everything else is broken, and tell what was proven.

No driver of a run, no guardian and no whole bench file is needed: relays by their lines, the supply by its own plain
socket, the rail by its comparators. Each device by itself; what cannot be reached keeps nobody from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rig.bench import is_bench_file
from rig.bench.config import SupplyTable
from rig.bench.guarding import pieces, relay_spec, salvaged_pieces, supply_spec
from rig.bench.identities import check_identity
from rig.bench.opening import CallSets, link_to, open_lines, supply_on
from rig.bench.salvage import Salvaged, salvage
from rig.clock import Clock, to_ns, utc_label
from rig.clock.system import SystemClock
from rig.errors import AnotherInstrument, BenchError, LinkError, RigError
from rig.guardian.charge import RelaySpec
from rig.guardian.emergency import relay_check
from rig.guardian.hands import open_relay
from rig.guardian.keeper import keep_safe, pins, take
from rig.guardian.lease import Lease, state_folder
from rig.guardian.plain_supply import switch_off
from rig.guardian.port import Check
from rig.instruments.ports import SenseLines

_LOOK_S = 0.05


@dataclass(frozen=True)
class SafeOutcome:
    """`wrong`: what was the matter with the bench file; `left_out`: what of the bench could not be told from it.

    `cleared`: a mark *not to be used* was taken back.
    """

    bench: str
    checks: tuple[Check, ...]
    wrong: str | None
    left_out: tuple[str, ...]
    cleared: bool

    @property
    def safe(self) -> bool:
        """Everything was proven, and nothing of the bench was left out."""
        return not self.left_out and all(check.proven for check in self.checks)


def make_bench_safe(bench: str) -> SafeOutcome:
    """Make the bench `bench` (a name, or a bench file) safe.

    Raises InputError when nothing of it can be told, or somebody who lives is using it: who must end first, and is made
    safe by its own guardian then.
    """
    if is_bench_file(bench):
        found = salvage(Path(bench))
        clock = SystemClock()
        names = pieces(found.whole) if found.whole else salvaged_pieces(found.supplies, found.relays)
        lease = Lease.take(state_folder(), found.name, names, utc_label(clock.utc()), marked=True)
        lease.proven = False
        try:
            return _made_safe(found, clock, CallSets(), lease)
        finally:
            lease.release()
    from rig import firmware
    from rig.twin.bench import Twin

    twin = Twin([firmware.load(firmware.names()[0])], bench)
    try:
        return _made_safe(Salvaged.of(twin.config), twin.clock, twin.call_sets, None)
    finally:
        twin.close()


def _made_safe(found: Salvaged, clock: Clock, call_sets: CallSets, lease: Lease | None) -> SafeOutcome:
    checks = [*_relays(found, clock, call_sets, lease), *_supplies(found, clock), _rail(found, clock, call_sets)]
    outcome = SafeOutcome(found.name, tuple(checks), found.wrong, found.left_out, cleared=False)
    if lease is None or not outcome.safe:
        return outcome
    marked = any(record.marked for record in lease.left_behind)
    lease.clear()
    return replace(outcome, cleared=marked)


def _relays(found: Salvaged, clock: Clock, call_sets: CallSets, lease: Lease | None) -> Iterator[Check]:
    """Each by itself: a dead board does not keep the lines from being moved. Kept lines are moved by their keeper."""
    specs = [relay_spec(table) for table in found.relays]
    kept = [spec for spec in specs if spec.gpio is not None and found.keeps_lines and lease is not None]
    if kept and lease is not None:
        yield from _kept(kept, lease.folder)
    elif lease is not None:
        take(str(lease.folder), pins(specs))
    for spec in specs:
        if spec in kept:
            continue

        def move(spec: RelaySpec = spec) -> Check:
            with closing(open_relay(spec, clock, {}, call_sets.gpio)) as relay:
                return relay_check(spec.name, relay.make_safe(), spec.safe_closed is None)

        yield _tried(f"relay {spec.name}", move)


def _kept(specs: Sequence[RelaySpec], folder: Path) -> Iterator[Check]:
    """One process takes all of them, so that none is let go of without need, and keeps them."""
    try:
        safe = keep_safe(str(folder), specs)
    except RigError as error:
        safe = {spec.name: error.one_line() for spec in specs}
    for spec in specs:
        found = safe[spec.name]
        if isinstance(found, str):
            yield Check(f"relay {spec.name}", False, found)
        else:
            yield relay_check(spec.name, found, spec.safe_closed is None)


def _supplies(found: Salvaged, clock: Clock) -> Iterator[Check]:
    for table in found.supplies:
        yield _tried(f"supply {table.name} off", partial(_switched_off, table, clock))


def _switched_off(table: SupplyTable, clock: Clock) -> Check:
    what, other = f"supply {table.name} off", _other(table, clock)
    if other is not None:
        return Check(what, False, f"{other}; it was not told to switch off")
    return Check(what, True, f"says {switch_off(supply_spec(table))}")


def _other(table: SupplyTable, clock: Clock) -> str | None:
    """Who is there in place of the bench file's supply: *off* would be another bench's.

    None: it is this one, or nobody says who it is. What is silent, or says half of it, is no proof of another, and then
    the hub's feed counts for more: it is switched off.
    """
    with closing(link_to(table, clock, clears=False)) as link:
        try:
            check_identity(table, supply_on(link, table).identify())
        except AnotherInstrument as error:
            return error.one_line()
        except LinkError:
            return None
        except BenchError as error:
            return error.one_line()
    return None


def _rail(found: Salvaged, clock: Clock, call_sets: CallSets) -> Check:
    """Looked at until both comparators say down, for as long as a discharge may take."""
    what, names = "rail discharged", {line.role: line.name for line in found.comparators}
    up, down = names.get("rail_up"), names.get("rail_down")
    if up is None or down is None:
        return Check(what, False, "nobody looked: the bench file names no pair of comparators")

    def look() -> Check:
        with closing(open_lines(found.comparators, clock, call_sets)) as lines:
            is_down = _waited(clock, found.topology.discharge_s, lambda: _is_down(lines, up, down))
        words = f"below {found.topology.safe_v:g} V"
        return Check(what, is_down, words if is_down else f"not {words} in {found.topology.discharge_s:g} s")

    return _tried(what, look)


def _is_down(lines: SenseLines, up: str, down: str) -> bool:
    levels = lines.levels()
    return levels[down] and not levels[up]


def _waited(clock: Clock, limit_s: float, condition: Callable[[], bool]) -> bool:
    deadline = clock.now() + to_ns(limit_s)
    while not condition():
        if clock.now() >= deadline:
            return False
        clock.sleep(_LOOK_S)
    return True


def _tried(what: str, act: Callable[[], Check]) -> Check:
    """A device that fails is a part of the safe state that was not proven."""
    try:
        return act()
    except RigError as error:
        return Check(what, False, error.one_line())
    except OSError as error:
        return Check(what, False, str(error))
