"""The small port to a meter under test. Each step knows that a meter may reboot and fall silent.

Silence after `activate` is normal; silence before it is an error. An action is never repeated by a retry. `Meter` has a
default for everything that not every meter can do, so that a plug-in says only what its meter does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from rig.clock import Clock
from rig.errors import LinkError, LinkTimeout


class ImageState(Enum):
    """What the meter says of the image it holds."""

    NONE = "none"
    TRANSFERRING = "transferring"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    REJECTED = "rejected"
    ACTIVATING = "activating"
    ACTIVATED = "activated"
    ACTIVATION_FAILED = "activation failed"


class MeterRefused(LinkError):
    """The meter answered, and its answer is no: the link is sound, and asking again changes nothing."""


@dataclass(frozen=True)
class MeterIdentity:
    """Who the meter says it is; an empty text is what nobody told."""

    maker: str
    model: str
    serial: str


@dataclass(frozen=True)
class Activation:
    """The activation was started between these two instants (ns): time zero and its uncertainty.

    `problem`: what went wrong after something had already left the rig (a list of writes that broke off, a command that
    did not end). Nobody knows then what the meter makes of it: the rail is watched, and the run is never a PASS.
    """

    before_ns: int
    after_ns: int
    problem: str | None = None


@dataclass(frozen=True)
class Sending:
    """A request was handed to the system, or to the line, between these two instants (ns)."""

    before_ns: int
    after_ns: int


@dataclass(frozen=True)
class LogEntry:
    """One entry of the meter's own event log: its code, and its time as the meter tells it (s), as far as it does.

    `duration_s`: how long its supply was away, where the entry tells of that; its time is then that of the end.
    `at_ns`: between which two instants of the rig's line that time was, where the meter's clock could be read.
    """

    code: int | None
    at_s: int | None
    duration_s: float | None = None
    at_ns: tuple[int, int] | None = None


@dataclass(frozen=True)
class Abilities:
    """What this meter can do. `transfer`: it takes an image from the rig and verifies it. `resume`: a broken transfer
    goes on where it broke. Without `transfer` the image must be there already, and nobody here has checked it."""

    transfer: bool = False
    resume: bool = False


class Meter(ABC):
    """A meter under test. Every call may raise `LinkError` (wrong answer, broken link) or `LinkTimeout` (silence)."""

    name: str = "meter"
    abilities: Abilities = Abilities()
    started_by: str = "the rig"
    """Who starts the activation, in words."""

    def __init__(self) -> None:
        self.tell: Callable[[str], None] = lambda _: None
        """Tells the person at the bench what is wanted of them; the procedure sets it."""

    @abstractmethod
    def identity(self) -> MeterIdentity: ...

    @abstractmethod
    def version(self) -> str:
        """The running firmware version, e.g. `1.2.3`."""

    @abstractmethod
    def activate(self, image_hash: bytes, size: int) -> Activation:
        """Start the activation of the image with this SHA-256 and size in bytes, once.

        Silence is not an error here; what ends it before anything left is one.
        """

    def transfer(self, image: bytes, progress: Callable[[int, int], None]) -> None:
        """Send the whole image; `progress(bytes_done, bytes_total)` after each part.

        After a broken transfer of the same image, a meter that can `resume` is only sent what it does not have.
        """
        del image, progress
        raise LinkError(f"{self.name}: takes no image from the rig")

    def verify(self, image_hash: bytes, size: int) -> ImageState:
        """Ask the meter to verify what it holds against its size and its 32-byte SHA-256, and wait for its answer."""
        del image_hash, size
        raise LinkError(f"{self.name}: verifies no image for the rig")

    def image_state(self) -> ImageState | None:
        """What the meter says of its image; None when this meter does not tell."""
        return None

    def uptime_s(self) -> float | None:
        """Seconds since its last start; None when this meter does not tell."""
        return None

    def uptime_step_s(self) -> float:
        """What `uptime_s` counts in: a start may lie this much earlier than it says."""
        return 1.0

    def events(self) -> tuple[LogEntry, ...]:
        """The meter's own event log, oldest first; empty when it has none."""
        return ()

    @contextmanager
    def exchange(self, clock: Clock, timeout_s: float, what: str) -> Iterator[None]:
        """One exchange of a driver's own, guarded by the clock: however it breaks, the meter is closed.

        What a socket or a port raises becomes a `LinkError` that names `what`; silence a `LinkTimeout`.
        """
        try:
            with clock.io(self, timeout_s):
                yield
        except BaseException as error:
            self.close()
            if isinstance(error, LinkTimeout):
                raise LinkTimeout(f"{self.name}: {what}: no answer within {timeout_s:g} s") from None
            if isinstance(error, OSError):
                raise LinkError(f"{self.name}: {what}: the link broke ({type(error).__name__})") from None
            raise

    def abort(self) -> None:  # noqa: B027 - only who blocks must be woken
        """See `rig.clock.Abortable`: closes the link at once, from another thread, so that a blocked call ends."""

    def close(self) -> None:  # noqa: B027 - a meter that holds nothing open gives nothing back
        """Give back what is held. May be called twice; never raises for a link that is already broken."""
