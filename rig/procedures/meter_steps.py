"""What a test does with the meter: who it is, the image, the command, and what it says while the rail is watched.

Silence before the command is an error, after it normal. Each word of the meter goes into the evidence as it comes;
nothing here decides a verdict. A start of the meter is told by its own up-time: a witness beside the rail.
"""

from __future__ import annotations

from rig.clock import to_ns
from rig.errors import BenchError, LinkError, LinkTimeout
from rig.firmware import Fixture
from rig.meters.port import ImageState, MeterRefused
from rig.procedures.evidence import Restart
from rig.procedures.rows import code_words
from rig.procedures.session import Session

_STARTED = (ImageState.ACTIVATING, ImageState.ACTIVATED)
_MOST_RESUMES = 3
_STEADY_S = 2.0
_STEADY_RATE = 1e-3
"""A start that seems to have moved by less than 2 s and a thousandth of the time between is the same start: the meter's
clock is not the rig's."""


class MeterSteps:
    """The meter's side of one test."""

    def __init__(self, session: Session, fixture: Fixture, image: bytes) -> None:
        self._session = session
        self._meter = session.bench.meter
        self._clock = session.clock
        self._config = session.config.meter
        self._fixture = fixture
        self._image = image
        self._evidence = session.evidence
        self._diary = session.diary
        self._progress = session.progress
        self._hash = bytes.fromhex(fixture.sha256)
        self._start: tuple[int, int] | None = None
        self._seen: tuple[int, float] | None = None
        self._meter.tell = self._ask

    @property
    def transfers(self) -> bool:
        return self._meter.abilities.transfer

    def meet(self, deadline_ns: int) -> None:
        """Who it is, once it answers (until the deadline). Raises BenchError when this firmware is not for it."""
        who = self._session.await_meter(deadline_ns)
        if who.model and who.model != self._fixture.hardware:
            raise BenchError(f"the meter is a {who.model}, but this firmware is for {self._fixture.hardware}")

    def check_version(self) -> None:
        version = self._evidence.version_before = self._meter.version()
        self._session.identity("meter", version=version)
        if version != self._fixture.version_from:
            wanted = self._fixture.version_from
            raise BenchError(f"the meter runs {version}, but this firmware is to be activated from {wanted}")
        self._look_at_uptime()

    def transfer(self) -> None:
        """Send the image. A transfer that breaks goes on once the meter answers again, where the protocol can."""
        for attempt in range(_MOST_RESUMES + 1):
            try:
                self._meter.transfer(self._image, self._progress.transferred)
            except MeterRefused:
                raise
            except LinkError as error:
                if not self._meter.abilities.resume or attempt == _MOST_RESUMES:
                    raise
                self._diary.event("transfer_broken", message=error.one_line())
                self._progress.note(f"{error.one_line()}: waits for the meter, to go on")
                self._await_answer(error)
            else:
                return

    def _await_answer(self, broken: LinkError) -> None:
        deadline = self._clock.now() + to_ns(self._config.start_s)
        while True:
            self._clock.sleep(self._config.poll_s)
            try:
                self._meter.version()
            except LinkError as error:
                if self._clock.now() >= deadline:
                    text = f"{broken.message}, and then: {error.one_line()}"
                    raise LinkError(text, broken.where) from None
            else:
                return

    def verify(self) -> bool:
        """Whether the meter says that the image is good."""
        state = self._meter.verify(self._hash, len(self._image))
        self._note_image(state)
        if state is not ImageState.VERIFIED:
            self._progress.note(f"the meter says of the image: {state.value}")
        return state is ImageState.VERIFIED

    def activate(self) -> str | None:
        """Start the activation, once; what went wrong after something had left, or None."""
        sent = self._evidence.activation = self._meter.activate(self._hash, len(self._image))
        self._diary.event("activated", by=self._meter.started_by)
        return sent.problem

    def poll(self) -> None:
        """Version, image status, up-time. Silence is normal now: the meter may be rebooting."""
        try:
            self._look()
        except LinkTimeout:
            return
        except LinkError as error:
            self._diary.event("meter", message=error.one_line())

    def read_log(self) -> None:
        """The meter's own log, as a second witness; a meter that does not tell it loses nothing."""
        try:
            entries = self._meter.events()
        except LinkError as error:
            self._diary.event("meter", message=error.one_line())
            return
        self._evidence.meter_log = list(entries)
        for entry in entries:
            away = {} if entry.duration_s is None else {"duration_s": entry.duration_s}
            self._diary.event("meter_log", code=code_words(entry.code), at_s=entry.at_s, **away)

    # -- what it says --------------------------------------------------------------------------------------------

    def _look(self) -> None:
        evidence, version = self._evidence, self._meter.version()
        state = self._meter.image_state()
        if version != evidence.version_after:
            self._diary.event("version", version=version)
        evidence.version_after = version
        self._note_image(state)
        if state in _STARTED or version == self._fixture.version_to:
            evidence.activation_started = True
        self._look_at_uptime()

    def _look_at_uptime(self) -> None:
        """Two readings that cannot come from one start of the meter: it started again between them."""
        asked = self._clock.now()
        uptime_s = self._meter.uptime_s()
        if uptime_s is None:
            return
        now = self._clock.now()
        start = (asked - to_ns(uptime_s + self._meter.uptime_step_s()), now - to_ns(uptime_s))
        if self._start is not None and self._seen is not None:
            passed_ns = now - self._seen[0]
            if start[0] - self._start[1] > to_ns(_STEADY_S) + passed_ns * _STEADY_RATE:
                self._restarted(start, self._seen[1], uptime_s)
        self._start, self._seen = start, (now, uptime_s)

    def _restarted(self, start: tuple[int, int], before_s: float, after_s: float) -> None:
        self._evidence.restarts.append(Restart(start[0], start[1], before_s, after_s))
        zero = self._evidence.started_ns
        self._diary.event(
            "meter_restarted",
            from_s=(start[0] - zero) / 1e9,
            to_s=(start[1] - zero) / 1e9,
            uptime_before_s=before_s,
            uptime_after_s=after_s,
        )

    def _note_image(self, state: ImageState | None) -> None:
        if state is not None and state is not self._evidence.image_state:
            self._evidence.image_state = state
            self._diary.event("image", state=state.value)

    def _ask(self, text: str) -> None:
        """What a driver wants of a person."""
        self._diary.event("asked", text=text)
        self._progress.note(text)
