"""The twin's meter: mains, boot, image slot, activation, and every packaged behaviour."""

from __future__ import annotations

import hashlib
import math

import pytest

from rig import firmware
from rig.clock import NS
from rig.clock.virtual import VirtualClock
from rig.firmware import Behaviour
from rig.twin.meter import BOOT_S, FEED_S, HOLD_S, SLOT_BYTES, VERIFY_S, ImageCode, KnownImage, TwinMeter

IMAGE = b"an image" * 100
HASH = hashlib.sha256(IMAGE).digest()
OTHER = b"another image"
CUT = Behaviour(feed=((3.0, 0.0), (48.0, 12.0)), version_after="to", version_changes_at_s=53.0, silent=((2.0, 53.0),))


class Bench:
    """A meter, and what its 12 V did: (seconds, volts)."""

    def __init__(self, behaviour: Behaviour = CUT, image: bytes = IMAGE) -> None:
        self.clock = VirtualClock()
        self.start = self.clock.now()
        self.feeds: list[tuple[float, float | None]] = []
        known = {hashlib.sha256(data).hexdigest(): KnownImage("1.1.0", behaviour) for data in (image, OTHER)}
        self.meter = TwinMeter(self.clock, self._feed, known, "1.0.0")
        self.image = image

    def _feed(self, volts: float | None) -> None:
        self.feeds.append((self.now_s(), volts))

    def now_s(self) -> float:
        return (self.clock.now() - self.start) / NS

    def booted(self) -> TwinMeter:
        self.meter.mains(True)
        self.clock.sleep(BOOT_S)
        return self.meter

    def verified(self) -> TwinMeter:
        meter = self.booted()
        meter.write_image(0, self.image)
        meter.verify(len(self.image), hashlib.sha256(self.image).digest())
        self.clock.sleep(VERIFY_S)
        assert meter.image_code is ImageCode.VERIFIED
        self.feeds.clear()
        self.start = self.clock.now()
        return meter

    def activated(self) -> TwinMeter:
        meter = self.verified()
        meter.activate(hashlib.sha256(self.image).digest())
        return meter


# -- mains -----------------------------------------------------------------------------------------------------------


def test_with_mains_comes_first_the_12_v_and_then_the_answer() -> None:
    bench = Bench()
    assert bench.meter.ac_lost.level
    bench.meter.mains(True)
    assert not bench.meter.ac_lost.level
    bench.clock.sleep(BOOT_S - 1e-9)
    assert bench.feeds == [(FEED_S, 12.0)]
    assert bench.meter.present.level
    assert not bench.meter.answers
    bench.clock.sleep(1e-9)
    assert bench.meter.answers
    bench.clock.sleep(5.0)
    assert bench.meter.uptime_s() == 5.0


def test_without_mains_the_12_v_lives_as_long_as_it_is_held() -> None:
    bench = Bench()
    meter = bench.booted()
    bench.feeds.clear()
    meter.mains(False)
    meter.mains(False)
    assert meter.ac_lost.level
    bench.clock.sleep(10.0)
    assert bench.feeds == [(BOOT_S + HOLD_S, None)]
    assert not meter.answers
    assert not meter.present.level
    assert meter.uptime_s() == 0.0


def test_a_dip_of_mains_shorter_than_the_hold_changes_nothing() -> None:
    bench = Bench()
    meter = bench.activated()
    bench.clock.sleep(1.0)
    for _ in range(3):
        meter.mains(False)
        bench.clock.sleep(HOLD_S * 0.9)
        meter.mains(True)
        bench.clock.sleep(HOLD_S * 0.9)
    bench.clock.sleep(100.0)
    assert bench.feeds == [(3.0, None), (48.0, 12.0)]
    assert meter.version == "1.1.0"


def test_mains_lost_while_it_boots_means_booting_anew() -> None:
    bench = Bench()
    bench.meter.mains(True)
    bench.clock.sleep(BOOT_S / 2)
    bench.meter.mains(False)
    bench.clock.sleep(BOOT_S)
    assert not bench.meter.answers
    bench.meter.mains(True)
    bench.clock.sleep(BOOT_S - 1e-9)
    assert not bench.meter.answers
    bench.clock.sleep(1e-9)
    assert bench.meter.answers
    assert [volts for _, volts in bench.feeds] == [12.0, None, 12.0]


def lose_mains(bench: Bench, seconds: float = 60.0) -> None:
    bench.meter.mains(False)
    bench.clock.sleep(seconds)
    bench.meter.mains(True)
    bench.clock.sleep(BOOT_S)


def test_mains_lost_in_the_transfer_loses_the_image() -> None:
    bench = Bench()
    meter = bench.booted()
    meter.write_image(0, IMAGE)
    lose_mains(bench)
    assert meter.image_code is ImageCode.NONE
    meter.verify(len(IMAGE), HASH)
    bench.clock.sleep(VERIFY_S)
    assert meter.image_code is ImageCode.REJECTED


def test_mains_lost_in_the_verification_loses_the_image() -> None:
    bench = Bench()
    meter = bench.booted()
    meter.write_image(0, IMAGE)
    meter.verify(len(IMAGE), HASH)
    bench.clock.sleep(VERIFY_S / 2)
    lose_mains(bench)
    assert meter.image_code is ImageCode.NONE
    meter.activate(HASH)
    assert meter.image_code is ImageCode.FAILED


def test_a_verified_image_survives_a_loss_of_mains() -> None:
    bench = Bench()
    meter = bench.verified()
    lose_mains(bench)
    assert meter.image_code is ImageCode.VERIFIED
    meter.activate(HASH)
    assert meter.image_code is ImageCode.ACTIVATING


def test_mains_lost_in_the_activation_boots_the_old_image_and_keeps_the_new_one_pending() -> None:
    bench = Bench()
    meter = bench.activated()
    bench.clock.sleep(10.0)
    lose_mains(bench, 60.0)
    bench.clock.sleep(600.0)
    back_s = 10.0 + 60.0 + FEED_S
    assert bench.feeds == [(3.0, None), (10.0 + HOLD_S, None), (back_s, 12.0)]
    assert (meter.version, meter.image_code) == ("1.0.0", ImageCode.VERIFIED)
    assert meter.answers
    meter.activate(HASH)
    bench.clock.sleep(60.0)
    assert meter.version == "1.1.0"


def test_mains_lost_after_the_new_version_ran_boots_the_new_one() -> None:
    bench = Bench()
    meter = bench.activated()
    bench.clock.sleep(60.0)
    lose_mains(bench)
    assert (meter.version, meter.image_code) == ("1.1.0", ImageCode.ACTIVATED)


# -- image -----------------------------------------------------------------------------------------------------------


def test_an_image_sent_in_parts_is_verified() -> None:
    bench = Bench()
    meter = bench.booted()
    for at in range(0, len(IMAGE), 200):
        assert meter.write_image(at, IMAGE[at : at + 200])
    assert meter.image_code is ImageCode.TRANSFERRING
    meter.verify(len(IMAGE), HASH)
    assert meter.image_code is ImageCode.VERIFYING
    bench.clock.sleep(VERIFY_S)
    assert meter.image_code is ImageCode.VERIFIED


@pytest.mark.parametrize(
    ("size", "image_hash"), [(len(IMAGE) - 1, HASH), (len(IMAGE), hashlib.sha256(OTHER).digest()), (0, HASH)]
)
def test_a_wrong_size_or_hash_is_rejected(size: int, image_hash: bytes) -> None:
    bench = Bench()
    meter = bench.booted()
    meter.write_image(0, IMAGE)
    meter.verify(size, image_hash)
    bench.clock.sleep(VERIFY_S)
    assert meter.image_code is ImageCode.REJECTED


def test_a_part_outside_the_slot_is_refused() -> None:
    meter = Bench().booted()
    assert meter.write_image(SLOT_BYTES - 2, b"ok")
    assert not meter.write_image(SLOT_BYTES - 2, b"too")


# -- activation --------------------------------------------------------------------------------------------------------


def test_an_activation_follows_its_fixture() -> None:
    bench = Bench()
    meter = bench.activated()
    told: list[tuple[float, bool, str, ImageCode]] = []
    for _ in range(60):
        told.append((bench.now_s(), meter.answers, meter.version, meter.image_code))
        bench.clock.sleep(1.0)
    assert bench.feeds == [(3.0, None), (48.0, 12.0)]
    assert {at for at, answers, _, _ in told if not answers} == set(range(2, 53))
    assert {at for at, _, version, _ in told if version == "1.1.0"} == set(range(53, 60))
    assert {code for at, _, _, code in told if at < 53} == {ImageCode.ACTIVATING}
    assert {code for at, _, _, code in told if at >= 53} == {ImageCode.ACTIVATED}


def test_the_up_time_falls_on_a_reboot() -> None:
    bench = Bench()
    meter = bench.activated()
    before = meter.uptime_s()
    bench.clock.sleep(60.0)
    assert before >= VERIFY_S
    assert meter.uptime_s() == pytest.approx(7.0)


@pytest.mark.parametrize("named", [HASH, hashlib.sha256(OTHER).digest(), bytes(32)])
def test_an_image_that_was_never_verified_is_not_activated(named: bytes) -> None:
    bench = Bench()
    meter = bench.booted()
    meter.write_image(0, IMAGE)
    meter.activate(named)
    bench.clock.sleep(600.0)
    assert (meter.version, meter.image_code) == ("1.0.0", ImageCode.FAILED)
    assert [volts for _, volts in bench.feeds] == [12.0]


@pytest.mark.parametrize("named", [hashlib.sha256(OTHER).digest(), bytes(32)])
def test_another_hash_than_that_of_the_verified_image_is_refused(named: bytes) -> None:
    bench = Bench()
    meter = bench.verified()
    meter.activate(named)
    bench.clock.sleep(600.0)
    assert (meter.version, meter.image_code, bench.feeds) == ("1.0.0", ImageCode.FAILED, [])
    meter.activate(HASH)
    assert meter.image_code is ImageCode.ACTIVATING


def test_a_part_sent_after_the_verification_makes_it_void() -> None:
    meter = Bench().verified()
    meter.write_image(4, b"!")
    meter.activate(HASH)
    assert meter.image_code is ImageCode.FAILED


def test_who_listens_is_told_of_the_activation_and_of_no_refusal() -> None:
    bench = Bench()
    meter = bench.verified()
    told: list[float] = []
    meter.on_activate = lambda: told.append(bench.now_s())
    meter.activate(bytes(32))
    bench.clock.sleep(2.0)
    meter.activate(HASH)
    assert told == [2.0]


def test_silent_stretches_may_overlap() -> None:
    behaviour = Behaviour(version_after="from", silent=((1.0, 10.0), (5.0, 20.0), (20.0, 25.0), (30.0, 31.0)))
    bench = Bench(behaviour)
    meter = bench.activated()
    silent = set()
    for _ in range(40):
        if not meter.answers:
            silent.add(bench.now_s())
        bench.clock.sleep(1.0)
    assert silent == {*range(1, 25), 30}


def test_a_meter_that_is_silent_for_ever_answers_after_its_mains_was_away() -> None:
    bench = Bench(Behaviour(feed=((3.0, 0.0),), version_after="from", silent=((2.0, math.inf),)))
    meter = bench.activated()
    bench.clock.sleep(86_400.0)
    assert not meter.answers
    lose_mains(bench)
    assert meter.answers


def test_a_failed_activation_says_so_when_the_old_image_runs_again_for_good() -> None:
    feed = ((3.0, 0.0), (48.0, 12.0), (68.0, 0.0), (113.0, 12.0))
    bench = Bench(Behaviour(feed=feed, version_after="from", silent=((2.0, 53.0), (67.0, 118.0))))
    meter = bench.activated()
    bench.clock.sleep(118.0 - 1e-9)
    assert meter.image_code is ImageCode.ACTIVATING
    bench.clock.sleep(1e-9)
    assert (meter.version, meter.image_code) == ("1.0.0", ImageCode.FAILED)


@pytest.mark.parametrize("name", firmware.names())
def test_every_packaged_behaviour_gives_the_feed_the_silence_and_the_version_of_its_manifest(name: str) -> None:
    fixture = firmware.load(name)
    behaviour = fixture.behaviour
    assert behaviour is not None
    bench = Bench(behaviour, fixture.image_bytes())
    if not behaviour.accepts_image:
        meter = bench.booted()
        meter.write_image(0, bench.image)
        meter.verify(len(bench.image), hashlib.sha256(bench.image).digest())
        bench.clock.sleep(VERIFY_S)
        assert meter.image_code is ImageCode.REJECTED
        return
    meter = bench.activated()
    wrong: list[float] = []
    while bench.now_s() < 3000.0:
        at_s = bench.now_s()
        if meter.answers == behaviour.is_silent(at_s):
            wrong.append(at_s)
        bench.clock.sleep(0.5)
    assert wrong == []
    assert bench.feeds == [(at_s, volts or None) for at_s, volts in behaviour.feed_steps()]
    assert meter.version == ("1.1.0" if behaviour.version_after == "to" else "1.0.0")
