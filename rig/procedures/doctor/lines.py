"""The bench's GPIO lines: there, free, and plausible. Relay lines are never requested: a requested line may move.

Sense lines are inputs of the bench, on a chip or served by another process; they are read once where they are free, and
given back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rig.bench.config import BenchConfig, GpiodSenseTable, GpioRelayTable, SenseRole
from rig.bench.opening import CallSets, open_sense
from rig.clock import Clock
from rig.errors import BenchError
from rig.guardian.keeper import holder
from rig.guardian.lease import state_folder
from rig.instruments.chips import chip_info, line_infos
from rig.procedures.doctor.machine import Machine
from rig.records.doctor import Check, Desk

if TYPE_CHECKING:
    from gpiod import LineInfo

_DESK = Desk("lines")
_LEVELS = "sense levels"
_OURS = "ichis-rig"


class LinesLook:
    """`levels` are those of the sense lines by role, empty where they could not be read."""

    def __init__(self, config: BenchConfig, clock: Clock, call_sets: CallSets, machine: Machine) -> None:
        self._config = config
        self._clock = clock
        self._call_sets = call_sets
        self._machine = machine
        self.levels: dict[SenseRole, bool] = {}

    def run(self) -> list[Check]:
        path = chip_of(self._config)
        if path is None:
            return [_DESK.not_here("GPIO chip", "the bench file names none"), self._read({})]
        try:
            open_chip = self._call_sets.open_chip or self._machine.chips()
            info = chip_info(open_chip, path)
        except BenchError as error:
            to_do = "does the bench file name the right chip? see 'GPIO chips' and 'access to GPIO chips'; gpiodetect"
            return [_DESK.failed("GPIO chip", error.one_line(), to_do)]
        chip = _DESK.ok("GPIO chip", f"{path} [{info.label}], {info.num_lines} lines")
        users = {r.pin: f"relay {r.name}" for r in self._config.relay if isinstance(r, GpioRelayTable)}
        users |= {s.line: f"sense {s.name}" for s in self._config.sense if isinstance(s, GpiodSenseTable)}
        try:
            infos = line_infos(open_chip, path, users)
        except BenchError as error:
            return [chip, _DESK.failed("lines", error.one_line(), "name lines that this chip has in the bench file")]
        return [chip, *_uses(users, infos), self._read(infos)]

    def _read(self, infos: Mapping[int, LineInfo]) -> Check:
        taken = [line.name for line in self._config.sense if line.line in infos and infos[line.line].used]
        if taken:
            return _DESK.warning(_LEVELS, f"not read: {', '.join(taken)} taken", "free the lines, and ask again")
        try:
            lines = open_sense(self._config, self._clock, self._call_sets)
        except BenchError as error:
            to_do = "see 'access to GPIO chips'; does the line server of the bench file run?"
            return _DESK.failed(_LEVELS, error.one_line(), to_do)
        try:
            levels = lines.levels()
        except BenchError as error:
            return _DESK.failed(_LEVELS, error.one_line(), "is the chip, or the line server, still there?")
        finally:
            lines.close()
        self.levels = {line.role: levels[line.name] for line in self._config.sense}
        return plausible(self.levels, self._config.topology.kind)


def chip_of(config: BenchConfig) -> str | None:
    """The GPIO chip that a bench file names; None: its sense lines are served. All of them are of one chip."""
    return next((line.chip for line in config.sense if isinstance(line, GpiodSenseTable)), None)


def _uses(users: Mapping[int, str], infos: Mapping[int, LineInfo]) -> Iterator[Check]:
    """A row for each line that is taken, and one for all that are free."""
    kept: dict[int, list[str]] = {}
    for number, who in users.items():
        info = infos[number]
        keeper = holder(str(state_folder()), number) if info.used and who.startswith("relay ") else None
        if keeper is not None:
            kept.setdefault(keeper, []).append(f"{who.partition(' ')[2]} {number}")
        elif info.used:
            found = f"line {number} is taken by '{info.consumer}'"
            yield _DESK.failed(f"line of {who}", found, _free(info.consumer))
    for pid, names in kept.items():
        yield _DESK.ok(
            "kept lines", f"{', '.join(names)}: held by process {pid} since the last run, as the bench file asks"
        )
    free = [f"{who.partition(' ')[2]} {number}" for number, who in users.items() if not infos[number].used]
    if free:
        yield _DESK.ok("free lines", ", ".join(free))


def _free(consumer: str) -> str:
    if consumer == _OURS:
        return "a run has it: wait for its end, or end it (Ctrl-C, so that it makes the bench safe)"
    return "end that program or device-tree overlay (sudo fuser -v /dev/gpiochip*), or take another line"


def plausible(levels: Mapping[SenseRole, bool], kind: str) -> Check:
    """What the levels say together, of a bench of this kind at rest. Pure. What contradicts itself is a failure."""
    shown = ", ".join(f"{role} {'active' if active else 'inactive'}" for role, active in levels.items())
    up, down = levels["rail_up"], levels["rail_down"]
    if up and down:
        to_do = "one comparator is stuck or miswired: measure the rail, and follow both lines from it"
        return _DESK.failed(_LEVELS, f"the rail is said to be up and down at once ({shown})", to_do)
    doubts = list(_doubts(levels, kind))
    if doubts:
        found, to_do = ("; ".join(texts) for texts in zip(*doubts, strict=True))
        return _DESK.warning(_LEVELS, f"{found} ({shown})", to_do)
    return _DESK.ok(_LEVELS, f"the rail is {'up' if up else 'down'} ({shown})")


def _doubts(levels: Mapping[SenseRole, bool], kind: str) -> Iterator[tuple[str, str]]:
    """What is odd and may be right, and what to do. On an ICHIS bench at rest nothing feeds the rail."""
    if levels["rail_up"] and kind == "ichis":
        yield (
            "the rail is up",
            "at rest both feeds are open: is K2 or K3 closed or welded, or does something else feed it?",
        )
    elif not levels["rail_up"] and not levels["rail_down"]:
        yield (
            "the rail is neither up nor down",
            "measure it; have the comparators power, and reach their lines the header?",
        )
    mains = levels.get("mains")
    if mains and levels.get("ac_lo"):
        yield "the meter says AC lost while the detector sees mains", "check AC LO's wire and its active level"
    if mains and levels.get("mt_pr") is False:
        yield "no meter is said to be present while it has mains", "check MT_PR's wire and its active level"
    if levels.get("ch_pr") is False:
        yield "no hub is said to be present", "plug the hub in, or check CH_PR's wire and its active level"
