"""A bench by name or by file becomes an open bench: the twin, or what stands on the lab's table with its one owner.

Alone (with the faces) it knows that there is a twin. What is done on the bench is not its business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rig.bench import is_bench_file
from rig.bench.config import BenchConfig, load_bench, locate
from rig.bench.guarding import owned
from rig.bench.opening import Bench, CallSets, open_bench
from rig.clock import Clock
from rig.clock.system import SystemClock
from rig.errors import InputError, RigError, Where
from rig.firmware import Fixture
from rig.recording import Taps
from rig.records.bundle import check_out

MAX_SEED = 2**32 - 1


class ChosenBench:
    """A bench that was asked for, checked as far as can be without touching it. `opened` may be used once.

    `faults_at_once`: the twin's faults act from the start, for what activates nothing. `terminal`: the descriptor of a
    terminal at which a person sits. `utc`: when the twin's clock begins. `taps` hear the links.
    `clock` is there from the opening on, so that
    a signal can ask for the end. Raises InputError.
    """

    def __init__(
        self,
        bench: str,
        seed: int = 0,
        faults: Sequence[str] = (),
        *,
        faults_at_once: bool = False,
        terminal: int | None = None,
        utc: datetime | None = None,
        taps: Taps | None = None,
    ) -> None:
        self.name = bench
        self.is_file = is_bench_file(bench)
        if self.is_file and faults:
            raise InputError("faults are for the twin", Where(key="--fault", found=bench, expected="a twin bench"))
        if not 0 <= seed <= MAX_SEED:
            raise InputError("not a seed", Where(key="--seed", found=str(seed), expected=f"0 to {MAX_SEED}"))
        self._seed = seed
        self._faults = tuple(faults)
        self._at_once = faults_at_once
        self._terminal = terminal
        self._utc = utc
        self._taps = taps
        self.file_config: BenchConfig | None = load_bench(Path(bench)) if self.is_file else None
        self.clock: Clock | None = None

    @property
    def config(self) -> BenchConfig:
        """What stands on it. Raises InputError for a twin that there is not."""
        if self.file_config is not None:
            return self.file_config
        from rig.twin.rack import draft

        return draft(self.name)[0]

    @contextmanager
    def opened(self, fixtures: Sequence[Fixture], out: Path) -> Iterator[Bench]:
        """The open bench, when `out` can take the evidence. `fixtures`: the images that the twin's meter knows."""
        if self.file_config is not None:
            _check_out(self.file_config, out)
            self.clock = clock = SystemClock()
            with owned(self.file_config, clock) as lease:
                try:
                    bench = open_bench(self.file_config, clock, CallSets(taps=self._taps), lease, self._terminal)
                except RigError as error:
                    locate(error, Path(self.name))
                    raise
                try:
                    yield bench
                finally:
                    bench.close()
            return
        from rig.twin.bench import Twin
        from rig.twin.faults import parse

        parsed = [parse(text) for text in self._faults]
        if self._at_once:
            parsed = [replace(fault, at_s=None) for fault in parsed]
        twin = Twin(fixtures, self.name, self._seed, parsed, utc=self._utc)
        try:
            _check_out(twin.config, out)
            self.clock = twin.clock
            bench = open_bench(
                twin.config, twin.clock, replace(twin.call_sets, taps=self._taps), terminal=self._terminal
            )
            try:
                yield bench
            finally:
                bench.close()
        finally:
            twin.close()


def _check_out(config: BenchConfig, out: Path) -> None:
    check_out(out, int(config.limits.free_disk_mb * 1e6))
