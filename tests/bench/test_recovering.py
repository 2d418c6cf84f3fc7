"""Instruments whose link breaks and comes back: asked again once, given their settings again, never others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rig.bench.recovering import Recoveries, RecoveringOscilloscope, RecoveringSupply
from rig.clock.virtual import VirtualClock
from rig.errors import BenchError, LinkError, LinkTimeout
from rig.instruments.ports import CaptureSettings, Identity, SupplySettings

SETTINGS = SupplySettings(12.0, 1.5, 13.2, 2.0)
CAPTURE = CaptureSettings(600.0, 6.0, 12_000_000, 16.0, -1.0, 8.0)


def is_ours(who: Identity) -> None:
    if who != "identify":
        raise BenchError("this is not the instrument of the bench file")


class Device:
    """A driver and its link in one: `breaks` says how often the next calls fail, and whether the link is gone then."""

    name = "device"

    def __init__(self) -> None:
        self.openings, self.is_open = 1, True
        self.breaks: list[LinkError] = []
        self.wrong = False
        self.did: list[str] = []
        self.given = CAPTURE
        self.who = "identify"

    def _call(self, what: str, result: Any = None) -> Any:
        if self.breaks:
            self.is_open = False
            raise self.breaks.pop(0)
        if not self.is_open:
            self.is_open, self.openings = True, self.openings + 1
        if self.wrong:
            raise LinkError("wrong reply")
        self.did.append(what)
        return result

    def apply(self, settings: SupplySettings) -> None:
        self._call("apply")

    def output(self, on: bool) -> None:
        self._call(f"output {on}")

    def configure(self, settings: CaptureSettings) -> CaptureSettings:
        self._call("configure")
        return self.given

    def __getattr__(self, name: str) -> Callable[[], Any]:
        return lambda *_: self._call(name, self.who if name == "identify" else name)


def supply() -> tuple[RecoveringSupply, Device, Recoveries]:
    device, found = Device(), Recoveries(VirtualClock())
    psu = RecoveringSupply(device, device, found, is_ours)  # type: ignore[arg-type]
    psu.identify()
    device.did.clear()
    return psu, device, found


def scope() -> tuple[RecoveringOscilloscope, Device, Recoveries]:
    device, found = Device(), Recoveries(VirtualClock())
    it = RecoveringOscilloscope(device, device, found, is_ours)  # type: ignore[arg-type]
    it.identify()
    device.did.clear()
    return it, device, found


@pytest.mark.parametrize("what", ["identify", "read", "clear", "make_safe"])
def test_a_supply_whose_link_broke_is_asked_again_and_that_is_kept(what: str) -> None:
    psu, device, found = supply()
    device.breaks = [LinkTimeout("silence")]
    assert getattr(psu, what)() == what
    assert [(back.name, back.why) for back in found.since(0)] == [("device", "silence")]


def test_a_link_that_breaks_twice_is_told() -> None:
    psu, device, found = supply()
    device.breaks = [LinkError("gone"), LinkError("still gone")]
    with pytest.raises(LinkError, match="still gone"):
        psu.make_safe()
    assert not found.since(0)


def test_an_instrument_that_answers_wrongly_is_not_asked_again() -> None:
    psu, device, _ = supply()
    device.wrong = True
    with pytest.raises(LinkError, match="wrong reply"):
        psu.read()
    assert device.openings == 1


def test_an_output_goes_on_only_after_a_supply_that_was_away_got_its_settings_again() -> None:
    psu, device, _ = supply()
    psu.apply(SETTINGS)
    psu.output(True)
    device.breaks = [LinkError("gone")]
    psu.read()
    psu.output(False)
    psu.output(True)
    psu.output(True)
    assert device.did == ["apply", "output True", "read", "output False", "apply", "output True", "output True"]


def test_a_link_that_breaks_while_the_output_goes_on_gives_the_settings_before_it_is_tried_again() -> None:
    psu, device, _ = supply()
    psu.apply(SETTINGS)
    device.breaks = [LinkError("gone")]
    psu.output(True)
    assert device.did == ["apply", "apply", "output True"]


def test_a_trigger_is_armed_only_after_an_oscilloscope_that_was_away_got_its_settings_again() -> None:
    it, device, _ = scope()
    it.configure(CAPTURE)
    it.arm()
    device.breaks = [LinkError("gone")]
    it.make_safe()
    it.arm()
    assert device.did == ["configure", "arm", "make_safe", "configure", "arm"]


def test_settings_that_come_out_otherwise_the_second_time_are_an_error() -> None:
    it, device, _ = scope()
    it.configure(CAPTURE)
    device.breaks = [LinkError("gone")]
    it.make_safe()
    device.given = CaptureSettings(1200.0, 6.0, 12_000_000, 16.0, -1.0, 8.0)
    with pytest.raises(LinkError, match="its settings are not what they were"):
        it.arm()
    assert "arm" not in device.did


def test_the_state_of_a_trigger_is_asked_once() -> None:
    it, device, _ = scope()
    device.breaks = [LinkError("gone")]
    with pytest.raises(LinkError, match="gone"):
        it.state()


SUPPLY_CALLS: list[Callable[[RecoveringSupply], object]] = [
    lambda psu: psu.apply(SETTINGS),
    lambda psu: psu.output(False),
    lambda psu: psu.read(),
    lambda psu: psu.clear(),
    lambda psu: psu.make_safe(),
]
SCOPE_CALLS: list[Callable[[RecoveringOscilloscope], object]] = [
    lambda it: it.plan(CAPTURE),
    lambda it: it.configure(CAPTURE),
    lambda it: it.arm(),
    lambda it: it.read(),
    lambda it: it.level(),
    lambda it: it.make_safe(),
]


@pytest.mark.parametrize("call", SUPPLY_CALLS)
def test_a_supply_that_is_not_the_bench_files_is_asked_who_it_is_and_nothing_else(
    call: Callable[[RecoveringSupply], object],
) -> None:
    device = Device()
    device.who = "a stranger"
    psu = RecoveringSupply(device, device, Recoveries(VirtualClock()), is_ours)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(BenchError, match="not the instrument of the bench file"):
            call(psu)
    assert set(device.did) == {"identify"}


@pytest.mark.parametrize("call", SCOPE_CALLS)
def test_an_oscilloscope_that_is_not_the_bench_files_is_asked_who_it_is_and_nothing_else(
    call: Callable[[RecoveringOscilloscope], object],
) -> None:
    device = Device()
    device.who = "a stranger"
    it = RecoveringOscilloscope(device, device, Recoveries(VirtualClock()), is_ours)  # type: ignore[arg-type]
    with pytest.raises(BenchError, match="not the instrument of the bench file"):
        call(it)
    assert set(device.did) == {"identify"}


def test_a_supply_whose_driver_does_not_know_it_is_never_told_off() -> None:
    device = Device()
    psu = RecoveringSupply(device, device, Recoveries(VirtualClock()), is_ours)  # type: ignore[arg-type]
    device.wrong = True
    with pytest.raises(LinkError, match="wrong reply"):
        psu.make_safe()
    assert device.did == []


def test_who_answers_is_asked_once_and_again_where_it_was_another() -> None:
    device = Device()
    device.who = "a stranger"
    psu = RecoveringSupply(device, device, Recoveries(VirtualClock()), is_ours)  # type: ignore[arg-type]
    assert psu.identify() == "a stranger"
    device.who = "identify"
    psu.identify()
    psu.make_safe()
    psu.read()
    assert device.did == ["identify", "identify", "make_safe", "read"]
