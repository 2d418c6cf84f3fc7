"""GPIO chips and their lines as gpiod shows them to who only looks: nothing is requested, so nothing can change.

A line's level is not told without requesting it. Knows no roles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from rig.errors import BenchError

if TYPE_CHECKING:
    from gpiod import ChipInfo, LineInfo


class Chip(Protocol):
    """The part of `gpiod.Chip` that is used."""

    def get_info(self) -> ChipInfo: ...
    def get_line_info(self, line: int | str) -> LineInfo: ...
    def close(self) -> None: ...


OpenChip = Callable[[str], Chip]
"""`gpiod.Chip`."""


def load_open_chip() -> OpenChip:
    """`gpiod.Chip` of this machine. Raises BenchError where there is no gpiod."""
    try:
        import gpiod
    except ImportError as error:
        raise BenchError("no gpiod here: GPIO lines need Linux and the package gpiod") from error
    chip: Any = gpiod.Chip
    opened: OpenChip = chip
    return opened


def chip_info(open_chip: OpenChip, path: str) -> ChipInfo:
    """Name, label and number of lines. Raises BenchError."""
    with _opened(open_chip, path) as chip:
        return chip.get_info()


def line_infos(open_chip: OpenChip, path: str, offsets: Iterable[int]) -> dict[int, LineInfo]:
    """Name, direction and consumer of each of these lines. Raises BenchError; so does a line that the chip has not."""
    with _opened(open_chip, path) as chip:
        found = {}
        for offset in offsets:
            try:
                found[offset] = chip.get_line_info(offset)
            except ValueError as error:
                raise BenchError(f"{path} has no line {offset}; it has {chip.get_info().num_lines}") from error
        return found


@contextmanager
def _opened(open_chip: OpenChip, path: str) -> Iterator[Chip]:
    try:
        chip = open_chip(path)
        try:
            yield chip
        finally:
            chip.close()
    except (OSError, ValueError) as error:  # gpiod raises ValueError for a file that is no chip
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BenchError(f"{path}: {reason}") from error
