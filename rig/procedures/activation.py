"""One activation test: control cut, topology, settle, transfer, activate, watch; then the bench is made safe.

The steps, in their order, and nothing else: what was seen is judged in `rig.procedures.judging`. However a step ends
(done, error, Ctrl-C), the bench goes to its safe state, and what was seen until then is kept.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from rig.bench.interlocks import Interlocks
from rig.bench.opening import Bench
from rig.bench.power import power
from rig.clock import Cancelled, to_ns
from rig.errors import BenchError, HarnessError, RigError
from rig.firmware import Fixture
from rig.guardian.port import Check
from rig.instruments.ports import Identity
from rig.judgement import Limit
from rig.meters.port import ImageState
from rig.procedures.capturing import CaptureJob, ScopeView
from rig.procedures.control import capture_settings, run_control
from rig.procedures.dial import Dial
from rig.procedures.evidence import Diary, Evidence
from rig.procedures.feed_path import FeedPath
from rig.procedures.meter_steps import MeterSteps
from rig.procedures.progress import Progress
from rig.procedures.watch import Watch
from rig.rail import RailSettings, longest_bounds, merge

_T = TypeVar("_T")
_CLOCK_CHECK_S = 2.2


class ActivationTest:
    """One test on an open bench. `run` never raises for what happens on the bench: it is in the evidence."""

    def __init__(
        self,
        bench: Bench,
        fixture: Fixture,
        limit: Limit,
        view: ScopeView,
        diary: Diary,
        progress: Progress,
        free_bytes: Callable[[], int],
    ) -> None:
        self._bench = bench
        self._clock = bench.clock
        self._config = bench.config
        self._fixture = fixture
        self._image = fixture.image_bytes()
        self._limit = limit
        self._view = view
        self._diary = diary
        self._progress = progress
        self.watch = Watch(bench.config, bench.sense, bench.clock)
        self._dial = Dial(bench.config, self.watch, bench.clock, limit)
        self.evidence = Evidence(bench.clock.now())
        self._path = FeedPath(bench, self.watch)
        self._meter = MeterSteps(bench, fixture, self._image, self.evidence, diary, progress)
        self._interlocks = Interlocks(bench, free_bytes, self._rail_is_down, self._identified)

    @property
    def settings(self) -> RailSettings:
        return self._view.settings

    def run(self) -> Evidence:
        evidence = self.evidence
        try:
            self.watch.on_tick = self._tick
            self.watch.start()
            self._begin("preflight", "identities, limits, clock")
            with power(self._interlocks, self._agreed, self._made_safe):
                self._steps()
        except Cancelled as stop:
            self._stopped(stop.reason)
        except KeyboardInterrupt:
            evidence.interrupted = "Ctrl-C"
        except HarnessError:
            raise  # no verdict comes from a harness that failed; the bench is made safe all the same
        except RigError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - a fault of the rig's own ends as an error, not as a verdict
            self._diary.event("fault", lines=traceback.format_exception(error))
            self._failed(BenchError(f"the rig failed: {type(error).__name__}: {error}"))
        finally:
            with self._clock.shielded():
                self._end()
        return evidence

    def _stopped(self, reason: str) -> None:
        """A person asked for it, or the guardian did."""
        if self._bench.relays.tripped is None:
            self.evidence.interrupted = reason
            self._diary.event("interrupted", reason=reason)

    def _failed(self, error: RigError) -> None:
        self.evidence.error = error
        self._diary.event("error", step=self._dial.step, message=error.one_line())
        self._progress.note(error.one_line())

    # -- the steps -------------------------------------------------------------------------------------------------

    def _steps(self) -> None:
        try:
            self._fed_steps()
        finally:
            with self._clock.shielded():
                self._leave()

    def _fed_steps(self) -> None:
        self._step(
            "control", f"a cut of {self._config.topology.control_cut_s:g} s that every source must see", self._control
        )
        if not (self.evidence.control and self.evidence.control.valid):
            return  # a bench that does not see its own cut must not watch a meter's
        self._step("topology", self._path.words, self._topology)
        if self._path.caveat is not None:
            self._progress.note(self._path.caveat)
        self._step("settle", f"meter and hub, {self._config.hub.settle_s:g} s", self._settle)
        if self._image_is_there():
            self._step("arm", "the oscilloscope waits for the first fall", self._activate_and_watch)

    def _step(self, name: str, text: str, fn: Callable[[], _T]) -> _T:
        self._begin(name, text)
        return fn()

    def _begin(self, name: str, text: str) -> None:
        self._dial.begin(name)
        self._diary.event("step", name=name, text=text)
        self._progress.step(name, text)

    def _identified(self, name: str, who: Identity) -> None:
        self._identity(name, maker=who.maker, model=who.model, serial=who.serial, version=who.version)

    def _agreed(self, checks: tuple[Check, ...]) -> None:
        """The interlocks agree; so must the clock."""
        for check in checks:
            self._diary.event("interlock", what=check.what, proven=check.proven, found=check.found)
            if not check.proven:
                self._progress.note(f"warning: {check.what} {check.found}")
        self._clock.sleep(max(0.0, _CLOCK_CHECK_S - (self._clock.now() - self.evidence.started_ns) / 1e9))
        worst, limit = self.watch.worst_rate_ppm(), self._config.limits.clock_rate_ppm
        if worst > limit:
            raise BenchError(f"the clock is being slewed by {worst:.0f} ppm; at most {limit:g} ppm can be judged")
        if self.watch.lost is not None:
            raise BenchError(self.watch.lost)

    def _control(self) -> None:
        result, taken = run_control(self._bench, self.watch, self._view, self._interlocks.envelope)
        self.evidence.control, self.evidence.control_capture = result, taken
        for seen in result.seen:
            if not seen.right:
                self._progress.note(f"control: {seen.source} did not call the cut rightly")
            self._diary.event(
                "control", source=seen.source, right=seen.right, lower_ns=seen.lower_ns, upper_ns=seen.upper_ns
            )
        self._bench.supply.output(False)
        self._bench.relays.set("supply-feed", False)
        if not self.watch.wait_state("down", self._config.topology.discharge_s):
            raise BenchError("control: the supply is off and both feeds are open, but the rail is not proven down")

    def _topology(self) -> None:
        self._path.close()
        self.evidence.path_from_ns = self._clock.now()

    def _prove_path(self) -> None:
        """Read back at the end what was proven at the start; between the two the rig moved nothing."""
        try:
            wrong = self._path.fault()
            self.evidence.path_broken = wrong is not None
        except RigError as error:
            wrong = error.one_line()
        if wrong is None:
            self.evidence.path_to_ns = self._clock.now()
        else:
            self._lose(wrong)

    def _settle(self) -> None:
        needed = to_ns(self._config.hub.settle_s)
        self._dial.ends_ns = self._clock.now() + needed
        watch, deadline = self.watch, self._clock.now() + to_ns(self._config.meter.start_s + self._config.hub.settle_s)

        def settled() -> bool:
            since = watch.up_since_ns()
            return since is not None and watch.known_to_ns() - since >= needed

        if not watch.wait_until(settled, (deadline - self._clock.now()) / 1e9):
            raise BenchError("the rail did not stay up while meter and hub were to settle")
        self._meter.meet(deadline)
        # Twice restore_min_s ago the rail was up, and has been: what happens at once has an up before it that counts.
        before = watch.known_to_ns() - to_ns(2 * self._config.rail.restore_min_s)
        self.evidence.judged_from_ns = max(before, self.evidence.path_from_ns or 0)
        self._meter.check_version()

    def _transfer(self) -> None:
        self._interlocks.hold()
        self._meter.transfer()

    def _image_is_there(self) -> bool:
        """Whether the meter has verified the image; where it takes none from the rig, nobody here knows."""
        if not self._meter.transfers:
            self._begin("transfer", "none: this meter takes its image another way, and nobody here checks it")
            return True
        self._step("transfer", f"{len(self._image)} bytes", self._transfer)
        return self._step("verify", "the meter checks the image", self._meter.verify)

    def _activate_and_watch(self) -> None:
        scope = self._config.oscilloscope[0]
        settings = capture_settings(self._bench, scope.window_s, scope.pre_s, scope.depth)
        job = CaptureJob(self._bench.oscilloscope, self._clock, settings)
        self.watch.on_edge = job.poke
        try:
            self._clock.wait(job.armed, 4 * scope.pre_s + 60)
            if job.error is not None:
                raise job.error
            self._step("activate", f"{self._fixture.version_from} to {self._fixture.version_to}", self._activate)
            if self._step("watch", f"at most {self._config.meter.max_s:g} s", lambda: self._watch_rail(job)):
                self._step("capture", f"a window of {job.window_s:g} s fills", lambda: self._await_capture(job))
        finally:
            self.watch.on_edge = lambda: None
            with self._clock.shielded():
                self._close_capture(job)

    def _activate(self) -> None:
        problem = self._meter.activate()
        if problem is not None:
            self._lose(problem)

    # -- watching --------------------------------------------------------------------------------------------------

    def _watch_rail(self, job: CaptureJob) -> bool:
        """Watch until the end of it; returns whether the capture was triggered and is worth waiting for."""
        poll_at = self._clock.now()
        while not self._over():
            if job.error is not None and not self.evidence.lost:
                self._lose(job.error.one_line())
            if self.watch.lost is not None:
                self._lose(self.watch.lost)
                break
            if self._clock.now() >= poll_at:
                self._interlocks.hold()
                self._meter.poll()
                poll_at = self._clock.now() + to_ns(self._config.meter.poll_s)
            self.watch.wait_look(1.0)
        self.evidence.judged_to_ns = self.watch.known_to_ns()
        self._prove_path()
        self._meter.read_log()
        return job.triggered

    def _over(self) -> bool:
        """Version changed (or the activation refused, or the maximum over) and the rail quiet; or surely failed."""
        meter, zero = self._config.meter, self._zero_ns()
        now, up_since = self.watch.known_to_ns(), self.watch.up_since_ns()
        if self._decided():
            away = self.watch.away_since_ns()
            decided = self.evidence.decided_ns or now
            if away is not None and now - decided >= to_ns(meter.follow_s):
                return True
        longest = meter.max_s + meter.follow_s + self._limit.length_ns / 1e9
        if now - zero >= to_ns(longest):  # neither up nor surely down: nothing more will be learnt
            return True
        done = self.evidence.version_after == self._fixture.version_to
        done = done or self.evidence.image_state is ImageState.ACTIVATION_FAILED or now - zero >= to_ns(meter.max_s)
        return done and up_since is not None and now - max(up_since, zero) >= to_ns(meter.quiet_s)

    def _decided(self) -> bool:
        """Whether the lower bound alone already breaks the limit: the verdict cannot be anything but FAIL any more."""
        evidence = self.evidence
        if (
            evidence.decided_ns is None
            and evidence.judged_from_ns is not None
            and self.watch.away_since_ns() is not None
        ):
            lower, _ = longest_bounds(
                merge(self.watch.sources()), self.settings, evidence.judged_from_ns, self.watch.known_to_ns()
            )
            if self._limit.broken_by(lower):
                evidence.decided_ns = self._clock.now()
                self._diary.event("decided", verdict="FAIL", lower_ns=lower)
                self._progress.note(f"the limit is broken: away for at least {lower / 1e9:.1f} s")
        return evidence.decided_ns is not None

    def _await_capture(self, job: CaptureJob) -> None:
        self._dial.ends_ns = job.full_at_ns()
        self._clock.wait(job.ended, 2 * job.window_s)

    def _close_capture(self, job: CaptureJob) -> None:
        job.give_up()
        job.join()
        self.evidence.capture = job.taken
        if job.error is not None and not self.evidence.lost and self.evidence.activation is not None:
            self._lose(job.error.one_line())

    def _lose(self, what: str) -> None:
        self.evidence.lost.append(what)
        self._diary.event("lost", what=what)
        self._progress.note(what)

    # -- the end ---------------------------------------------------------------------------------------------------

    def _leave(self) -> None:
        """What is still to be read back of the run before the safe state changes it."""
        evidence = self.evidence
        if evidence.judged_from_ns is not None and evidence.judged_to_ns is None:
            evidence.judged_to_ns = self.watch.known_to_ns()
        if evidence.path_from_ns is not None and evidence.path_to_ns is None:
            self._prove_path()
        self._dial.begin("safe")
        self._progress.step("safe", "output off, feeds open, rail down")

    def _made_safe(self, checks: tuple[Check, ...]) -> None:
        self.evidence.safe = checks
        self._diary.event("step", name="safe", text="safe state, read back")
        for check in checks:
            self._diary.event("safe", what=check.what, proven=check.proven, found=check.found)

    def _end(self) -> None:
        """The bench is safe: the watch may end. What the guardian did by itself, or that it is gone, is told now."""
        self.watch.stop()
        if self._bench.relays.tripped is not None:
            self.evidence.unguarded = True
            self._failed(BenchError(self._bench.relays.tripped))
        for role, at, why in self.watch.losses():
            self._diary.event("line_lost", line=role, at_s=(at - self.evidence.started_ns) / 1e9, why=why)

    def _rail_is_down(self, timeout_s: float) -> bool:
        """Whether the rail is proven down by a look that began after this question, within the time."""
        asked = self._clock.now()

        def down() -> bool:
            return self.watch.now().state == "down" and self.watch.looked_ns() >= asked

        return self.watch.wait_until(down, timeout_s)

    # -- small things ----------------------------------------------------------------------------------------------

    def _zero_ns(self) -> int:
        return self.evidence.activation.before_ns if self.evidence.activation is not None else self._clock.now()

    def _identity(self, of: str, **fields: str) -> None:
        self.evidence.identities.setdefault(of, {}).update(fields)
        self._diary.event("identity", of=of, **fields)

    def _tick(self) -> None:
        changed = self.evidence.version_after == self._fixture.version_to
        self._progress.panel(self._dial.panel(self._zero_ns(), changed))
