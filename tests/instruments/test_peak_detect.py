"""Peak detect against strict transcripts: least and greatest become bins, and what is no record of it is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, Refused
from rig.instruments.catalogue import OSCILLOSCOPES
from rig.instruments.ports import Capture
from rig.instruments.scopes.record import bins_of
from tests.instruments.more_scope_families import FAMILIES, TEKTRONIX
from tests.instruments.scope_families import KEYSIGHT, WANTED, Family, Pairs, S, T, W, changed
from tests.instruments.test_scope_families import arming, configuring, device, reading
from tests.transcript import transcript

PEAK = replace(WANTED, peak=True)


def with_peak(family: Family) -> Family:
    """The same family with the words of its guide for peak detect."""
    if family is TEKTRONIX:
        setting_up = tuple(
            {"ACQ:MOD SAM": ("ACQ:MOD PEAK", None), "ACQ:MOD?": ("ACQ:MOD?", "PEAKDETECT")}.get(sent, (sent, back))
            for sent, back in family.setting_up
        )
        return replace(family, setting_up=setting_up, meaning=(*family.meaning, ("WFMO:PT_FMT?", "ENV")))
    setting_up = tuple(
        {":ACQ:TYPE NORM": (":ACQ:TYPE PEAK", None), ":ACQ:TYPE?": (":ACQ:TYPE?", "PEAK")}.get(sent, (sent, back))
        for sent, back in family.setting_up
    )
    ((question, preamble),) = family.meaning
    assert isinstance(preamble, str)
    return replace(family, setting_up=setting_up, meaning=((question, preamble.replace("+0,+0,", "+0,+1,", 1)),))


ABLE = [with_peak(KEYSIGHT), with_peak(TEKTRONIX)]
able = pytest.mark.parametrize("family", ABLE, ids=lambda family: family.name)


def captured(family: Family, codes: bytes, reads: Pairs | None = None) -> Capture:
    """Set up, armed, followed and read. `reads`: from the look that says it is over."""
    states = (*family.looks[W], *family.looks[T])
    said = reading(family, codes) if reads is None else reads
    with transcript(*configuring(family), *arming(family), *states, *said) as link:
        clock = VirtualClock()
        scope = device(family, link, clock)
        assert scope.configure(PEAK).peak
        scope.arm()
        scope.state()
        scope.state()
        clock.sleep(family.real.window_s)
        try:
            return scope.read()
        except LinkError:
            link.give_up()
            raise


@able
def test_the_least_and_the_greatest_of_each_bin_are_read_as_such(family: Family) -> None:
    codes = bytes([198, 203] * (family.points // 2 - 2) + [20, 203] + [198, 198])
    found = captured(family, codes)
    low, high = found.extremes
    assert low.tolist() == [198] * (family.points // 2 - 2) + [20, 198]
    assert high.tolist() == [203] * (family.points // 2 - 1) + [198]
    assert found.points == family.points
    assert found.dt_s == pytest.approx(2 * family.real.window_s / family.points, rel=1e-4)
    assert found.first_s == pytest.approx(-2.0, abs=1e-6)
    assert found.dt_s < found.trigger_error_s < 2 * found.dt_s


@able
def test_a_record_whose_pairs_begin_one_value_too_late_is_an_error(family: Family) -> None:
    with pytest.raises(LinkError, match="not one of peak detect") as caught:
        captured(family, bytes([203, 198] * (family.points // 2)))
    assert caught.value.where.found == "pair 0: 203, 198"


def test_a_keysight_that_counts_pairs_is_read_all_the_same() -> None:
    """Its guide can be read both ways; the window tells, and the block must have so many bytes."""
    family = ABLE[0]
    ((question, preamble),) = family.meaning
    pairs = replace(family, meaning=((question, str(preamble).replace("+10000,", "+5000,")),))
    codes = bytes([198, 203] * (family.points // 2))
    assert captured(pairs, codes).points == family.points
    with pytest.raises(LinkError, match="wrong number of points"):
        captured(pairs, codes[:5000])


@pytest.mark.parametrize(
    ("family", "question", "says"),
    [
        (ABLE[0], ":WAV:PRE?", str(KEYSIGHT.meaning[0][1])),
        (ABLE[1], "WFMO:PT_FMT?", "Y"),
    ],
    ids=["keysight-infiniivision", "tektronix-tbs-mso"],
)
def test_a_record_that_says_it_is_one_of_samples_is_an_error(family: Family, question: str, says: str) -> None:
    meaning = changed(family.meaning, question, says)
    with pytest.raises(LinkError):
        captured(family, b"", (*family.looks[S], *family.triggered, *family.choosing, *meaning))


@able
def test_a_level_is_not_polled_with_peak_detect(family: Family) -> None:
    with transcript(*configuring(family)) as link:
        scope = device(family, link)
        scope.configure(PEAK)
        with pytest.raises(Refused, match="captures or it polls"):
            scope.level()


def test_a_keysight_has_none_at_a_fast_time_base_and_nothing_is_sent() -> None:
    short = replace(PEAK, window_s=0.002, pre_s=0.001, depth=1000)
    with transcript(KEYSIGHT.identifying) as link, pytest.raises(Refused, match="so short a window") as caught:
        device(KEYSIGHT, link).configure(short)
    assert caught.value.where.expected == "0.005 s or more"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_whose_guide_does_not_tell_refuses_it_and_nothing_is_sent(family: Family) -> None:
    """And the list of drivers, which the bench file is checked against, says the same."""
    facts = next(facts for name, facts in OSCILLOSCOPES.items() if name == family.name)
    with transcript(family.identifying) as link:
        scope = device(family, link)
        if facts.peak_detect:
            assert scope.plan(PEAK).peak
        else:
            with pytest.raises(Refused, match="no guide was found"):
                scope.plan(PEAK)


def test_codes_of_sixteen_bits_are_no_other_matter() -> None:
    wide = Capture(np.array([-5, 7, -9, -9], np.int16), 0.5, 0.0, 1e-3, 0.0, -9, 9, 0.0, 0.0, 0.0, 0.0)
    low, high = bins_of("scope", wide).extremes
    assert (low.tolist(), high.tolist()) == ([-5, -9], [7, -9])
