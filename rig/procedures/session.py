"""One visit to a bench: the watch runs, the interlocks agree, the rail is fed, and it all ends in the safe state.

What an activation test and a round of controls have in common. However it ends (done, error, Ctrl-C), the bench goes to
its safe state, and what was seen until then is kept in the evidence.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from rig.bench.interlocks import Interlocks
from rig.bench.opening import Bench
from rig.bench.power import power
from rig.clock import Cancelled, to_ns
from rig.errors import BenchError, HarnessError, LinkError, RigError
from rig.guardian.port import Check
from rig.instruments.ports import Identity, Level
from rig.judgement import Limit
from rig.meters.port import MeterIdentity
from rig.procedures.capturing import ScopeView
from rig.procedures.dial import Dial
from rig.procedures.evidence import Diary, Evidence
from rig.procedures.feed_path import FeedPath
from rig.procedures.progress import Progress
from rig.procedures.watch import Watch

_T = TypeVar("_T")
_CLOCK_CHECK_S = 2.2


class Session:
    """See the module. `free_bytes` tells how much room the evidence has."""

    def __init__(
        self,
        bench: Bench,
        limit: Limit,
        view: ScopeView,
        diary: Diary,
        progress: Progress,
        free_bytes: Callable[[], int],
    ) -> None:
        self.bench = bench
        self.clock = bench.clock
        self.config = bench.config
        self.limit = limit
        self.view = view
        self.diary = diary
        self.progress = progress
        self.watch = Watch(bench.config, bench.sense, bench.clock)
        self.dial = Dial(bench.config, self.watch, bench.clock, limit)
        self.evidence = Evidence(bench.clock.now())
        self.path = FeedPath(bench, self.watch)
        self._told_back = len(bench.recoveries.since(0))
        self.interlocks = Interlocks(bench, free_bytes, self._rail_is_down, self._identified)

    def run(self, steps: Callable[[], None], leaving: Callable[[], None] = lambda: None) -> Evidence:
        """Do `steps` while the rail may be fed. Never raises for what happens on the bench: it is in the evidence.

        `leaving` is called before the bench is made safe, however the steps ended.
        """
        evidence = self.evidence
        try:
            self.watch.start()
            self.begin("preflight", "identities, limits, clock")
            with power(self.interlocks, self._agreed, self._made_safe):
                try:
                    steps()
                finally:
                    with self.clock.shielded():
                        leaving()
                        self._leave()
        except Cancelled as stop:
            self._stopped(stop.reason)
        except KeyboardInterrupt:
            evidence.interrupted = "Ctrl-C"
        except HarnessError:
            raise  # no verdict comes from a harness that failed; the bench is made safe all the same
        except RigError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - a fault of the rig's own ends as an error, not as a verdict
            self.diary.event("fault", lines=traceback.format_exception(error))
            self._failed(BenchError(f"the rig failed: {type(error).__name__}: {error}"))
        finally:
            with self.clock.shielded():
                self._end()
        return evidence

    def step(self, name: str, text: str, fn: Callable[[], _T]) -> _T:
        self.begin(name, text)
        return fn()

    def begin(self, name: str, text: str) -> None:
        self.tell_recoveries()
        self.dial.begin(name)
        self.diary.event("step", name=name, text=text)
        self.progress.step(name, text)

    def identity(self, of: str, **fields: str) -> None:
        """Who answered, or more of it."""
        self.evidence.identities.setdefault(of, {}).update(fields)
        self.diary.event("identity", of=of, **fields)

    def level(self, level: Level) -> None:
        """A level that was polled: raw values are kept."""
        self.diary.event("level", from_ns=level.from_ns, to_ns=level.to_ns, low_v=level.low_v, high_v=level.high_v)

    def lose(self, what: str) -> None:
        """A source or a link is gone; the run goes on, and is no PASS."""
        self.evidence.lost.append(what)
        self.diary.event("lost", what=what)
        self.progress.note(what)

    # -- who feeds the rail ----------------------------------------------------------------------------------------

    def feed_from_supply(self) -> None:
        """The supply feeds the rail. Raises BenchError when the rail does not come up, Refused outside the envelope."""
        self.path.from_supply()
        self.interlocks.envelope()

    def unfeed(self) -> None:
        """Nothing feeds the rail any more. Raises BenchError when it is not proven down then."""
        self.bench.supply.output(False)
        self.bench.relays.set("supply-feed", False)
        if not self.watch.wait_state("down", self.config.topology.discharge_s):
            raise BenchError("the supply is off and both feeds are open, but the rail is not proven down")

    def feed_hub(self) -> None:
        """What feeds the hub during an activation on this bench does, and nothing else. Raises BenchError, Refused."""
        self.path.close()
        if self.path.feed == "supply-feed":
            self.interlocks.envelope()

    def path_begins(self) -> None:
        """From here on the rig moves nothing: what feeds the hub was just proven."""
        self.evidence.path_from_ns = self.clock.now()

    def prove_path(self) -> None:
        """Read back at the end what was proven at the start; between the two the rig moved nothing."""
        try:
            wrong = self.path.fault()
            self.evidence.path_broken = wrong is not None
        except RigError as error:
            wrong = error.one_line()
        if wrong is None:
            self.evidence.path_to_ns = self.clock.now()
        else:
            self.lose(wrong)

    def await_meter(self, deadline_ns: int) -> MeterIdentity:
        """Wait until the meter says who it is; its link's error is raised when it does not by then."""
        while True:
            try:
                who = self.bench.meter.identity()
                break
            except LinkError:
                if self.clock.now() >= deadline_ns:
                    raise
                self.clock.sleep(self.config.meter.poll_s)
        told = {"maker": who.maker, "model": who.model, "serial": who.serial}
        self.identity("meter", **{key: text for key, text in told.items() if text})
        return who

    def meter_deadline_ns(self) -> int:
        """By when a meter that was just switched on answers."""
        return self.clock.now() + to_ns(self.config.meter.start_s)

    # -- beginning and end -----------------------------------------------------------------------------------------

    def _identified(self, name: str, who: Identity) -> None:
        self.identity(name, maker=who.maker, model=who.model, serial=who.serial, version=who.version)

    def _agreed(self, checks: tuple[Check, ...]) -> None:
        """The interlocks agree; so must the clock."""
        for check in checks:
            self.diary.event("interlock", what=check.what, proven=check.proven, found=check.found)
            if not check.proven:
                self.progress.note(f"warning: {check.what} {check.found}")
        self.clock.sleep(max(0.0, _CLOCK_CHECK_S - (self.clock.now() - self.evidence.started_ns) / 1e9))
        worst, limit = self.watch.worst_rate_ppm(), self.config.limits.clock_rate_ppm
        if worst > limit:
            raise BenchError(f"the clock is being slewed by {worst:.0f} ppm; at most {limit:g} ppm can be judged")
        if self.watch.lost is not None:
            raise BenchError(self.watch.lost)

    def _stopped(self, reason: str) -> None:
        """A person asked for it, or the guardian did."""
        if self.bench.relays.tripped is None:
            self.evidence.interrupted = reason
            self.diary.event("interrupted", reason=reason)

    def _failed(self, error: RigError) -> None:
        self.evidence.error = error
        self.diary.event("error", step=self.dial.step, message=error.one_line())
        self.progress.note(error.one_line())

    def _leave(self) -> None:
        self.dial.begin("safe")
        self.progress.step("safe", "output off, feeds open, rail down")

    def _made_safe(self, checks: tuple[Check, ...]) -> None:
        self.evidence.safe = checks
        self.diary.event("step", name="safe", text="safe state, read back")
        for check in checks:
            self.diary.event("safe", what=check.what, proven=check.proven, found=check.found)

    def tell_recoveries(self) -> None:
        """Links that were lost and came back: no reason for a verdict, and never hidden."""
        for back in self.bench.recoveries.since(self._told_back):
            at_s = (back.at_ns - self.evidence.started_ns) / 1e9
            self.diary.event("came_back", what=back.name, at_s=at_s, why=back.why)
            self.progress.note(f"{back.name}: its link was lost, and is there again ({back.why})")
            self._told_back += 1

    def _end(self) -> None:
        """The bench is safe: the watch may end. What the guardian did by itself, or that it is gone, is told now."""
        self.tell_recoveries()
        self.watch.stop()
        if self.bench.relays.tripped is not None:
            self.evidence.unguarded = True
            self._failed(BenchError(self.bench.relays.tripped))
        for role, at, why in self.watch.losses():
            self.diary.event("line_lost", line=role, at_s=(at - self.evidence.started_ns) / 1e9, why=why)

    def _rail_is_down(self, timeout_s: float) -> bool:
        """Whether the rail is proven down by a look that began after this question, within the time."""
        asked = self.clock.now()

        def down() -> bool:
            return self.watch.now().state == "down" and self.watch.looked_ns() >= asked

        return self.watch.wait_until(down, timeout_s)
