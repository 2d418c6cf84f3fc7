"""How much room the evidence needs: of one bundle, and of a night of them. Pure, but for the size of what is there.

Figures of a bench file with 12 million samples. Counted, as upper bounds (a code may have two bytes, and compression
may gain nothing): a cycle that keeps its captures 25 MB, one that keeps envelopes 1.3 MB, 60 of them 1.5 GB or 75 MB.
Measured on the twin: 2.6 MB with captures, 0.18 MB with envelopes and controls, 0.11 MB with the envelope alone, of
which record, report, events and sums are 0.1 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rig.records.capture_file import MOST_BINS

Keep = Literal["full", "envelope", "none"]

_CODE_BYTES = 2
"""Codes are uint8 or int16, and compression may gain nothing."""

_FILE_BYTES = 20_000
"""What an HDF5 file has beside its codes."""

_TEXTS_BYTES = 400_000
"""run.json, report.html, events.jsonl, guardian.jsonl, attempt.json, SHA256SUMS: 105 kB after a run on the twin."""

_BLOCK_BYTES = 4096


@dataclass(frozen=True)
class CapturePolicy:
    """What is kept of the captures of a run that passed, and of any other."""

    passed: Keep = "full"
    others: Keep = "full"

    def of(self, verdict: str) -> Keep:
        return self.passed if verdict == "PASS" else self.others


ALL_WHOLE = CapturePolicy()


def capture_bytes(samples: int, keep: Keep) -> int:
    """At most, on the disk, of a capture of so many samples."""
    if keep == "none":
        return 0
    codes = samples if keep == "full" else 2 * min(MOST_BINS, samples)
    return _CODE_BYTES * codes + _FILE_BYTES


def bundle_bytes(samples: tuple[int, ...], keep: Keep) -> int:
    """At most, of a bundle with captures of so many samples each."""
    return _TEXTS_BYTES + sum(capture_bytes(count, keep) for count in samples)


def used_bytes(folder: Path) -> int:
    """What a bundle takes on the disk, in whole blocks. Raises OSError."""
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return sum(-(-size // _BLOCK_BYTES) * _BLOCK_BYTES for size in sizes)


@dataclass(frozen=True)
class Room:
    """Whether a night fits. `free_bytes` less `stay_bytes` is there for it.

    `least_bytes`: every cycle passes; `most_bytes`: none does.
    """

    least_bytes: int
    most_bytes: int
    free_bytes: int
    stay_bytes: int

    @property
    def fits(self) -> bool:
        """A night on which all passes does; one on which much fails may have to end early."""
        return self.least_bytes <= self.free_bytes - self.stay_bytes

    @property
    def surely_fits(self) -> bool:
        return self.most_bytes <= self.free_bytes - self.stay_bytes

    @property
    def words(self) -> str:
        """In one line, in MB."""
        free, stay = self.free_bytes / 1e6, self.stay_bytes / 1e6
        least, most = f"{self.least_bytes / 1e6:.0f}", f"{self.most_bytes / 1e6:.0f}"
        need = f"{least} MB" if least == most else f"{least} to {most} MB"
        return f"{need} are needed, {free:.0f} MB are free, of which {stay:.0f} MB must stay so"


def room_for(
    cycles: int, samples: tuple[int, ...], policy: CapturePolicy, free_bytes: int, stay_bytes: int, measured: int = 0
) -> Room:
    """The room of so many cycles, each with captures of so many samples.

    `measured`: the most that a cycle which passed has taken so far (0 = none has): then that is what one takes.
    """
    passed = measured or bundle_bytes(samples, policy.passed)
    others = bundle_bytes(samples, policy.others)
    return Room(cycles * passed, cycles * max(passed, others), free_bytes, stay_bytes)
