"""The drivers of oscilloscopes against strict transcripts: one life, told in the words of each family."""

from __future__ import annotations

import numpy as np
import pytest

from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, Refused
from rig.instruments.catalogue import OSCILLOSCOPES, oscilloscope, oscilloscope_driver
from rig.instruments.ports import Capture, Identity, ScopeState
from rig.instruments.scopes.deep import DeepScope
from rig.instruments.scopes.keysight_infiniivision import KeysightInfiniiVision
from rig.instruments.scopes.rohde_rtb import RohdeRTB
from rig.instruments.scpi import parse_identity
from tests.instruments.more_scope_families import FAMILIES, ROHDE
from tests.instruments.scope_families import KEYSIGHT, SCPI, WANTED, F, Family, Pairs, S, T, W, sets
from tests.transcript import Transcript, transcript

every = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def device(family: Family, link: Transcript, clock: VirtualClock | None = None) -> DeepScope:
    return family.driver("scope", link, 1, 10.0, clock or VirtualClock())


def configuring(family: Family) -> Pairs:
    stopping = (*family.looks[S], *family.halting, *family.looks[S])
    return (family.identifying, *family.setting_up, *stopping, *standing(family))


def standing(family: Family) -> Pairs:
    """Every read-back again: at the end of the set-up, and when a record was read."""
    return tuple((q, back) for q, back in family.setting_up if isinstance(back, str) and _lasts(q, back))


def _lasts(question: str, back: str) -> bool:
    return question not in _NO_READ_BACKS and (question, back) != (":TRIG:MODE?", "AUTO")


def arming(family: Family) -> Pairs:
    return (*family.starting, *family.looks[F])


def reading(family: Family, codes: bytes) -> Pairs:
    """From the look that says it is over."""
    record = (*family.choosing, *family.meaning, *family.fetching(codes), *family.meaning, *family.looks[S])
    return (*family.looks[S], *family.triggered, *record, *standing(family))


def a_fall(family: Family) -> bytes:
    """Codes of all values, which fall through the trigger level where time zero is."""
    codes = bytearray(range(256)) * (family.points // 256 + 1)
    zero = round(family.real.pre_s * family.points / family.real.window_s)
    codes[: zero + 1] = bytes([200] * (zero + 1))
    codes[zero + 1 : zero + 9] = bytes([60] * 8)
    return bytes(codes[: family.points])


def captured(family: Family, codes: bytes) -> Capture:
    """A whole life: set up, armed, followed through its states, read."""
    states = (*family.looks[W], *family.looks[T])
    with transcript(*configuring(family), *arming(family), *states, *reading(family, codes)) as link:
        clock = VirtualClock()
        scope = device(family, link, clock)
        assert vars(scope.configure(WANTED)) == pytest.approx(vars(family.real))
        scope.arm()
        assert scope.state() is ScopeState.WAITING
        assert scope.state() is ScopeState.TRIGGERED
        clock.sleep(family.real.window_s)
        return scope.read()


@every
def test_a_capture_is_set_up_armed_followed_and_read_as_codes_with_their_meaning(family: Family):
    codes = a_fall(family)
    found = captured(family, codes)
    expected = np.frombuffer(codes, np.uint8).astype(np.int64)
    if family.wide:
        expected = expected * 256 - 32768
    assert np.array_equal(found.codes, expected)
    assert found.dt_s == pytest.approx(family.real.window_s / family.points, rel=1e-4)
    assert found.first_s == pytest.approx(-2.0, abs=1e-6)
    assert found.volts_per_code == pytest.approx(family.volts_per_code, rel=1e-6)
    assert found.zero_code == pytest.approx(family.zero_code, abs=1e-3)
    assert found.time_base_ppm == family.time_base_ppm
    assert found.offset_error_v == pytest.approx(family.offset_error_v, rel=1e-3)
    assert found.trigger_error_s < 0.2


@every
def test_another_instrument_is_refused(family: Family):
    with (
        transcript(("*IDN?", "RIGOL TECHNOLOGIES,DP832,S1,1.0")) as link,
        pytest.raises(LinkError, match="another instrument"),
    ):
        device(family, link).identify()


@every
def test_half_an_identity_is_an_error(family: Family):
    with transcript(("*IDN?", family.idn.partition(",")[0])) as link, pytest.raises(LinkError):
        device(family, link).identify()


@every
def test_each_instrument_is_recognised_by_its_driver_only(family: Family):
    who = parse_identity("scope", family.idn)
    assert [name for name in OSCILLOSCOPES if oscilloscope(name).recognises(who)] == [family.name]
    assert oscilloscope_driver(Identity("ACME", who.model, "1", "1")) is None


@pytest.mark.parametrize(
    ("maker", "model", "driver"),
    [
        ("RIGOL TECHNOLOGIES", "DHO924S", "rigol-dho800"),
        ("RIGOL TECHNOLOGIES", "DHO1074", None),
        ("KEYSIGHT TECHNOLOGIES", "DSOX1204G", "keysight-infiniivision"),
        ("KEYSIGHT TECHNOLOGIES", "EDUX1052A", "keysight-infiniivision"),
        ("AGILENT TECHNOLOGIES", "MSO-X 2024A", "keysight-infiniivision"),
        ("KEYSIGHT TECHNOLOGIES", "MSO-X 4154A", "keysight-infiniivision"),
        ("KEYSIGHT TECHNOLOGIES", "DSO-X 6004A", None),
        ("Siglent Technologies", "SDS1202X-E", "siglent-sds1000x-e"),
        ("Siglent Technologies", "SDS2354X Plus", "siglent-sds2000x-plus"),
        ("Siglent Technologies", "SDS2354X HD", None),
        ("TEKTRONIX", "TBS2072B", "tektronix-tbs-mso"),
        ("TEKTRONIX", "MSO24", "tektronix-tbs-mso"),
        ("TEKTRONIX", "MSO58", "tektronix-tbs-mso"),
        ("TEKTRONIX", "TDS2024C", None),
        ("Rohde&Schwarz", "RTB2002", "rohde-rtb"),
        ("Rohde&Schwarz", "RTM3004", None),
    ],
)
def test_the_models_of_the_families_are_known_and_no_others(maker: str, model: str, driver: str | None):
    assert oscilloscope_driver(Identity(maker, model, "S1", "1.0")) == driver


@every
def test_every_state_is_understood_in_its_order(family: Family):
    looks = [pair for state in (F, W, T, S) for pair in family.looks[state]]
    with transcript(*looks) as link:
        scope = device(family, link)
        assert [scope.state() for _ in range(4)] == [F, W, T, S]


@every
def test_a_state_that_is_none_is_an_error(family: Family):
    for pairs in (family.free, *family.nonsense):
        if pairs:
            with transcript(*pairs) as link, pytest.raises(LinkError):
                device(family, link).state()


@every
def test_what_the_record_says_against_its_settings_is_an_error(family: Family):
    for bad in family.bad:
        record = (*family.looks[S], *family.triggered, *family.choosing, *bad)
        with transcript(*configuring(family), *arming(family), *family.looks[W], *family.looks[T], *record) as link:
            clock = VirtualClock()
            scope = device(family, link, clock)
            scope.configure(WANTED)
            scope.arm()
            scope.state()
            scope.state()
            clock.sleep(family.real.window_s)
            with pytest.raises(LinkError):
                scope.read()
            link.give_up()


@every
def test_a_block_that_is_not_what_its_header_promises_is_an_error(family: Family):
    codes = a_fall(family)
    whole = reading(family, codes)
    (at, data) = next((n, b) for n, (q, b) in enumerate(whole) if isinstance(b, bytes) and "PRE" not in q)
    for wrong in (data[:-9], data.replace(b"#9", b"#0", 1), b"", data[:20]):
        pairs = (*whole[:at], (whole[at][0], wrong))
        states = (*family.looks[W], *family.looks[T])
        with transcript(*configuring(family), *arming(family), *states, *pairs) as link:
            clock = VirtualClock()
            scope = device(family, link, clock)
            scope.configure(WANTED)
            scope.arm()
            scope.state()
            scope.state()
            clock.sleep(family.real.window_s)
            with pytest.raises(LinkError):
                scope.read()
            link.give_up()


@every
def test_a_set_that_is_not_obeyed_is_an_error(family: Family):
    """Every read-back of the set-up is changed in turn: never is one of them passed over."""
    pairs = (family.identifying, *family.setting_up)
    backs = [n for n, (q, back) in enumerate(pairs) if n and isinstance(back, str) and _is_read_back(q)]
    assert len(backs) > 15
    for at in backs:
        with transcript(*pairs[:at], (pairs[at][0], "7.7777E+02")) as link, pytest.raises(LinkError):
            device(family, link).configure(WANTED)


_NO_READ_BACKS = {
    *(":SYST:ERR?", "*ESR?", ":TRIG:STAT?", "SAST?", "INR?", "TRIG:STATE?", "ACQ:STAT?", "STAT:OPER:COND?"),
    *(":OPER:COND?", ":TER?", "TRMD?", ":ACQ:SRAT?", "HOR:SAMPLER?"),
}


def _is_read_back(question: str) -> bool:
    """Not the error queue, not a state, not what is only asked to see that a command was taken."""
    return question not in _NO_READ_BACKS


@every
def test_any_knob_that_was_turned_before_the_record_was_read_is_told(family: Family):
    """Coupling, say, shows in nothing that a record says of itself."""
    codes, states = a_fall(family), (*family.looks[W], *family.looks[T])
    whole = (*configuring(family), *arming(family), *states, *reading(family, codes))
    for back in range(len(standing(family)), 0, -6):
        pairs = (*whole[: len(whole) - back], (whole[-back][0], "7.7777E+02"))
        with transcript(*pairs) as link:
            clock = VirtualClock()
            scope = device(family, link, clock)
            scope.configure(WANTED)
            scope.arm()
            scope.state()
            scope.state()
            clock.sleep(family.real.window_s)
            with pytest.raises(LinkError, match="turned a knob"):
                scope.read()


@every
def test_a_capture_without_a_trigger_is_none(family: Family):
    over = family.untriggered if len(family.untriggered) > 1 else (*family.looks[S], *family.untriggered)
    with transcript(*configuring(family), *arming(family), *over) as link:
        clock = VirtualClock()
        scope = device(family, link, clock)
        scope.configure(WANTED)
        scope.arm()
        clock.sleep(700.0)
        with pytest.raises(LinkError, match="without a trigger"):
            scope.read()


@every
def test_a_capture_that_somebody_stopped_before_its_end_is_none(family: Family):
    states = (*family.looks[W], *family.looks[T], *family.looks[S], *family.triggered)
    with transcript(*configuring(family), *arming(family), *states) as link:
        clock = VirtualClock()
        scope = device(family, link, clock)
        scope.configure(WANTED)
        scope.arm()
        scope.state()
        clock.sleep(family.real.window_s - 10.0)
        scope.state()
        with pytest.raises(LinkError, match="stopped it before"):
            scope.read()


@every
def test_one_that_somebody_started_again_is_an_error(family: Family):
    again = family.looks[T] if family is KEYSIGHT else family.looks[W]
    with transcript(*configuring(family), *arming(family), *family.looks[W], *family.looks[T], *again) as link:
        scope = device(family, link)
        scope.configure(WANTED)
        scope.arm()
        scope.state()
        scope.state()
        with pytest.raises(LinkError, match=r"started"):
            scope.state()


@every
def test_one_that_does_not_stop_is_not_called_safe(family: Family):
    with transcript(*family.looks[F], *family.halting, *(family.looks[F] * 41)) as link:
        with pytest.raises(LinkError, match="does not stop"):
            device(family, link).make_safe()
        link.give_up()


@every
def test_one_that_is_not_configured_is_neither_armed_nor_polled_nor_read(family: Family):
    with transcript() as link:
        scope = device(family, link)
        for act in (scope.arm, scope.level, scope.read):
            with pytest.raises(Refused):
                act()


# -- what single families have ---------------------------------------------------------------------------------------


def test_an_undefined_header_is_told_by_its_number():
    bad = ((":STOP", None), (":SYST:ERR?", '-113,"Undefined header"'), (":SYST:ERR?", '+0,"No error"'))
    with transcript(KEYSIGHT.identifying, *bad) as link, pytest.raises(LinkError, match="-113"):
        device(KEYSIGHT, link).configure(WANTED)


def test_a_tektronix_tells_what_its_event_queue_says():
    family = next(f for f in FAMILIES if f.name == "tektronix-tbs-mso")
    bad = (("HEAD OFF", None), ("*ESR?", "32"), ("ALLEV?", '113,"Undefined header; unrecognized command"'))
    with transcript(family.identifying, *bad) as link, pytest.raises(LinkError, match="113"):
        device(family, link).configure(WANTED)


def test_a_keysight_that_samples_too_slowly_in_the_window_is_refused_before_it_is_armed():
    pairs = (*KEYSIGHT.setting_up[:-1], (":ACQ:SRAT?", "+1.00000E+01"))
    with transcript(KEYSIGHT.identifying, *pairs) as link, pytest.raises(Refused, match="too slowly"):
        device(KEYSIGHT, link).configure(WANTED)


def test_segments_of_a_keysight_are_stamped():
    tags = [("1", "+0.00000E+00"), ("2", "+1.25000E-01"), ("3", "+4.50000E+01")]
    asked = tuple(
        pair
        for index, tag in tags
        for pair in (*sets(f":ACQ:SEGM:IND {index} > +{index}", SCPI), (":WAV:SEGM:TTAG?", tag))
    )
    split = sets(":ACQ:MODE SEGM > SEGM\n:ACQ:SEGM:COUN 3 > +3", SCPI)
    over = (*KEYSIGHT.looks[S], (":WAV:SEGM:COUN?", "+3"), *asked)
    with transcript(*configuring(KEYSIGHT), *split, *arming(KEYSIGHT), *over) as link:
        scope = device(KEYSIGHT, link)
        assert isinstance(scope, KeysightInfiniiVision)
        scope.configure(WANTED)
        scope.split(3)
        scope.arm()
        assert scope.time_tags() == (0.0, 0.125, 45.0)


@pytest.mark.parametrize(("reply", "good"), [("-4.5E+01,-1.25E-01,-0.0E+00", True), ("-1.0,-2.0,0.0", False)])
def test_the_history_of_an_rtb_is_stamped(reply: str, good: bool):
    over = (*ROHDE.looks[S], ("CHAN1:HIST:TSR:ALL?", reply))
    with transcript(*configuring(ROHDE), *arming(ROHDE), *over) as link:
        scope = device(ROHDE, link)
        assert isinstance(scope, RohdeRTB)
        scope.configure(WANTED)
        scope.arm()
        if good:
            assert scope.time_tags() == (-45.0, -0.125, 0.0)
        else:
            with pytest.raises(LinkError, match="rise"):
                scope.time_tags()


@pytest.mark.parametrize("name", ["siglent-sds1000x-e", "siglent-sds2000x-plus"])
def test_where_the_record_does_not_fall_at_its_zero_its_time_is_not_believed(name: str):
    family = next(f for f in FAMILIES if f.name == name)
    flat = bytes([203] * family.points)
    assert captured(family, flat).trigger_error_s == family.real.window_s
