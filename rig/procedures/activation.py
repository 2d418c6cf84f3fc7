"""One activation test: controls, topology, settle, transfer, activate, watch; then the bench is made safe.

The steps, in their order, and nothing else: what was seen is judged in `rig.procedures.judging`, what any visit to a
bench needs is in `rig.procedures.session`.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.clock import to_ns
from rig.errors import BenchError
from rig.firmware import Fixture
from rig.meters.port import ImageState
from rig.procedures.capturing import CaptureJob
from rig.procedures.control import Kind
from rig.procedures.controls import meter_controls, supply_controls
from rig.procedures.evidence import Evidence
from rig.procedures.meter_steps import MeterSteps
from rig.procedures.polling import PollJob, job_for
from rig.procedures.session import Session
from rig.rail import longest_bounds, merge


class ActivationTest:
    """One test on an open bench. `controls`: those that are still to be made before the activation."""

    def __init__(self, session: Session, fixture: Fixture, controls: Sequence[Kind]) -> None:
        self._session = session
        self._bench = session.bench
        self._clock = session.clock
        self._config = session.config
        self._fixture = fixture
        self._image = fixture.image_bytes()
        self._controls = tuple(controls)
        self.watch = session.watch
        self.evidence = session.evidence
        self._meter = MeterSteps(session, fixture, self._image)

    def run(self) -> Evidence:
        """Do it; never raises for what happens on the bench: it is in the evidence."""
        self.watch.on_tick = self._tick
        return self._session.run(self._steps, self._leave)

    # -- the steps -------------------------------------------------------------------------------------------------

    def _steps(self) -> None:
        session = self._session
        if not supply_controls(session, self._controls):
            return  # a bench that does not see its own cut must not watch a meter's
        session.step("topology", session.path.words, session.feed_hub)
        if session.path.caveat is not None:
            session.progress.note(session.path.caveat)
        if not meter_controls(session, self._controls):
            return
        session.path_begins()
        session.step("settle", f"meter and hub, {self._config.hub.settle_s:g} s", self._settle)
        if self._image_is_there():
            session.step("arm", "the oscilloscope waits for the first fall", self._activate_and_watch)

    def _settle(self) -> None:
        needed = to_ns(self._config.hub.settle_s)
        self._session.dial.ends_ns = self._clock.now() + needed
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
        self._session.interlocks.hold()
        self._meter.transfer()

    def _image_is_there(self) -> bool:
        """Whether the meter has verified the image; where it takes none from the rig, nobody here knows."""
        session = self._session
        if not self._meter.transfers:
            session.begin("transfer", "none: this meter takes its image another way, and nobody here checks it")
            return True
        session.step("transfer", f"{len(self._image)} bytes", self._transfer)
        return session.step("verify", "the meter checks the image", self._meter.verify)

    def _activate_and_watch(self) -> None:
        scope = self._config.oscilloscope[0]
        job = job_for(self._bench, scope.window_s, scope.pre_s, scope.depth, self._session.level)
        self.watch.on_edge = job.poke
        try:
            self._clock.wait(job.armed, 4 * scope.pre_s + 60)
            if job.error is not None:
                raise job.error
            self._session.step(
                "activate", f"{self._fixture.version_from} to {self._fixture.version_to}", self._activate
            )
            if self._session.step("watch", f"at most {self._config.meter.max_s:g} s", lambda: self._watch_rail(job)):
                self._session.step("capture", f"a window of {job.window_s:g} s fills", lambda: self._await_capture(job))
        finally:
            self.watch.on_edge = lambda: None
            with self._clock.shielded():
                self._close_capture(job)

    def _activate(self) -> None:
        problem = self._meter.activate()
        if problem is not None:
            self._session.lose(problem)

    # -- watching --------------------------------------------------------------------------------------------------

    def _watch_rail(self, job: CaptureJob | PollJob) -> bool:
        """Watch until the end of it; returns whether the capture was triggered and is worth waiting for."""
        poll_at = self._clock.now()
        while not self._over():
            self._session.tell_recoveries()
            if job.error is not None and not self.evidence.lost:
                self._session.lose(job.error.one_line())
            if self.watch.lost is not None:
                self._session.lose(self.watch.lost)
                break
            if self._clock.now() >= poll_at:
                self._session.interlocks.hold()
                self._meter.poll()
                poll_at = self._clock.now() + to_ns(self._config.meter.poll_s)
            self.watch.wait_look(1.0)
        self.evidence.judged_to_ns = self.watch.known_to_ns()
        self._session.prove_path()
        self._meter.read_log()
        return job.triggered

    def _over(self) -> bool:
        """Version changed (or the activation refused, or the maximum over) and the rail quiet; or surely failed."""
        meter, sent = self._config.meter, self.evidence.activation
        latest = sent.after_ns if sent is not None else self._clock.now()  # that the activation was started
        now, up_since = self.watch.known_to_ns(), self.watch.up_since_ns()
        if self._decided():
            away = self.watch.away_since_ns()
            decided = self.evidence.decided_ns or now
            if away is not None and now - decided >= to_ns(meter.follow_s):
                return True
        longest = meter.max_s + meter.follow_s + self._session.limit.length_ns / 1e9
        if now - latest >= to_ns(longest):  # neither up nor surely down: nothing more will be learnt
            return True
        done = self.evidence.version_after == self._fixture.version_to
        done = done or self.evidence.image_state is ImageState.ACTIVATION_FAILED or now - latest >= to_ns(meter.max_s)
        return done and up_since is not None and now - max(up_since, latest) >= to_ns(meter.quiet_s)

    def _decided(self) -> bool:
        """Whether the lower bound alone already breaks the limit: the verdict cannot be anything but FAIL any more."""
        evidence, limit = self.evidence, self._session.limit
        begin, end = evidence.judged_from_ns, self.watch.known_to_ns()
        if (
            evidence.decided_ns is None
            and begin is not None
            and limit.broken_by(end - begin)  # no outage of the window is longer than the window
            and self.watch.away_since_ns() is not None
        ):
            lower, _ = longest_bounds(merge(self.watch.sources()), self._session.view.settings, begin, end)
            if limit.broken_by(lower):
                evidence.decided_ns = self._clock.now()
                self._session.diary.event("decided", verdict="FAIL", lower_ns=lower)
                self._session.progress.note(f"the limit is broken: away for at least {lower / 1e9:.1f} s")
        return evidence.decided_ns is not None

    def _await_capture(self, job: CaptureJob | PollJob) -> None:
        self._session.dial.ends_ns = job.full_at_ns()
        self._clock.wait(job.ended, job.patience_s)

    def _close_capture(self, job: CaptureJob | PollJob) -> None:
        job.give_up()
        job.join()
        self.evidence.capture = job.taken
        self.evidence.levels = job.levels if isinstance(job, PollJob) else []
        if job.error is not None and not self.evidence.lost and self.evidence.activation is not None:
            self._session.lose(job.error.one_line())

    # -- the end ---------------------------------------------------------------------------------------------------

    def _leave(self) -> None:
        """What is still to be read back of the run before the safe state changes it."""
        evidence = self.evidence
        if evidence.judged_from_ns is not None and evidence.judged_to_ns is None:
            evidence.judged_to_ns = self.watch.known_to_ns()
        if evidence.path_from_ns is not None and evidence.path_to_ns is None:
            self._session.prove_path()

    # -- small things ----------------------------------------------------------------------------------------------

    def _zero_ns(self) -> int:
        return self.evidence.activation.before_ns if self.evidence.activation is not None else self._clock.now()

    def _tick(self) -> None:
        changed = self.evidence.version_after == self._fixture.version_to
        self._session.progress.panel(self._session.dial.panel(self._zero_ns(), changed))
