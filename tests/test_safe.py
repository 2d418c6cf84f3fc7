"""`rig safe` and who is at the supply's address: another instrument is not switched off, one that does not tell is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from rig.bench.config import SupplyTable
from rig.clock.system import SystemClock
from rig.safe import _switched_off
from rig.twin.supplies.rigol_dp800 import TwinDP800
from rig.twin.wire import Answer, HangUp, LineServer
from tests.twin.stages import Stage


@dataclass
class Bench:
    """A supply that is on, behind its wire. `idn` is what it says it is: itself (None), or this; it hangs up at the
    question where that is nothing."""

    idn: str | None = None
    stage: Stage = field(default_factory=lambda: Stage(50.0))
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage.switch(True)
        self.face = TwinDP800(self.stage, "DP8MINE")
        nobody = SimpleNamespace(defer=lambda delay_s, reply: None)
        self.wire = LineServer("supply", self.handle, nobody, threading.RLock())  # type: ignore[arg-type]

    def handle(self, line: str) -> Answer:
        self.heard.append(line)
        if line == "*IDN?" and self.idn is not None:
            return f"{self.idn}\n".encode() if self.idn else HangUp()
        return self.face.handle(line)

    def table(self, **more: object) -> SupplyTable:
        given = {"name": "psu", "driver": "rigol-dp800", "address": self.wire.address, "timeout_s": 30.0, **more}
        return SupplyTable.model_validate(given)


@pytest.fixture
def bench() -> Iterator[Bench]:
    found = Bench()
    yield found
    found.wire.close()


@pytest.mark.parametrize(
    ("idn", "more", "told"),
    [
        ("KEYSIGHT TECHNOLOGIES,E36312A,MY1,1.0", {}, "psu: this is another instrument"),
        ("RIGOL TECHNOLOGIES,DS1104Z,DS1,1.0", {}, "psu: this is another instrument"),
        (None, {"serial": "DP8OTHER"}, "serial: psu: this is not the instrument of the bench file (found DP8MINE"),
        (None, {"model": "DP832A"}, "model: psu: this is not the instrument of the bench file (found DP832"),
    ],
)
def test_one_that_says_it_is_another_hears_nothing_more(
    bench: Bench, idn: str | None, more: dict[str, object], told: str
) -> None:
    bench.idn = idn
    check = _switched_off(bench.table(**more), SystemClock())
    assert not check.proven
    assert check.found.startswith(told)
    assert check.found.endswith("; it was not told to switch off")
    assert set(bench.heard) == {"*IDN?"}
    assert bench.stage.on


def test_the_bench_files_own_is_switched_off(bench: Bench) -> None:
    check = _switched_off(bench.table(serial="DP8MINE", model="DP832"), SystemClock())
    assert (check.proven, check.found) == (True, "says OFF")
    assert not bench.stage.on


@pytest.mark.parametrize("idn", ["", "RIGOL TECHNOLOGIES,DP832"])
def test_one_that_does_not_say_who_it_is_is_switched_off_all_the_same(bench: Bench, idn: str) -> None:
    bench.idn = idn
    check = _switched_off(bench.table(), SystemClock())
    assert check.proven
    assert not bench.stage.on
