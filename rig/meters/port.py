"""The small port to a meter under test. Each step knows that a meter may reboot and fall silent.

Silence after `activate` is normal; silence before it is an error. An action is never repeated by a retry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


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


@dataclass(frozen=True)
class MeterIdentity:
    maker: str
    model: str
    serial: str


@dataclass(frozen=True)
class Activation:
    """The activation command left the rig between these two instants (ns): time zero and its uncertainty."""

    before_ns: int
    after_ns: int


class Meter(Protocol):
    """A meter under test."""

    @property
    def name(self) -> str: ...

    def identity(self) -> MeterIdentity: ...

    def version(self) -> str:
        """The running firmware version, e.g. `1.2.3`."""

    def transfer(self, image: bytes, progress: Callable[[int, int], None]) -> None:
        """Send the whole image; `progress(bytes_done, bytes_total)` after each part."""

    def verify(self, image_hash: bytes, size: int) -> ImageState:
        """Ask the meter to verify what it holds against its size and its 32-byte SHA-256, and wait for its answer."""

    def activate(self, image_hash: bytes) -> Activation:
        """Send the activation command, once. Silence is not an error here."""

    def image_state(self) -> ImageState: ...

    def uptime_s(self) -> float | None:
        """Seconds since its last start, or None when this meter does not tell."""

    def close(self) -> None: ...
