"""The one list of instrument drivers: the name that a bench file gives each, what it drives, and what that can do.

Everything that must know a driver by its name looks here: the bench file's check, who opens a bench, the guardian's
way to 'off', the doctor. The facts cost nothing to read; a driver is loaded when one of that kind is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from rig.instruments.guards import Guard

if TYPE_CHECKING:
    from rig.clock.base import Clock
    from rig.instruments.ports import Identity, Oscilloscope, Supply, SupplyLimits
    from rig.instruments.scpi import OffTexts, ScpiLink

SupplyDriver = Literal["rigol-dp800", "keysight-e36300", "siglent-spd3000x", "aim-tti", "rohde-hmp", "korad-ka3005p"]
OscilloscopeDriver = Literal[
    "rigol-ds1000z",
    "rigol-dho800",
    "keysight-infiniivision",
    "siglent-sds1000x-e",
    "siglent-sds2000x-plus",
    "tektronix-tbs-mso",
    "rohde-rtb",
]
Driver = SupplyDriver | OscilloscopeDriver

_D = TypeVar("_D", SupplyDriver, OscilloscopeDriver)


@dataclass(frozen=True)
class Facts:
    """What people and checks may know of a driver without loading it.

    `families`: the models that it takes, in words. `port`: where they usually listen on a network.
    `seen`: the driver was seen to work on hardware.
    """

    families: str
    port: int = 5025
    seen: bool = False


@dataclass(frozen=True)
class SupplyFacts(Facts):
    """`over_voltage`, `over_current`: the kinds of protection that a bench file may name for it.

    `unended`: nothing ends its commands and answers (only over a serial port).
    """

    over_voltage: tuple[Guard, ...] = (Guard.LEVEL,)
    over_current: tuple[Guard, ...] = (Guard.LEVEL,)
    unended: bool = False


@dataclass(frozen=True)
class OscilloscopeFacts(Facts):
    """`peak_detect`: it is known what its record looks like with peak detect, so that a bench file may ask for it."""

    peak_detect: bool = False


_AT_LIMIT, _NONE = (Guard.AT_LIMIT,), (Guard.NONE,)

SUPPLIES: dict[SupplyDriver, SupplyFacts] = {
    "rigol-dp800": SupplyFacts("Rigol DP811, DP821, DP831, DP832, with or without A", port=5555),
    "keysight-e36300": SupplyFacts("Keysight E36311A, E36312A, E36313A, EDU36311A", over_current=_AT_LIMIT),
    "siglent-spd3000x": SupplyFacts("Siglent SPD3303X, SPD3303X-E", over_voltage=_NONE, over_current=_NONE),
    "aim-tti": SupplyFacts("Aim-TTi PL-P, QL-P, MX-P", port=9221),
    "rohde-hmp": SupplyFacts("Rohde & Schwarz HMP2000, HMP4000, NGE100", over_current=_AT_LIMIT),
    "korad-ka3005p": SupplyFacts(
        "Korad KA and KD, Tenma 72-25xx and 72-2710, Velleman LABPS3005D",
        over_voltage=_NONE,
        over_current=(Guard.AT_LIMIT, Guard.NONE),
        unended=True,
    ),
}

OSCILLOSCOPES: dict[OscilloscopeDriver, OscilloscopeFacts] = {
    "rigol-ds1000z": OscilloscopeFacts("Rigol DS1000Z and MSO1000Z, four channels", port=5555),
    "rigol-dho800": OscilloscopeFacts("Rigol DHO800 and DHO900", port=5555),
    "keysight-infiniivision": OscilloscopeFacts(
        "Keysight InfiniiVision 1000X, 2000X, 3000X and 4000X", peak_detect=True
    ),
    "siglent-sds1000x-e": OscilloscopeFacts("Siglent SDS1000X-E, SDS1000X+ and SDS2000X-E"),
    "siglent-sds2000x-plus": OscilloscopeFacts("Siglent SDS2000X Plus"),
    "tektronix-tbs-mso": OscilloscopeFacts("Tektronix TBS2000 and 2, 4, 5, 6 Series MSO", port=4000, peak_detect=True),
    "rohde-rtb": OscilloscopeFacts("Rohde & Schwarz RTB2002 and RTB2004"),
}

SCPI_PORTS = tuple(dict.fromkeys(facts.port for facts in (*SUPPLIES.values(), *OSCILLOSCOPES.values())))
"""Where the instruments of all drivers listen, each port once."""


@dataclass(frozen=True)
class SupplyKind:
    """A supply's driver, loaded. `recognises`: the channels of an instrument of the family, nothing for another.

    `open`: name, link, channel, the bench's envelope. `off_texts`: how a channel is switched off by who has no driver
    (the guardian).
    """

    recognises: Callable[[Identity], Sequence[object]]
    open: Callable[[str, ScpiLink, int, SupplyLimits], Supply]
    off_texts: Callable[[int], OffTexts]


@dataclass(frozen=True)
class OscilloscopeKind:
    """An oscilloscope's driver, loaded. `open`: name, link, channel, probe's ratio, clock."""

    recognises: Callable[[Identity], bool]
    open: Callable[[str, ScpiLink, int, float, Clock], Oscilloscope]


def supply(driver: SupplyDriver) -> SupplyKind:
    return _supplies()[driver]


def oscilloscope(driver: OscilloscopeDriver) -> OscilloscopeKind:
    return _oscilloscopes()[driver]


def supply_driver(who: Identity) -> SupplyDriver | None:
    """The name of the driver for this supply; None: there is none."""
    return _first(who, _supplies().items())


def oscilloscope_driver(who: Identity) -> OscilloscopeDriver | None:
    """The name of the driver for this oscilloscope; None: there is none."""
    return _first(who, _oscilloscopes().items())


def _first(who: Identity, kinds: Iterable[tuple[_D, SupplyKind | OscilloscopeKind]]) -> _D | None:
    return next((driver for driver, kind in kinds if kind.recognises(who)), None)


def _supplies() -> dict[SupplyDriver, SupplyKind]:
    from rig.instruments.supplies import (
        aim_tti,
        keysight_e36300,
        korad,
        rigol_dp800,
        rohde_hmp,
        siglent_spd3000x,
    )

    return {
        "rigol-dp800": SupplyKind(rigol_dp800.channels, rigol_dp800.RigolDP800, rigol_dp800.off_texts),
        "keysight-e36300": SupplyKind(
            keysight_e36300.channels, keysight_e36300.KeysightE36300, keysight_e36300.off_texts
        ),
        "siglent-spd3000x": SupplyKind(
            siglent_spd3000x.channels, siglent_spd3000x.SiglentSPD3000X, siglent_spd3000x.off_texts
        ),
        "aim-tti": SupplyKind(aim_tti.channels, aim_tti.AimTTi, aim_tti.off_texts),
        "rohde-hmp": SupplyKind(rohde_hmp.channels, rohde_hmp.RohdeHMP, rohde_hmp.off_texts),
        "korad-ka3005p": SupplyKind(korad.channels, korad.Korad, korad.off_texts),
    }


def _oscilloscopes() -> dict[OscilloscopeDriver, OscilloscopeKind]:
    from rig.instruments.scopes import (
        keysight_infiniivision,
        rigol_dho,
        rigol_ds1000z,
        rohde_rtb,
        siglent_sds1000x_e,
        siglent_sds2000x_plus,
        tektronix,
    )

    return {
        "rigol-ds1000z": OscilloscopeKind(rigol_ds1000z.recognises, rigol_ds1000z.RigolDS1000Z),
        "rigol-dho800": OscilloscopeKind(rigol_dho.recognises, rigol_dho.RigolDHO),
        "keysight-infiniivision": OscilloscopeKind(
            keysight_infiniivision.recognises, keysight_infiniivision.KeysightInfiniiVision
        ),
        "siglent-sds1000x-e": OscilloscopeKind(siglent_sds1000x_e.recognises, siglent_sds1000x_e.SiglentSDS1000XE),
        "siglent-sds2000x-plus": OscilloscopeKind(
            siglent_sds2000x_plus.recognises, siglent_sds2000x_plus.SiglentSDS2000XPlus
        ),
        "tektronix-tbs-mso": OscilloscopeKind(tektronix.recognises, tektronix.Tektronix),
        "rohde-rtb": OscilloscopeKind(rohde_rtb.recognises, rohde_rtb.RohdeRTB),
    }
