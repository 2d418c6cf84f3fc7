"""The one list of instrument drivers: the name that a bench file gives each, what it drives, and what that can do.

Everything that must know a driver by its name looks here: the bench file's check, who opens a bench, the guardian's
way to 'off', the doctor. The facts cost nothing to read; a driver is loaded when one of that kind is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from rig.clock.base import Clock
    from rig.instruments.ports import Identity, Oscilloscope, Supply, SupplyLimits
    from rig.instruments.scpi import OffTexts, ScpiLink

SupplyDriver = Literal["rigol-dp800"]
OscilloscopeDriver = Literal["rigol-ds1000z"]
Driver = SupplyDriver | OscilloscopeDriver

_D = TypeVar("_D", SupplyDriver, OscilloscopeDriver)


@dataclass(frozen=True)
class Facts:
    """What people and checks may know of a driver without loading it.

    `families`: the models that it takes, in words. `port`: where they usually listen on a network.
    """

    families: str
    port: int = 5025


SUPPLIES: dict[SupplyDriver, Facts] = {
    "rigol-dp800": Facts("Rigol DP811, DP821, DP831, DP832, with or without A", port=5555),
}

OSCILLOSCOPES: dict[OscilloscopeDriver, Facts] = {
    "rigol-ds1000z": Facts("Rigol DS1000Z and MSO1000Z, four channels", port=5555),
}

SCPI_PORTS = tuple(dict.fromkeys(facts.port for facts in (*SUPPLIES.values(), *OSCILLOSCOPES.values())))
"""Where the instruments of all drivers listen, each port once."""


@dataclass(frozen=True)
class SupplyKind:
    """A supply's driver, loaded. `off_texts`: how its channel is switched off by who has no driver (the guardian)."""

    recognises: Callable[[Identity], bool]
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
    from rig.instruments.supplies import rigol_dp800

    return {
        "rigol-dp800": SupplyKind(rigol_dp800.recognises, rigol_dp800.RigolDP800, rigol_dp800.off_texts),
    }


def _oscilloscopes() -> dict[OscilloscopeDriver, OscilloscopeKind]:
    from rig.instruments.scopes import rigol_ds1000z

    return {
        "rigol-ds1000z": OscilloscopeKind(rigol_ds1000z.recognises, rigol_ds1000z.RigolDS1000Z),
    }
