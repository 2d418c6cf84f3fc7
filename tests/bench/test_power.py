"""Feeding the rail is a lifetime: entered only when the interlocks agree, left in a safe state that was read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from rig import firmware
from rig.bench.interlocks import Interlocks
from rig.bench.opening import Bench, open_bench
from rig.bench.power import power
from rig.errors import BenchError, LinkError, Refused
from rig.guardian.lease import Lease
from rig.guardian.port import Check
from rig.instruments.ports import Identity, SupplyReading
from rig.procedures.watch import Watch
from rig.twin.bench import Twin
from rig.twin.faults import parse

Change = Callable[[Twin], None]
ROOM = 10**9


class Opened:
    """An open twin bench with a watch, its interlocks, and what they and the end told."""

    def __init__(self, twin: Twin, bench: Bench, watch: Watch) -> None:
        self.twin = twin
        self.bench = bench
        self.watch = watch
        self.room = ROOM
        self.identified: list[tuple[str, Identity]] = []
        self.agreed: list[Check] = []
        self.ended: list[Check] = []
        self.interlocks = Interlocks(
            bench,
            lambda: self.room,
            lambda timeout_s: watch.wait_state("down", timeout_s),
            lambda name, who: self.identified.append((name, who)),
        )

    @contextmanager
    def power(self) -> Iterator[None]:
        with power(self.interlocks, self.agreed.extend, self.ended.extend):
            yield

    def feed(self) -> None:
        self.bench.relays.set("mains", True)
        self.twin.clock.sleep(1.0)
        self.bench.relays.set("meter-feed", True)
        assert self.watch.wait_state("up", 5.0)


@contextmanager
def opened(*faults: str, update: Callable[[Bench], Bench] = lambda bench: bench) -> Iterator[Opened]:
    twin = Twin([firmware.load("cut-45s")], faults=[parse(name) for name in faults], depth=120_000)
    try:
        bench = update(open_bench(twin.config, twin.clock, twin.call_sets))
        try:
            watch = Watch(twin.config, bench.sense, twin.clock)
            watch.start()
            yield Opened(twin, bench, watch)
            watch.stop()
        finally:
            bench.close()
    finally:
        twin.close()


def changed(bench: Bench, table: str, **keys: object) -> Bench:
    """The bench with other keys in one table of its file."""
    from dataclasses import replace

    found = getattr(bench.config, table)
    rows = [row.model_copy(update=keys) for row in found] if isinstance(found, list) else found.model_copy(update=keys)
    return replace(bench, config=bench.config.model_copy(update={table: rows}))


# -- entered -----------------------------------------------------------------------------------------------------------


def test_the_interlocks_are_read_back_before_anything_is_fed() -> None:
    with opened() as it:
        with it.power():
            assert [check.what for check in it.agreed] == ["disk", "supply psu", "feeds", "rail"]
            assert all(check.proven for check in it.agreed)
            assert [(name, who.model) for name, who in it.identified] == [
                ("supply", "DP832"),
                ("oscilloscope", "DS1104Z"),
            ]
            channel = it.twin.supply._channels[1]
            assert (channel.volts, channel.ovp_v, channel.ovp_on, channel.on) == (12.0, 13.2, True, False)
            it.feed()
        assert all(check.proven for check in it.ended)


def test_no_feed_closes_outside_of_the_lifetime() -> None:
    with opened() as it:
        with pytest.raises(Refused, match="not armed"):
            it.bench.relays.set("meter-feed", True)
        with it.power():
            it.feed()
        with pytest.raises(Refused, match="not armed"):
            it.bench.relays.set("meter-feed", True)


def test_the_rail_is_off_for_its_least_time_before_it_is_fed_again() -> None:
    with opened(update=lambda bench: changed(bench, "topology", least_off_s=30.0)) as it:
        with it.power():
            it.feed()
        off = it.twin.clock.now()
        with it.power():
            assert it.twin.clock.now() - off >= 30e9


def _line_stays_high(twin: Twin) -> None:
    twin.stick_line("supply-feed", 1)
    twin.world.gpio._move(22, 1)


REFUSALS: dict[str, tuple[Change, Callable[[Bench], Bench], str]] = {
    "too little room": (lambda _: None, lambda b: changed(b, "limits", free_disk_mb=2e3), "1000 MB are free, 2000 MB"),
    "an overdue calibration": (
        lambda _: None,
        lambda b: changed(b, "oscilloscope", calibration_due=date(2020, 1, 1)),
        "the calibration of scope is overdue since 2020-01-01",
    ),
    "another instrument": (
        lambda _: None,
        lambda b: changed(b, "supply", serial="DP8A000001"),
        "psu: this is not the instrument of the bench file",
    ),
    "a volt more than the bench allows": (
        lambda _: None,
        lambda b: changed(b, "supply", volts=14.5),
        "psu: outside the limits, nothing was sent",
    ),
    "a record that the oscilloscope has no memory for": (
        lambda _: None,
        lambda b: changed(b, "oscilloscope", depth=100_000_000),
        "depth: scope: more than the model can (found 1e+08, expected at most 2.4e+07)",
    ),
    "a rail that something feeds": (
        lambda t: t.contact("meter-feed").stick(True),
        lambda b: b,
        "the rail is not proven down: what feeds it?",
    ),
    "a comparator that never says down": (
        lambda t: t.line("rail_down").force(False),
        lambda b: b,
        "the rail is not proven down",
    ),
    "a relay's line that stays high": (_line_stays_high, lambda b: b, "GPIO 22 does not follow"),
}


@pytest.mark.parametrize(("act", "update", "told"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_does_not_agree_is_refused_by_name_and_nothing_is_fed(
    act: Change, update: Callable[[Bench], Bench], told: str
) -> None:
    with opened(update=update) as it:
        act(it.twin)
        it.bench.relays.set("mains", True)
        it.twin.clock.sleep(8.0)
        with pytest.raises(BenchError) as caught, it.power():
            pytest.fail("entered")
        assert told in caught.value.one_line()
        assert not it.bench.supply.read().output_on
        assert it.ended, "the safe state is proven, or not, on this way out too"
        with pytest.raises(Refused):
            it.bench.relays.set("meter-feed", True)


def test_a_calibration_that_is_due_tomorrow_is_none_of_our_business_and_one_of_today_is_overdue() -> None:
    for days, overdue in ((1, False), (0, True)):
        with opened() as it:
            due = it.twin.clock.utc().date() + timedelta(days=days)
            it.interlocks = Interlocks(
                changed(changed(it.bench, "supply", calibration_due=due), "limits", calibration_overdue="warning"),
                lambda: ROOM,
                it.interlocks.rail_is_down,
                it.interlocks.identified,
            )
            with it.power():
                told = [check for check in it.agreed if check.what == "calibration of psu"]
            assert [check.proven for check in told] == ([False] if overdue else [])


# -- inside ------------------------------------------------------------------------------------------------------------


def test_while_it_is_fed_the_room_and_the_guardian_are_looked_at() -> None:
    with opened() as it, it.power():
        it.interlocks.hold()
        it.room = 1
        with pytest.raises(Refused, match="too little room"):
            it.interlocks.hold()


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        (SupplyReading(12.0, 0.1, "CV", True, False), None),
        (SupplyReading(13.2, 0.1, "CV", True, False), "13.200 V, 0.100 A"),
        (SupplyReading(12.0, 2.0, "CV", True, False), "12.000 V, 2.000 A"),
        (SupplyReading(11.5, 1.5, "CC", True, False), None),
        (SupplyReading(9.0, 1.5, "UR", True, False), "mode UR"),
        (SupplyReading(0.0, 0.0, "off", False, True), "a protection tripped"),
        (SupplyReading(0.0, 0.0, "off", False, False), "mode off"),
    ],
)
def test_a_supply_that_feeds_is_inside_its_envelope(reading: SupplyReading, told: str | None) -> None:
    with opened() as it:
        it.bench.supply.read = lambda: reading  # type: ignore[method-assign]
        if told is None:
            it.interlocks.envelope()
            return
        with pytest.raises(Refused, match="psu is outside its envelope") as caught:
            it.interlocks.envelope()
        assert told in caught.value.message


# -- left --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [LinkError("gone"), ZeroDivisionError("a fault of ours"), KeyboardInterrupt()])
def test_however_it_is_left_the_bench_is_safe_and_that_is_read_back(error: BaseException) -> None:
    with opened() as it:
        with pytest.raises(type(error)), it.power():  # noqa: PT012 - what is raised is the test's own
            it.feed()
            raise error
        assert {check.what: check.proven for check in it.ended} == {
            "supply psu off": True,
            "relay K1": True,
            "relay K2": True,
            "relay K3": True,
            "rail discharged": True,
        }


def leased(bench: Bench, folder: Path) -> Bench:
    from dataclasses import replace

    return replace(bench, lease=Lease.take(folder, "lab", ["supply"], "now"))


def test_a_safe_state_that_is_proven_leaves_no_mark(tmp_path: Path) -> None:
    with opened(update=lambda bench: leased(bench, tmp_path)) as it:
        lease = it.bench.lease
        assert lease is not None
        with it.power():
            assert not lease.proven, "who dies now leaves a bench that nobody has proven safe"
            it.feed()
        assert lease.proven
        lease.release()
    Lease.take(tmp_path, "lab", ["supply"], "now").release()


def test_a_safe_state_that_is_not_proven_marks_the_bench(tmp_path: Path) -> None:
    with opened(update=lambda bench: leased(bench, tmp_path)) as it:
        with it.power():
            it.feed()
            it.twin.contact("meter-feed").stick(True)
        assert [check.what for check in it.ended if not check.proven] == ["rail discharged"]
        assert it.bench.lease is not None
        it.bench.lease.release()
    with pytest.raises(
        BenchError, match=r"not to be used: its safe state could not be proven \(rail discharged: not b"
    ):
        Lease.take(tmp_path, "lab", ["supply"], "now")
