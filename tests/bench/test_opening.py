"""A bench file becomes an open bench and goes to its safe state: on the twin's hardware, with its real drivers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from rig import firmware
from rig.bench.config import RelayRole
from rig.bench.opening import Bench, CallSets, open_bench
from rig.bench.safe import make_safe
from rig.errors import BenchError, HarnessError, InputError, LinkError
from rig.guardian.port import Check
from rig.instruments.ports import SupplyReading
from rig.procedures.watch import Watch
from rig.twin.bench import Twin
from rig.twin.faults import parse


@contextmanager
def opened(*faults: str) -> Iterator[tuple[Twin, Bench]]:
    twin = Twin([firmware.load("cut-45s")], faults=[parse(name) for name in faults], depth=120_000)
    try:
        bench = open_bench(twin.config, twin.clock, twin.call_sets)
        try:
            yield twin, bench
        finally:
            bench.close()
    finally:
        twin.close()


def contacts(twin: Twin) -> dict[RelayRole, bool]:
    twin.clock.sleep(0.05)
    return {role: contact.closed for role, contact in twin.world.contacts.items()}


# -- opening -------------------------------------------------------------------------------------------------------


def test_opening_reaches_every_device_and_energises_nothing() -> None:
    with opened() as (twin, bench):
        assert bench.supply.identify().model == "DP832"
        assert bench.oscilloscope.identify().model == "DS1104Z"
        assert set(bench.sense.levels()) == {"rail_up", "rail_down", "mains", "ac_lo", "mt_pr", "ch_pr"}
        assert contacts(twin) == {"mains": False, "meter-feed": False, "supply-feed": False}
        settings = bench.supply_settings()
        assert (settings.volts, settings.over_voltage_v) == (12.0, 13.2)


def test_a_bench_that_is_opened_again_leaves_the_mains_contactor_as_it_is_and_opens_the_feeds() -> None:
    """Mains cut in the middle of an activation can brick a meter: neither closing nor opening may do it."""
    with opened() as (twin, bench):
        bench.relays.set("mains", True)
        bench.relays.arm()
        twin.clock.sleep(1.0)
        bench.relays.set("meter-feed", True)
        bench.close()
        assert contacts(twin) == {"mains": True, "meter-feed": False, "supply-feed": False}
        again = open_bench(twin.config, twin.clock, twin.call_sets)
        assert contacts(twin) == {"mains": True, "meter-feed": False, "supply-feed": False}
        assert again.relays.closed("mains")
        again.close()


def test_an_unknown_profile_is_told_before_anything_is_touched() -> None:
    with opened() as (twin, _):
        meter = twin.config.meter.model_copy(update={"profile": "synthetic-esm"})
        config = twin.config.model_copy(update={"meter": meter})
        with pytest.raises(InputError, match="did you mean 'synthetic-esme'"):
            open_bench(config, twin.clock, CallSets())


def test_what_was_opened_before_something_failed_is_given_back() -> None:
    with opened() as (twin, bench):
        bench.close()

        class Gpio(type(twin.world.gpio)):  # type: ignore[misc]
            def setup(self, channel: int, direction: int, *, initial: int | None = None) -> None:
                if channel == 22:
                    raise RuntimeError("the third relay has no line")
                super().setup(channel, direction, initial=initial)

        gpio = Gpio(twin.world._drive)
        with pytest.raises(BenchError, match="relay K3: GPIO 22 cannot be set up: the third relay has no line"):
            open_bench(twin.config, twin.clock, replace(twin.call_sets, gpio=gpio))
        assert gpio._outputs == {17}, "the mains contactor's line is kept driven"
        open_bench(twin.config, twin.clock, twin.call_sets).close()


def test_closing_goes_on_when_one_part_fails() -> None:
    with opened() as (twin, bench):

        def fail() -> None:
            raise LinkError("cannot close")

        bench.meter.close = fail  # type: ignore[method-assign]
        with pytest.raises(LinkError, match="cannot close"):
            bench.close()
        open_bench(twin.config, twin.clock, twin.call_sets).close()
        del bench.meter.close


# -- the safe state ------------------------------------------------------------------------------------------------


def ended(twin: Twin, bench: Bench) -> dict[str, Check]:
    """The bench feeds the hub from its meter, the supply is set; then it is made safe."""
    watch = Watch(twin.config, bench.sense, twin.clock)
    watch.start()
    bench.relays.set("mains", True)
    bench.relays.arm()
    twin.clock.sleep(1.0)
    bench.relays.set("meter-feed", True)
    assert watch.wait_state("up", 5.0)
    checks = make_safe(bench, lambda timeout_s: watch.wait_state("down", timeout_s))
    watch.stop()
    return {check.what: check for check in checks}


SUPPLY, RAIL = "supply psu off", "rail discharged"


def test_the_safe_state_is_output_off_feeds_open_rail_down_and_mains_as_it_is() -> None:
    with opened() as (twin, bench):
        checks = ended(twin, bench)
        assert {check.what: check.proven for check in checks.values()} == {
            SUPPLY: True,
            "relay K1": True,
            "relay K2": True,
            "relay K3": True,
            RAIL: True,
        }
        assert checks["relay K1"].found == "stays as it is"
        assert checks[RAIL].found == "below 5.5 V"
        assert contacts(twin) == {"mains": True, "meter-feed": False, "supply-feed": False}


@pytest.mark.parametrize(
    ("fault", "unproven"),
    [
        ("supply-dead", {SUPPLY}),
        ("supply-silent", {SUPPLY}),
        ("rail-down-stuck-low", {RAIL}),
    ],
)
def test_what_could_not_be_read_back_is_not_called_safe(fault: str, unproven: set[str]) -> None:
    with opened() as (twin, bench):
        parse(fault).act(twin)
        checks = ended(twin, bench)
        assert {check.what for check in checks.values() if not check.proven} == unproven
        assert contacts(twin)["meter-feed"] is False, "the rest was made safe all the same"


@pytest.mark.parametrize(
    ("role", "how", "unproven"),
    [
        ("meter-feed", "contact", {RAIL}),
        ("meter-feed", "line", {"relay K2", RAIL}),
        ("supply-feed", "line", {"relay K3"}),
    ],
)
def test_a_stuck_relay_is_not_called_safe(role: RelayRole, how: str, unproven: set[str]) -> None:
    with opened() as (twin, bench):
        if role == "meter-feed":
            twin.after(3.0, lambda: _stick(twin, role, how))
        watch = Watch(twin.config, bench.sense, twin.clock)
        watch.start()
        bench.relays.set("mains", True)
        bench.relays.arm()
        twin.clock.sleep(1.0)
        feed: RelayRole = "meter-feed" if role == "meter-feed" else "supply-feed"
        bench.relays.set(feed, True)
        twin.clock.sleep(4.0)
        if role == "supply-feed":
            _stick(twin, role, how)
        checks = make_safe(bench, lambda timeout_s: watch.wait_state("down", timeout_s))
        watch.stop()
        assert {check.what for check in checks if not check.proven} == unproven


def _stick(twin: Twin, role: RelayRole, how: str) -> None:
    if how == "contact":
        twin.contact(role).stick(True)
    else:
        twin.stick_line(role, 1)


def test_a_watch_that_fails_leaves_the_rail_unproven() -> None:
    with opened() as (_, bench):

        def fail(_: float) -> bool:
            raise OSError(19, "No such device")

        checks = {check.what: check for check in make_safe(bench, fail)}
        assert not checks[RAIL].proven
        assert "No such device" in checks[RAIL].found
        assert checks[SUPPLY].proven


def test_an_output_that_reads_on_is_not_called_off() -> None:
    with opened() as (_, bench):
        bench.supply.make_safe = lambda: SupplyReading(12.0, 0.1, "CV", True, False)  # type: ignore[method-assign]
        checks = {check.what: check for check in make_safe(bench, lambda _: True)}
        assert not checks[SUPPLY].proven
        assert checks[SUPPLY].found == "output reads on"


def test_trouble_of_the_test_harness_is_never_a_result() -> None:
    with opened() as (_, bench):

        def fail(_: float) -> bool:
            raise HarnessError("the machine is too slow")

        with pytest.raises(HarnessError):
            make_safe(bench, fail)


def test_a_supply_with_another_serial_number_is_not_switched_off_and_proves_nothing() -> None:
    twin = Twin([firmware.load("cut-45s")], depth=120_000)
    config = twin.config
    supply = config.supply[0].model_copy(update={"serial": "DP8A000001"})
    strange = config.model_copy(update={"supply": (supply,)})
    try:
        bench = open_bench(config, twin.clock, twin.call_sets)
        bench.supply.apply(bench.supply_settings())
        bench.supply.output(True)
        bench.close()
        bench = open_bench(strange, twin.clock, twin.call_sets)
        safe = {check.what: check for check in make_safe(bench, lambda _: True)}
        bench.close()
        assert not safe[SUPPLY].proven
        assert "this is not the instrument of the bench file" in safe[SUPPLY].found
        assert "expected DP8A000001" in safe[SUPPLY].found
        bench = open_bench(config, twin.clock, twin.call_sets)
        assert bench.supply.read().output_on, "it belongs to somebody else"
        bench.close()
    finally:
        twin.close()
