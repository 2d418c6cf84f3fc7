"""The night itself: cycle after cycle, until the plan's end, a stop, or something that cannot be mended.

Before each: is there room, who answers, what does the meter run; then the one activation that follows from that. After
each: is the bench proven safe, what does the plan say about this verdict. What an attempt is made of, and how it is
kept, is given (`Attempts`); judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from rig.bench.opening import Bench
from rig.clock import Cancelled, to_ns
from rig.errors import BenchError, HarnessError, InputError, LinkError
from rig.instruments.usb import UsbBus
from rig.procedures.soak.end import End
from rig.procedures.soak.ladder import Ladder
from rig.procedures.soak.plan import Plan, Turn
from rig.procedures.soak.plan_file import OutcomeTable
from rig.procedures.soak.progress import CycleRow, SoakProgress, SoakState
from rig.procedures.soak.tally import Tally
from rig.procedures.soak.visit import Visit
from rig.records.journal import Cycle, Ended, EventKind
from rig.records.journal.soak_folder import SoakFolder


@dataclass(frozen=True)
class Tried:
    """An attempt that has ended and is kept. `commanded_ns`: when the activation was started, if it was.

    `over`: that activation is known to have ended. `controls`: those it rests on are valid.
    """

    run_id: str
    ended: Ended
    commanded_ns: int | None
    over: bool
    controls: bool


class Attempts(Protocol):
    """Makes one attempt, and keeps it: on the disk, and in the journal, when it returns."""

    def __call__(self, turn: Turn, cycle: Cycle, *, controls: bool) -> Tried:
        """`controls`: all are made anew. Raises BenchError, InputError when it could not be kept."""


@dataclass(frozen=True)
class Ending:
    """Why a sitting ended: a code, and the sentence. `failed`: for no reason of the plan's own."""

    reason: str
    text: str
    failed: bool = False


_DONE = {"cycles": "all cycles are done", "time": "the time is over"}


@dataclass
class SoakRunner:
    """One sitting of one soak on an open bench. `room` says what is wrong with the disk, or None."""

    bench: Bench
    plan: Plan
    seed: int
    end: End
    book: SoakFolder
    tally: Tally
    attempts: Attempts
    room: Callable[[], str | None]
    progress: SoakProgress
    usb: UsbBus | None
    _begun_ns: int = field(init=False)
    _controls_ns: int | None = field(init=False, default=None)
    _controls_at: int = field(init=False, default=0)
    _sitting: int = field(init=False, default=0)
    _spent_ns: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._clock = self.bench.clock
        self._visit = Visit(self.bench)
        self._begun_ns = self._clock.now()

    def run(self) -> Ending:
        """Until the end. What happened is in the journal. Raises HarnessError: no verdict comes from that."""
        try:
            ending = self._sit()
        except Cancelled as stop:
            tripped = self.bench.relays.tripped
            ending = (
                Ending("guardian", tripped, failed=True)
                if tripped
                else Ending("interrupted", f"stopped by {stop.reason}")
            )
        except (InputError, BenchError) as error:
            ending = Ending("error", error.one_line(), failed=True)
        except HarnessError:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of the rig's own ends the night in good order, too
            ending = Ending("error", f"the rig failed: {type(error).__name__}: {error}", failed=True)
        with self._clock.shielded():
            kind = "end" if ending.reason in _DONE else "stop"
            self.progress.happened(kind, ending.text, self._elapsed_s())
            try:
                self.book.end(ending.reason, ending.text)
            except BenchError as error:  # a full disk: the soak ends all the same, and this is told to its caller
                return Ending(ending.reason, f"{ending.text}; {error.one_line()}", failed=True)
        return ending

    def unsure_since(self, at_ns: int) -> None:
        """An activation may have been going on at `at_ns` that nobody watched to its end."""
        self._visit.activated(at_ns, over=False)

    # -- the loop ----------------------------------------------------------------------------------------------------

    def _sit(self) -> Ending:
        while True:
            over = self.end.over(self.tally.done, self._clock.now() - self._begun_ns)
            if over is not None:
                return Ending(over, _DONE[over])
            full = self.room()
            if full is not None:
                return Ending("disk", full, failed=True)
            ending = self._one()
            if ending is not None:
                return ending

    def _one(self) -> Ending | None:
        """One cycle, and what must be before it; why the soak ends, if it does."""
        began = self._clock.now()
        if self._sitting and self.plan.tables.between.pause_s:
            self.progress.step("pause", f"{self.plan.tables.between.pause_s:g} s")
            self._clock.sleep(self.plan.tables.between.pause_s)
            if self.end.over(self.tally.done, self._clock.now() - self._begun_ns) is not None:
                return None
        if not self._all_answer():
            return Ending("lost", "what is missing could not be brought back", failed=True)
        try:
            version = self._version()
        except LinkError as error:
            if not self._all_answer():
                return Ending("lost", error.one_line(), failed=True)
            version = self._visit.version()
        turn = self.plan.turn(version, self.seed, self.tally.theres, self.tally.last)
        if turn is None:
            known = ", ".join(dict.fromkeys((self.plan.home, *(p.there.version_to for p in self.plan.pairs))))
            text = f"the meter runs {version}, and nothing in this plan starts from there (known: {known})"
            return Ending("version", text, failed=True)
        tried = self._attempt(turn)
        self._sitting += 1
        self._spent_ns += self._clock.now() - began
        return self._after(turn, tried)

    def _all_answer(self) -> bool:
        """Whether every part of the bench answers, after the plan's own steps where one does not."""
        missing = self._visit.missing()
        if not missing:
            return True
        began = self._clock.now()
        words = "; ".join(why if why.startswith(name) else f"{name}: {why}" for name, why in missing.items())
        self._event(EventKind.GAP, f"away: {words}")
        ladder = Ladder(
            self._visit, self._clock, self.plan.tables.recovery, self.bench.meter.name, self.usb, self._told
        )
        back = ladder.climb(missing)
        away_s = (self._clock.now() - began) / 1e9
        self._event(EventKind.GAP, "everything answers again" if back else "given up", away_s)
        return back

    def _version(self) -> str:
        """What the meter runs, after a power cycle where the plan wants one now."""
        every = self.plan.tables.between.power_cycle_every
        if self._sitting and every is not None and self._sitting % every == 0 and not self.tally.again:
            off_s = self.plan.tables.between.off_s
            stays = self._visit.why_mains_stays()
            if stays is None:
                self.progress.step("power-cycle", f"K1 off for {off_s:g} s")
                return self._visit.power_cycle(off_s)
            self._event(EventKind.MARK, f"no power cycle: {stays}")
        return self._visit.version()

    def _attempt(self, turn: Turn) -> Tried:
        self.tally.settle(turn.fixture.name)
        number, attempt = self.tally.next()
        cycle = Cycle(self.book.soak.soak_id, number, attempt)
        self.tally.begin(cycle, turn.fixture.name, turn.pair if turn.way == "there" else None)
        self.progress.soak(self._state())
        now = self._clock.now()
        controls = self._controls_due(now)
        tried = self.attempts(turn, cycle, controls=controls)
        if controls and tried.controls:
            self._controls_ns, self._controls_at = now, number
        self.tally.end(tried.ended)
        if tried.commanded_ns is not None:
            self._visit.activated(tried.commanded_ns, over=tried.over)
        return tried

    def _controls_due(self, now_ns: int) -> bool:
        table = self.plan.tables.controls
        if self._controls_ns is None:
            return True
        if table.every_cycles is not None and self.tally.number - self._controls_at >= table.every_cycles:
            return True
        return table.every_h is not None and now_ns - self._controls_ns >= to_ns(3600 * table.every_h)

    def _after(self, turn: Turn, tried: Tried) -> Ending | None:
        """The row for people; then: stopped, safe, and what the plan says about the verdict."""
        ended = tried.ended
        row = CycleRow(
            self.tally.number,
            self.tally.attempt,
            turn.fixture.name,
            ended.verdict,
            ended.lower_s,
            ended.upper_s,
            ended.reasons,
            tried.run_id,
        )
        self.progress.cycle(row, self._state())
        if self.bench.relays.tripped is not None:
            return Ending("guardian", self.bench.relays.tripped, failed=True)
        if not ended.safe and not self._safe_again():
            return Ending("not-safe", "the safe state could not be proven: this bench is not to be used", failed=True)
        stopped = self._clock.cancelled()
        if stopped is not None:
            return Ending("interrupted", f"stopped by {stopped}")
        return self._policy(ended.verdict)

    def _safe_again(self) -> bool:
        """Prove the safe state, once what was missing answers again."""
        if self._clock.cancelled() is None:
            self._all_answer()
        with self._clock.shielded():
            checks = self._visit.prove_safe()
        for check in checks:
            if not check.proven:
                self._event(EventKind.RECOVERY, f"not safe: {check.what}: {check.found}")
        proven = bool(checks) and all(check.proven for check in checks)
        if proven:
            self._event(EventKind.RECOVERY, "the safe state is proven after all")
        return proven

    def _policy(self, verdict: str) -> Ending | None:
        on = self.plan.tables.on
        tables: dict[str, OutcomeTable] = {"FAIL": on.fail, "INCONCLUSIVE": on.inconclusive, "ERROR": on.error}
        table = tables.get(verdict)
        word, in_a_row = self.tally.row
        in_all = self.tally.verdicts[verdict]
        if table is None or not table.reached(in_a_row if word == verdict else 0, in_all):
            return None
        times = f"{in_a_row} in a row, {in_all} in all"
        if table.then == "quarantine":
            text = f"quarantined after {verdict} ({times})"
            if self.bench.lease is not None:  # the twin in this process is nobody else's
                self.bench.lease.mark(f"soak {self.book.soak.soak_id}: {text}")
                text += ": not to be used until 'rig safe' clears it"
            self.book.note(EventKind.QUARANTINE, text, self.tally.number)
            return Ending("quarantine", text)
        return Ending("policy", f"stopped after {verdict} ({times})")

    # -- small things ------------------------------------------------------------------------------------------------

    def _told(self, text: str, seconds: float | None) -> None:
        self._event(EventKind.RECOVERY, text, seconds)

    def _event(self, kind: EventKind, text: str, seconds: float | None = None) -> None:
        self.book.note(kind, text, self.tally.number or None, seconds)
        self.progress.happened(kind.value, text, self._elapsed_s())

    def _state(self) -> SoakState:
        elapsed = self._clock.now() - self._begun_ns
        return SoakState(
            cycle=self.tally.number,
            done=self.tally.done,
            planned=self.end.cycles,
            verdicts=dict(self.tally.verdicts),
            longest_s=self.tally.longest_s,
            unbounded=self.tally.unbounded,
            elapsed_s=elapsed / 1e9,
            left_s=self._left_s(elapsed),
        )

    def _elapsed_s(self) -> float:
        return (self._clock.now() - self._begun_ns) / 1e9

    def _left_s(self, elapsed_ns: int) -> float | None:
        left = [] if self.end.after_ns is None else [self.end.after_ns - elapsed_ns]
        if self.end.cycles is not None and self._sitting:
            left.append(max(0, self.end.cycles - self.tally.done) * self._spent_ns // self._sitting)
        return max(0, min(left)) / 1e9 if left else None
