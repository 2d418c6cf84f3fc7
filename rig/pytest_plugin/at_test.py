"""One bench in the hands of one test: its parts, its rail, an activation; and safe at the end, which is read back.

The bench is opened when a test first asks for it. Its parts may feed the rail (the interlocks agree first). An
activation makes the bench safe before it begins, so after one the parts are asked for anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import RigError
from rig.pytest_plugin.held import HeldBench
from rig.pytest_plugin.outcomes import Activated, NotExpected, activated, judge
from rig.records.bounds import Bounds

if TYPE_CHECKING:
    from rig.bench.config import BenchConfig
    from rig.bench.opening import Bench
    from rig.clock import Clock
    from rig.firmware import Fixture
    from rig.guardian.port import Check, Guardian
    from rig.instruments.ports import Oscilloscope, SenseLines, Supply
    from rig.meters.port import Meter
    from rig.procedures.session import Session


@dataclass(frozen=True)
class Choices:
    """What the command line asked of every activation."""

    out: Path
    controls: str
    fixtures: tuple[str, ...]
    """Names or folders that the twin's meter knows."""

    @cached_property
    def known(self) -> list[Fixture]:
        """Those, loaded once for all tests; the meter starts at the oldest version. Raises InputError."""
        from rig.firmware import load, names

        found = [f for f in map(load, self.fixtures) if f.behaviour is not None] or [load(name) for name in names()]
        return sorted(found, key=lambda fixture: fixture.version_from)


class BenchAtTest:
    """See the module. The fixture `bench`."""

    def __init__(self, held: HeldBench, choices: Choices, told: Callable[[str, object], None]) -> None:
        """`told(name, value)` keeps a property of the test (JUnit)."""
        self._held = held
        self._choices = choices
        self._told = told
        self._open = ExitStack()
        self._fed = ExitStack()
        self._bench: Bench | None = None
        self._session: Session | None = None
        self._unproven: list[str] = []
        self.runs: list[Activated] = []
        self.forgotten: str | None = None
        """The verdict that nobody heard of, where the test caught its failure and went on."""

    # -- the bench and its parts -----------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self._held.name

    @property
    def config(self) -> BenchConfig:
        return self._held.config

    @property
    def is_twin(self) -> bool:
        return self._held.is_twin

    @property
    def clock(self) -> Clock:
        """Virtual on the twin: tests wait by it."""
        return self._opened().clock

    @property
    def supply(self) -> Supply:
        return self._powered().bench.supply

    @property
    def oscilloscope(self) -> Oscilloscope:
        return self._powered().bench.oscilloscope

    @property
    def relays(self) -> Guardian:
        return self._powered().bench.relays

    @property
    def sense(self) -> SenseLines:
        return self._opened().sense

    @property
    def meter(self) -> Meter:
        return self._opened().meter

    def feed_from_supply(self) -> None:
        """The bench supply feeds the hub's rail. Raises BenchError when it does not come up."""
        self._powered().feed_from_supply()

    def feed_from_meter(self) -> None:
        """The meter feeds the hub's rail, and nothing else does. Raises BenchError."""
        self._powered().feed_hub()

    @contextmanager
    def watch(self) -> Iterator[RailSeen]:
        """What the lines see of the rail from here to the end of the block."""
        session = self._powered()
        seen = RailSeen()
        session.watch.wait_look(2.0)
        begin = session.watch.known_to_ns()
        try:
            yield seen
        finally:
            with session.clock.shielded():
                until = session.clock.now()
                session.watch.wait_until(lambda: session.watch.known_to_ns() >= until, 5.0)
            seen.end(session, begin, session.watch.known_to_ns())

    # -- an activation ---------------------------------------------------------------------------------------------

    def activate(
        self,
        firmware: str | Path | Fixture,
        *,
        expect: str = "PASS",
        limit_s: float | None = None,
        comparison: str | None = None,
        seed: int = 0,
        faults: tuple[str, ...] = (),
    ) -> Activated:
        """One activation test, end to end; its record. Raises NotExpected unless its verdict is `expect`.

        `seed` and `faults` are the twin's. An unknown fixture, or a bench that cannot be opened, fails the test in one
        line.
        """
        from rig.api import Request, run_on
        from rig.firmware import Fixture, load
        from rig.procedures.progress import Silent

        __tracebackhide__ = True
        with _in_one_line():
            fixture = firmware if isinstance(firmware, Fixture) else load(str(firmware))
            self._leave_power()
            bench = self._opened(fixture, seed, faults)
        request = Request(
            self.name, fixture.name, self._choices.out, limit_s, comparison, controls=self._choices.controls
        )
        outcome = run_on(bench, fixture, request, Silent())
        found = activated(outcome)
        self.runs.append(found)
        for name, value in found.properties():
            self._told(name, value)
        if not found.record.safe_state.proven:
            self._held.unsafe = "its safe state could not be proven"
        if outcome.cancelled is not None or any(reason.code == "interrupted" for reason in found.reasons):
            raise KeyboardInterrupt
        try:
            judge(found, expect)
        except NotExpected as failure:
            self.forgotten = f"{type(failure).__name__}: {failure}"
            raise
        return found

    def again(self) -> None:
        """A new cycle: the bench is made safe, and the twin made anew."""
        self._leave_power()
        self._bench = None
        self._open.close()

    # -- the end ---------------------------------------------------------------------------------------------------

    def end(self) -> list[str]:
        """Safe, and given back; what of the safe state was not proven."""
        try:
            self._leave_power()
        finally:
            self._bench = None
            self._open.close()
        if self._unproven:
            self._held.unsafe = f"its safe state could not be proven ({'; '.join(self._unproven)})"
        return self._unproven

    # -- inside ----------------------------------------------------------------------------------------------------

    def _opened(self, first: Fixture | None = None, seed: int = 0, faults: tuple[str, ...] = ()) -> Bench:
        """Open; on the twin, the meter runs the version from which `first` is activated."""
        if self._bench is None:
            known = self._choices.known if self.is_twin else []
            fixtures = [first, *(f for f in known if f.sha256 != first.sha256)] if first else known
            self._bench = self._open.enter_context(self._held.opened(fixtures, seed, faults))
        return self._bench

    def _powered(self) -> Session:
        """A visit to the bench in which the rail may be fed."""
        if self._session is None:
            from rig.api import limit_of
            from rig.bench.power import power
            from rig.procedures.capturing import ScopeView
            from rig.procedures.progress import Silent
            from rig.procedures.session import Session
            from rig.records.bundle import free_bytes

            bench = self._opened()
            limit = limit_of(bench.config, None, None)
            out = self._choices.out
            session = Session(bench, limit, ScopeView.of(bench.config), _NoDiary(), Silent(), lambda: free_bytes(out))
            session.watch.start()
            self._fed.callback(session.watch.stop)
            self._fed.enter_context(power(session.interlocks, _ignore, self._made_safe))
            self._session = session
        return self._session

    def _made_safe(self, checks: tuple[Check, ...]) -> None:
        self._unproven += [f"{check.what}: {check.found}" for check in checks if not check.proven]

    def _leave_power(self) -> None:
        self._session = None
        fed, self._fed = self._fed, ExitStack()
        fed.close()


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Bad input, and a bench that cannot be opened, are no traceback."""
    import pytest

    __tracebackhide__ = True
    try:
        yield
    except RigError as error:
        raise pytest.fail.Exception(error.one_line(), pytrace=False) from None


class RailSeen:
    """What was seen of the rail in a `watch` block; known when the block is over."""

    def __init__(self) -> None:
        self._longest: Bounds | None = None

    def end(self, session: Session, begin_ns: int, end_ns: int) -> None:
        """The block is over."""
        from rig.rail import merge, outages

        sources = session.watch.sources()
        history = outages(merge(sources), session.view.settings, begin_ns, end_ns)
        longest = history.longest
        estimate = longest.estimate_ns if longest else None
        self._longest = Bounds(
            history.lower_ns / 1e9,
            None if estimate is None else estimate / 1e9,
            None if history.upper_ns is None else history.upper_ns / 1e9,
            tuple(source.name for source in sources),
        )

    @property
    def longest_outage(self) -> Bounds:
        """To compare with `seconds(…)`. Raises RuntimeError inside the block."""
        if self._longest is None:
            raise RuntimeError("the watch is still going on: ask after the block")
        return self._longest


class _NoDiary:
    """A test's own moves are no run: its report is pytest's."""

    def event(self, name: str, /, **fields: object) -> None:
        del name, fields


def _ignore(_: object) -> None:
    """What the interlocks found is of no interest where they agree."""
