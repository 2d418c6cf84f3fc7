"""A meter whose activation is started outside of the rig (over the HAN, by a DCC adaptor): the rig hears when.

Time zero is that moment with its uncertainty: around a person's word, from a command's start to its end, or just before
the kernel's stamp of a contact. Nothing is transferred and nothing is verified here: the image must be in the meter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rig.clock import Clock, to_ns
from rig.errors import LinkError, LinkTimeout
from rig.meters.command import run_command
from rig.meters.desk import Desk, is_version
from rig.meters.port import Activation, ImageState, LogEntry, Meter, MeterIdentity

_START_WORDS = "start the activation now; at that moment press Enter here, or say in another terminal: rig trigger"
_BEFORE_WORDS = "which version does the meter run? Type it here, or say in another terminal: rig trigger --version V"
_AFTER_WORDS = "when the meter runs a new version, type it here, or say in another terminal: rig trigger --version V"


class Edge(Protocol):
    """A level of the contact, and the kernel's stamp (ns) of the change to it."""

    @property
    def at_ns(self) -> int: ...

    @property
    def active(self) -> bool: ...


class Contact(Protocol):
    """One input line. `rig.instruments.sense.GpiodSenseLines` with one line is one."""

    def fileno(self) -> int: ...

    def edges(self) -> Sequence[Edge]: ...

    def levels(self) -> dict[str, bool]: ...

    def close(self) -> None: ...


class Trigger(ABC):
    """Who tells when the activation was started; `who`, in words."""

    who: str

    @abstractmethod
    def start(self, tell: Callable[[str], None]) -> Activation:
        """Wait for it. Raises LinkError when it does not come, or is known not to have happened."""

    def close(self) -> None:  # noqa: B027 - most of them hold nothing open
        """Give back what is held."""


class PersonTrigger(Trigger):
    """A person says so: the true moment lies within `person_s` of the word."""

    who = "outside of the rig; a person said when"

    def __init__(self, desk: Desk, clock: Clock, person_s: float, wait_s: float) -> None:
        self._desk = desk
        self._clock = clock
        self._person_ns = to_ns(person_s)
        self._wait_s = wait_s

    def start(self, tell: Callable[[str], None]) -> Activation:
        self._desk.turn_away()
        tell(_START_WORDS)
        word = self._desk.wait(False, self._wait_s)
        if word is None:
            raise LinkTimeout(f"nobody started the activation within {self._wait_s:g} s")
        return Activation(word.at_ns - self._person_ns, word.at_ns + self._person_ns)


class CommandTrigger(Trigger):
    """A command of the lab's own starts it somewhere between its beginning and its end.

    Exit code 0 says that it did, any other that it did not. A command that does not end is killed; of one that was
    killed, nobody knows.
    """

    who = "outside of the rig; by a command of the lab's own"

    def __init__(self, words: tuple[str, ...], clock: Clock, timeout_s: float) -> None:
        self._words = words
        self._clock = clock
        self._timeout_s = timeout_s

    def start(self, tell: Callable[[str], None]) -> Activation:
        del tell
        ran = run_command(self._words, self._clock, self._timeout_s, keep_output=False)
        if ran.exit_code is None or ran.exit_code < 0:
            how = f"did not end within {self._timeout_s:g} s"
            if ran.exit_code is not None:
                how = f"was ended by signal {-ran.exit_code}"
            return Activation(ran.before_ns, ran.after_ns, f"the command that starts the activation {how}")
        if ran.exit_code != 0:
            raise LinkError(f"the command that starts the activation ended with exit code {ran.exit_code}")
        return Activation(ran.before_ns, ran.after_ns)


class ContactTrigger(Trigger):
    """A contact closes when it is started: at most `latency_s` before the kernel's stamp."""

    who = "outside of the rig; a contact said when"

    def __init__(self, contact: Contact, clock: Clock, latency_s: float, wait_s: float) -> None:
        self._contact = contact
        self._clock = clock
        self._latency_ns = to_ns(latency_s)
        self._wait_s = wait_s

    def start(self, tell: Callable[[str], None]) -> Activation:
        self._contact.edges()  # what came before nobody waited for
        if any(self._contact.levels().values()):
            raise LinkError("the trigger's contact is active before the activation is started")
        tell("waiting for the contact that says that the activation was started")
        deadline = self._clock.now() + to_ns(self._wait_s)
        while self._clock.wait(self._contact, max(0.0, (deadline - self._clock.now()) / 1e9)):
            for edge in self._contact.edges():
                if edge.active:
                    return Activation(edge.at_ns - self._latency_ns, edge.at_ns)
        raise LinkTimeout(f"the trigger's contact did not close within {self._wait_s:g} s")

    def close(self) -> None:
        self._contact.close()


@dataclass(frozen=True)
class Reads:
    """Where version and identity come from: a meter that is only read, a command (words, time-out), or a person."""

    identity: MeterIdentity
    reader: Meter | None
    version_command: tuple[tuple[str, ...], float] | None
    desk: Desk | None


class OutsideMeter(Meter):
    """See `rig.meters.port.Meter`. `answer_s`: how long a person may take to type the version before the activation."""

    def __init__(self, name: str, trigger: Trigger, reads: Reads, clock: Clock, answer_s: float) -> None:
        super().__init__()
        self.name = name
        self.started_by = trigger.who
        self._trigger = trigger
        self._reads = reads
        self._clock = clock
        self._answer_s = answer_s
        self._typed: str | None = None
        self._activated = False

    def identity(self) -> MeterIdentity:
        return self._reads.reader.identity() if self._reads.reader is not None else self._reads.identity

    def version(self) -> str:
        """Before the activation a person is waited for; after it, what was typed last counts, and nothing typed yet is
        silence."""
        if self._reads.reader is not None:
            return self._reads.reader.version()
        if self._reads.version_command is not None:
            return self._version_by_command(*self._reads.version_command)
        return self._version_by_person()

    def activate(self, image_hash: bytes, size: int) -> Activation:
        del image_hash, size  # what is activated is decided where it is started
        try:
            activation = self._trigger.start(self.tell)
        except LinkTimeout as error:
            raise LinkTimeout(f"{self.name}: {error.message}") from None
        except LinkError as error:
            raise LinkError(f"{self.name}: {error.message}") from None
        self._activated, self._typed = True, None
        if self._reads.reader is None and self._reads.version_command is None:
            self.tell(_AFTER_WORDS)
        return activation

    def image_state(self) -> ImageState | None:
        return self._reads.reader.image_state() if self._reads.reader is not None else None

    def uptime_s(self) -> float | None:
        return self._reads.reader.uptime_s() if self._reads.reader is not None else None

    def uptime_step_s(self) -> float:
        return self._reads.reader.uptime_step_s() if self._reads.reader is not None else super().uptime_step_s()

    def events(self) -> tuple[LogEntry, ...]:
        return self._reads.reader.events() if self._reads.reader is not None else ()

    def close(self) -> None:
        self._trigger.close()
        if self._reads.desk is not None:
            self._reads.desk.close()
        if self._reads.reader is not None:
            self._reads.reader.close()

    def _version_by_command(self, words: tuple[str, ...], timeout_s: float) -> str:
        ran = run_command(words, self._clock, timeout_s, keep_output=True)
        if ran.exit_code != 0:  # as a meter that does not answer: normal while it reboots
            how = "did not end" if ran.exit_code is None else f"ended with exit code {ran.exit_code}"
            raise LinkTimeout(f"{self.name}: the command that reads the version {how}")
        version = ran.output.decode("utf-8", "replace").strip()
        if not is_version(version):
            raise LinkError(f"{self.name}: the command that reads the version printed no version (one short line)")
        return version

    def _version_by_person(self) -> str:
        desk = self._reads.desk
        if desk is None:
            raise LinkError(f"{self.name}: nobody tells its version")
        if not self._activated:
            desk.turn_away()
            self.tell(_BEFORE_WORDS)
        word = desk.wait(True, 0.0 if self._activated else self._answer_s)
        if word is not None:
            self._typed = word.version
        if self._typed is None:
            raise LinkTimeout(f"{self.name}: nobody told its version yet")
        return self._typed
