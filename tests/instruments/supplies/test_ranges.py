"""Whatever a model is asked for: outside its range or the bench's envelope nothing is set, not even something near."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import Refused
from rig.instruments import catalogue
from rig.instruments.catalogue import SupplyDriver
from rig.instruments.guards import Guard
from rig.instruments.ports import Identity, SupplyLimits, SupplySettings
from rig.instruments.scpi import Block
from rig.instruments.supplies import aim_tti, keysight_e36300, korad, rigol_dp800, rohde_hmp, siglent_spd3000x
from rig.instruments.supplies.dialect import Rating


@dataclass(frozen=True)
class Model:
    """A channel of a model: the driver that takes it, and how it says who it is."""

    driver: SupplyDriver
    idn: str
    channel: int
    rating: Rating

    def __repr__(self) -> str:
        return f"{self.idn} channel {self.channel}"


def models() -> list[Model]:
    idns: list[tuple[SupplyDriver, str, Identity]] = [
        *(("rigol-dp800", f"RIGOL TECHNOLOGIES,{m},1,1", Identity("RIGOL", m, "1", "1")) for m in rigol_dp800.RATINGS),
        *(
            ("keysight-e36300", f"Keysight Technologies,{m},1,1", Identity("Keysight", m, "1", "1"))
            for m in keysight_e36300._MODELS
        ),
        *(
            ("siglent-spd3000x", f"Siglent Technologies,{m},1,1,V1", Identity("Siglent", m, "1", "1"))
            for m in siglent_spd3000x._MODELS
        ),
        *(("aim-tti", f"THURLBY THANDAR, {m}P, 1, 1", Identity("THURLBY", f"{m}P", "1", "1")) for m in aim_tti._MODELS),
        *(("rohde-hmp", f"Rohde&Schwarz,{m},1,1", Identity("Rohde&Schwarz", m, "1", "1")) for m in rohde_hmp._MODELS),
        *(("korad-ka3005p", f"KORAD{m}V2.0", Identity("KORAD", m, "", "2.0")) for m in korad._MODELS),
    ]
    found = []
    for driver, idn, who in idns:
        channels = catalogue.supply(driver).recognises(who)
        assert channels, idn
        found += [Model(driver, idn, n, r) for n, r in enumerate(channels, 1) if isinstance(r, Rating)]
    return found


MODELS = models()


class Watched:
    """A link to an instrument that says who it is, and fails on anything else but questions."""

    name = "psu"
    openings = 1
    is_open = True

    def __init__(self, idn: str) -> None:
        self.idn = idn
        self.sent: list[str] = []

    def exchange(self, *commands: str) -> tuple[str, ...]:
        self.sent += commands
        return tuple({"*IDN?": self.idn, "IFLOCK?": "0"}[text] for text in commands)

    def query(self, command: str) -> str:
        return self.exchange(command)[0]

    def query_block(self, command: str, timeout_s: float | None = None, frame: object = None) -> Block:
        raise AssertionError(command)

    def close(self) -> None:
        return


def right(rating: Rating) -> SupplySettings:
    """Settings in the middle of everything."""
    volts, amps = rating.volts[1] / 2, rating.amps[1] / 2
    return SupplySettings(volts, amps, level(rating.ovp, volts), level(rating.ocp, amps))


def level(allowed: tuple[object, ...], protected: float) -> float | Guard:
    first = allowed[0]
    return first if isinstance(first, Guard) else max(protected, float(str(first)))


def test_every_driver_has_models() -> None:
    assert {model.driver for model in MODELS} == set(get_args(SupplyDriver))


@given(st.data())
def test_no_byte_but_a_question_leaves_for_a_value_outside(data: st.DataObject) -> None:
    model = data.draw(st.sampled_from(MODELS))
    key = data.draw(st.sampled_from(["volts", "amps", "over_voltage_v", "over_current_a"]))
    good = right(model.rating)
    limits = SupplyLimits(model.rating.volts[1] * 2 + 1, model.rating.amps[1] * 2 + 1)
    if isinstance(getattr(good, key), Guard):
        value: float | Guard = data.draw(st.floats(0.001, 60.0))  # a level, where it has none
    else:
        top = {"volts": model.rating.volts, "amps": model.rating.amps}.get(key) or (
            model.rating.ovp if key == "over_voltage_v" else model.rating.ocp
        )
        low, high = (float(str(end)) for end in top)
        value = data.draw(
            st.one_of(
                st.floats(math.nextafter(high, math.inf), 1e6),
                st.floats(-1e6, math.nextafter(low, -math.inf)),
                st.sampled_from([math.nan, math.inf, -math.inf, 9.9e37, -1e-9]),
            )
        )
    settings = SupplySettings(**{**good.__dict__, key: value})
    link = Watched(model.idn)
    supply = catalogue.supply(model.driver).open("psu", link, model.channel, limits)  # type: ignore[arg-type]
    with pytest.raises(Refused):
        supply.apply(settings)
    assert set(link.sent) <= {"*IDN?", "IFLOCK?"}


@given(st.data())
def test_nothing_at_all_is_sent_for_what_the_bench_does_not_allow(data: st.DataObject) -> None:
    model = data.draw(st.sampled_from(MODELS))
    good = right(model.rating)
    most = data.draw(st.sampled_from(["volts", "amps"]))
    limits = SupplyLimits(
        good.volts * (0.99 if most == "volts" else 4.0), good.amps * (0.99 if most == "amps" else 4.0)
    )
    link = Watched(model.idn)
    supply = catalogue.supply(model.driver).open("psu", link, model.channel, limits)  # type: ignore[arg-type]
    with pytest.raises(Refused):
        supply.apply(good)
    assert link.sent == []


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_what_lies_inside_is_not_refused(model: Model) -> None:
    link = Watched(model.idn)
    limits = SupplyLimits(100.0, 100.0)
    supply = catalogue.supply(model.driver).open("psu", link, model.channel, limits)  # type: ignore[arg-type]
    with pytest.raises(KeyError):  # the first set: this instrument takes none
        supply.apply(right(model.rating))
