"""Supply and oscilloscope over links that may break and come back: asked again once, and given their settings again.

A link that broke is opened again by the next question, and refuses another instrument. What may be said twice without
harm is then said again; settings, which may be gone, are given again before an output goes on or a trigger is armed.
What came back is kept for the run's diary. An instrument that answers wrongly is not asked again. One that is not the
bench file's is asked who it is, and nothing else: not even 'off', and its 'I am off' proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rig.clock import Clock
from rig.errors import LinkError, Where
from rig.instruments.ports import (
    Capture,
    CaptureSettings,
    Identity,
    Level,
    Oscilloscope,
    ScopeState,
    Supply,
    SupplyReading,
    SupplySettings,
)

_T = TypeVar("_T")


class Reopened(Protocol):
    """What is asked of a link here."""

    @property
    def openings(self) -> int:
        """How often it was opened so far."""

    @property
    def is_open(self) -> bool:
        """False after a broken exchange."""


def was_away(link: Reopened, openings: int) -> bool:
    """Whether it is not the connection any more that was open at that count, or will not be with the next question."""
    return not link.is_open or link.openings != openings


@dataclass(frozen=True)
class CameBack:
    """An instrument's link was lost, and is there again since `at_ns`; `why` it was lost."""

    at_ns: int
    name: str
    why: str


class Recoveries:
    """What came back on this bench, in order. From any activity."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found: list[CameBack] = []

    def add(self, name: str, why: str) -> None:
        self._found.append(CameBack(self._clock.now(), name, why))

    def since(self, count: int) -> list[CameBack]:
        """Those behind the first `count`."""
        return self._found[count:]

    def again(self, name: str, link: Reopened, act: Callable[[], _T]) -> _T:
        """`act`, a second time when the link broke in the first."""
        try:
            return act()
        except LinkError as error:
            if link.is_open:  # it answered, wrongly
                raise
            result = act()
            self.add(name, error.one_line())
            return result


CheckIdentity = Callable[[Identity], None]
"""Raises BenchError for another instrument than the bench file's."""


class _Checked:
    """Who answers, asked before the first other exchange. A link that reopens refuses another by itself."""

    def __init__(self, name: str, link: Reopened, recoveries: Recoveries, ask: Callable[[], Identity]) -> None:
        self._name = name
        self._link = link
        self._recoveries = recoveries
        self._ask = ask
        self._who: Identity | None = None

    def identify(self) -> Identity:
        self._who = None
        self._who = self._recoveries.again(self._name, self._link, self._ask)
        return self._who

    def again(self, check: CheckIdentity, act: Callable[[], _T]) -> _T:
        check(self._who if self._who is not None else self.identify())
        return self._recoveries.again(self._name, self._link, act)


class RecoveringSupply:
    """Implements `Supply` over another. Each call but `identify` raises BenchError where `check` does."""

    def __init__(self, supply: Supply, link: Reopened, recoveries: Recoveries, check: CheckIdentity) -> None:
        self._supply = supply
        self._link = link
        self._check = check
        self._checked = _Checked(supply.name, link, recoveries, supply.identify)
        self._settings: SupplySettings | None = None
        self._set_at = 0

    @property
    def name(self) -> str:
        return self._supply.name

    def identify(self) -> Identity:
        return self._checked.identify()

    def apply(self, settings: SupplySettings) -> None:
        self._settings = None
        self._again(lambda: self._supply.apply(settings))
        self._settings, self._set_at = settings, self._link.openings

    def output(self, on: bool) -> None:
        """Before it goes on, a supply that was away gets its settings again."""

        def act() -> None:
            if on and self._settings is not None and was_away(self._link, self._set_at):
                self._supply.apply(self._settings)
                self._set_at = self._link.openings
            self._supply.output(on)

        self._again(act)

    def read(self) -> SupplyReading:
        return self._again(self._supply.read)

    def clear(self) -> SupplyReading:
        return self._again(self._supply.clear)

    def make_safe(self) -> SupplyReading:
        return self._again(self._supply.make_safe)

    def close(self) -> None:
        self._supply.close()

    def _again(self, act: Callable[[], _T]) -> _T:
        return self._checked.again(self._check, act)


class RecoveringOscilloscope:
    """Implements `Oscilloscope` over another. `state` is asked once: who follows a capture knows how long to try.

    Each call but `identify` and `state` raises BenchError where `check` does.
    """

    def __init__(self, scope: Oscilloscope, link: Reopened, recoveries: Recoveries, check: CheckIdentity) -> None:
        self._scope = scope
        self._link = link
        self._check = check
        self._checked = _Checked(scope.name, link, recoveries, scope.identify)
        self._asked: CaptureSettings | None = None
        self._given: CaptureSettings | None = None
        self._set_at = 0

    @property
    def name(self) -> str:
        return self._scope.name

    def identify(self) -> Identity:
        return self._checked.identify()

    def plan(self, settings: CaptureSettings) -> CaptureSettings:
        return self._again(lambda: self._scope.plan(settings))

    def configure(self, settings: CaptureSettings) -> CaptureSettings:
        self._asked = None
        given = self._again(lambda: self._scope.configure(settings))
        self._asked, self._given, self._set_at = settings, given, self._link.openings
        return given

    def arm(self) -> None:
        """One that was away gets its settings again first; `LinkError` when they are not what they were."""
        self._again(lambda: self._set_up(self._scope.arm))

    def state(self) -> ScopeState:
        return self._scope.state()

    def read(self) -> Capture:
        """A record stands in the instrument until it is armed again: it may be read twice."""
        return self._again(self._scope.read)

    def level(self) -> Level | None:
        return self._again(lambda: self._set_up(self._scope.level))

    def make_safe(self) -> None:
        self._again(self._scope.make_safe)

    def close(self) -> None:
        self._scope.close()

    def _set_up(self, act: Callable[[], _T]) -> _T:
        if self._asked is not None and was_away(self._link, self._set_at):
            given = self._scope.configure(self._asked)
            if given != self._given:
                where = Where(found=str(given), expected=str(self._given))
                raise LinkError(f"{self.name}: it was away, and its settings are not what they were", where)
            self._set_at = self._link.openings
        return act()

    def _again(self, act: Callable[[], _T]) -> _T:
        return self._checked.again(self._check, act)
