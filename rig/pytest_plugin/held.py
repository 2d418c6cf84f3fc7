"""The benches of a test session: which were asked for, and one of them open while a test needs it.

A real bench is locked and stays open from its first test to the end of the session, with its guardian; where several
workers run (pytest-xdist), it is opened for each test and given back, so that two of them never share it. The twin is
made anew for each test. A bench that could not be proven safe is not used again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import InputError

if TYPE_CHECKING:
    from rig.bench.config import BenchConfig
    from rig.bench.opening import Bench
    from rig.firmware import Fixture

_BUSY_S = 0.2
_PATIENCE_S = 3600.0


@dataclass
class HeldBench:
    """One bench of the session, by name or file. `unsafe`: why it is not used again."""

    name: str
    out: Path
    shared: bool
    file_config: BenchConfig | None
    unsafe: str | None = None
    _kept: ExitStack = field(default_factory=ExitStack)
    _bench: Bench | None = None

    @staticmethod
    def choose(name: str, out: Path, *, shared: bool) -> HeldBench:
        """Raises InputError for a bench that does not exist, or a bench file that is wrong."""
        from rig.benches import ChosenBench

        chosen = ChosenBench(name)
        if not chosen.is_file:
            from rig.twin.rack import template

            template(name)
        return HeldBench(name, out, shared, chosen.file_config)

    @property
    def is_twin(self) -> bool:
        return self.file_config is None

    @property
    def config(self) -> BenchConfig:
        """What stands on it."""
        if self.file_config is not None:
            return self.file_config
        from rig.twin.rack import draft

        return draft(self.name)[0]

    @contextmanager
    def opened(self, fixtures: list[Fixture], seed: int, faults: tuple[str, ...]) -> Iterator[Bench]:
        """Open for one test. Raises InputError where somebody else has it, BenchError where it cannot be opened."""
        from rig.benches import ChosenBench

        def opening() -> AbstractContextManager[Bench]:
            return ChosenBench(self.name, seed, faults).opened(fixtures, self.out)

        if self.is_twin:
            with opening() as bench:
                yield bench
        elif self.shared:
            with ExitStack() as stack:
                yield _patiently(stack, opening)
        else:
            if self._bench is None:
                self._bench = self._kept.enter_context(opening())
            yield self._bench

    def close(self) -> None:
        """The session is over."""
        self._bench = None
        self._kept.close()


def _patiently(stack: ExitStack, opening: Callable[[], AbstractContextManager[Bench]]) -> Bench:
    """Wait for a bench that another worker has."""
    from rig.clock.system import SystemClock

    clock = SystemClock()
    deadline = clock.now() + round(_PATIENCE_S * 1e9)
    while True:
        try:
            return stack.enter_context(opening())
        except InputError as error:
            if "in use" not in error.message or clock.now() >= deadline:
                raise
        clock.sleep(_BUSY_S)
