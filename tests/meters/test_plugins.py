"""Meters that other packages drive: the one in the documentation, run as it stands there, and ones that misbehave."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from rig.clock.virtual import VirtualClock
from rig.errors import InputError, LinkError, LinkTimeout
from rig.firmware import Behaviour
from rig.meters import plugins
from rig.meters.credentials import Credentials
from rig.meters.plugins import open_plugin
from rig.meters.port import Activation, ImageState, Meter, MeterIdentity
from rig.twin.meter import BOOT_S, KnownImage, TwinMeter
from tests.meters.acme import PASSWORD, Console, blocks, install

IMAGE = bytes(range(256)) * 10
HASH = hashlib.sha256(IMAGE).digest()
KNOWN = Credentials(None, {"RIG_METER_ACME": PASSWORD})


def test_the_page_shows_a_whole_plug_in_in_under_60_lines() -> None:
    assert len(blocks("python")) == 1
    assert blocks("python")[0].count("\n") < 60


class Lab:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        behaviour = Behaviour(version_after="to", version_changes_at_s=53.0, silent=((2.0, 53.0),))
        self.device = TwinMeter(self.clock, lambda _: None, {HASH.hex(): KnownImage("1.1.0", behaviour)}, "1.0.0")
        self.console = Console(self.device, self.clock, threading.RLock())
        self.device.mains(True)
        self.clock.sleep(BOOT_S)

    def open(self, known: Credentials = KNOWN) -> Meter:
        settings = {"host": self.console.host, "port": self.console.port}
        return open_plugin("acme", settings, self.clock, known)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    install(tmp_path, monkeypatch)
    it = Lab()
    yield it
    it.console.close()


def test_the_plug_in_of_the_page_does_every_step(lab: Lab) -> None:
    meter = lab.open()
    assert meter.abilities.transfer
    assert meter.identity() == MeterIdentity("Acme", "SM-ESME-1", "SM0000001")
    assert meter.version() == "1.0.0"
    told: list[int] = []
    meter.transfer(IMAGE, lambda done, _: told.append(done))
    assert told[-1] == len(IMAGE)
    assert meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED
    now = lab.clock.now()
    assert meter.activate(HASH, len(IMAGE)) == Activation(now, now)
    assert meter.uptime_s() is None
    assert meter.events() == ()
    lab.clock.sleep(10.0)
    with pytest.raises(LinkTimeout, match="meter: VERSION: no answer within 2 s"):
        meter.version()
    lab.clock.sleep(60.0)
    assert meter.version() == "1.1.0"
    assert meter.image_state() is ImageState.ACTIVATED
    meter.close()
    meter.close()


def test_its_link_may_break_at_any_time(lab: Lab) -> None:
    meter = lab.open()
    assert meter.version() == "1.0.0"
    lab.console.unplug()
    for _ in range(2):
        with pytest.raises(LinkError, match=r"meter: VERSION: the link broke \(Connection"):
            meter.version()
    with pytest.raises(LinkError):
        meter.activate(HASH, len(IMAGE))


def test_without_its_credential_nothing_is_opened(lab: Lab) -> None:
    with pytest.raises(InputError, match="needs the credential 'acme'"):
        lab.open(Credentials(None, {}))
    assert lab.console.lines == []


def test_wrong_settings_are_one_line() -> None:
    with pytest.MonkeyPatch.context() as patch:
        use(patch, lambda settings, clock, known: Broken(settings["host"]))
        with pytest.raises(InputError, match="the plug-in cannot be used: KeyError: 'host'") as caught:
            open_plugin("broken", {}, VirtualClock(), KNOWN)
        assert caught.value.where.key == "meter.plugin"


def test_an_unknown_plug_in_is_told_with_the_nearest(lab: Lab) -> None:
    with pytest.raises(InputError, match="no meter plug-in of this name; did you mean 'acme'"):
        open_plugin("acne", {}, lab.clock, KNOWN)


def test_without_any_plug_in_the_group_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: ())
    with pytest.raises(InputError) as caught:
        open_plugin("acme", {}, VirtualClock(), KNOWN)
    assert "an installed package with an entry point in ichis_rig.meters" in caught.value.one_line()


# -- plug-ins that misbehave -----------------------------------------------------------------------------------------


class Broken(Meter):
    """Raises what a plug-in should not, with its password in it."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self._how = how

    def identity(self) -> MeterIdentity:
        raise ZeroDivisionError(f"{self._how} {PASSWORD}")

    def version(self) -> str:
        raise LinkError(f"refused {PASSWORD}")

    def activate(self, image_hash: bytes, size: int) -> Activation:
        raise KeyError(PASSWORD)


def use(patch: pytest.MonkeyPatch, make: object) -> None:
    class Point(EntryPoint):
        def load(self) -> object:
            return make

    patch.setattr(plugins, "entry_points", lambda group: [Point("broken", "x:y", group)])


def test_whatever_a_plug_in_raises_is_a_link_error_without_its_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda *_: Broken("how"))
    meter = open_plugin("broken", {}, VirtualClock(), KNOWN)
    with pytest.raises(LinkError) as caught:
        meter.identity()
    assert caught.value.message == "meter: plug-in 'broken': identity: ZeroDivisionError: how ***"
    with pytest.raises(LinkError) as caught:
        meter.version()
    assert (caught.value.message, str(caught.value)) == ("refused ***", "refused ***")


def test_a_plug_in_that_fails_in_activate_may_have_sent_it_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda *_: Broken("how"))
    sent = open_plugin("broken", {}, VirtualClock(), KNOWN).activate(HASH, 1)
    assert sent.problem == "meter: plug-in 'broken': activate: KeyError: '***'"


def test_what_gives_no_meter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda *_: "a meter")
    with pytest.raises(InputError, match="it gives no meter") as caught:
        open_plugin("broken", {}, VirtualClock(), KNOWN)
    assert (caught.value.where.found, caught.value.where.expected) == ("str", "a rig.meters.port.Meter")
