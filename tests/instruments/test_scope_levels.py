"""Polled levels of every family: new when shown to be new, else unknown."""

from __future__ import annotations

import pytest

from rig.errors import Refused
from rig.instruments.scopes.deep import LOOKS
from tests.instruments.scope_families import WANTED, Family, Pairs, S, W
from tests.instruments.test_scope_families import arming, configuring, device, every, standing
from tests.transcript import transcript


def polling(family: Family, codes: bytes) -> Pairs:
    record = (
        *(family.choosing_look or family.choosing),
        *family.meaning,
        *family.fetching(codes),
        *family.meaning,
        *family.looks[S],
    )
    poll = (*family.looks[S], *family.starting, *family.looks[W], *family.forcing, *family.looks[S])
    return (*configuring(family), *poll, *record, *standing(family))


@every
def test_a_level_is_new_when_it_waited_after_arming_and_stopped_after_forcing(family: Family):
    with transcript(*polling(family, bytes([128, 130] * (family.points // 2)))) as link:
        scope = device(family, link)
        scope.configure(WANTED)
        level = scope.level()
    assert level is not None
    factor = 256 if family.wide else 1
    zero = (family.zero_code + 32768) / 256 if family.wide else family.zero_code
    assert level.low_v == pytest.approx((128 - zero) * family.volts_per_code * factor, abs=1e-3)
    assert level.high_v == pytest.approx((130 - zero) * family.volts_per_code * factor, abs=1e-3)
    assert level.to_ns - level.from_ns >= family.real.window_s * 1e9


@every
@pytest.mark.parametrize("code", [0, 255])
def test_a_level_that_is_clipped_is_unknown(family: Family, code: int):
    codes = bytes([128] * (family.points - 1) + [code])
    with transcript(*polling(family, codes)) as link:
        scope = device(family, link)
        scope.configure(WANTED)
        level = scope.level()
    assert level is None or (family.wide and code == 255)  # 0xFF00 is not the greatest of 12 bits


@every
def test_a_stopped_one_repeats_its_last_level_for_ever_and_it_is_unknown(family: Family):
    """It takes every command, and stays as it is."""
    before = (*configuring(family), *family.looks[S], *family.starting)
    looks = family.looks[S] * 1000
    with transcript(*before, *looks) as link:
        scope = device(family, link)
        scope.configure(WANTED)
        link._pairs[len(before) + _looks_until(family) :] = [*family.looks[S], *family.halting, *family.looks[S]]
        assert scope.level() is None


@every
def test_one_that_never_stops_gives_no_level(family: Family):
    before = (*configuring(family), *family.looks[S], *family.starting, *family.looks[W], *family.forcing)
    looks = family.looks[W] * 1000
    with transcript(*before, *looks) as link:
        scope = device(family, link)
        scope.configure(WANTED)
        link._pairs[len(before) + _looks_until(family) :] = [*family.looks[W], *family.halting, *family.looks[S]]
        assert scope.level() is None


def _looks_until(family: Family) -> int:
    """Pairs of the looks until a poll of such a long window gives up."""
    return len(family.looks[S]) * (LOOKS + 1)


@every
def test_one_that_is_armed_for_a_capture_is_not_polled(family: Family):
    with transcript(*configuring(family), *arming(family)) as link:
        scope = device(family, link)
        scope.configure(WANTED)
        scope.arm()
        with pytest.raises(Refused, match="never both"):
            scope.level()
