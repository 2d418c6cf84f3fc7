"""The instruments that a twin can have: the face of each, and what its bench file says of it beside the driver.

By the names of the drivers that speak to them (`rig.instruments.catalogue`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rig.instruments.catalogue import OscilloscopeDriver, SupplyDriver
from rig.twin.ports import RailProbe, SupplyHardware, Timeline
from rig.twin.rigol_dp800 import TwinDP800
from rig.twin.rigol_ds1000z import TwinDS1000Z


@dataclass(frozen=True)
class SupplyFace:
    """A supply. `make`: timeline, power stage, seed. `keys`: keys of its table in the bench file, as TOML values.

    `nowhere`: an address of its kind, for a bench file whose servers are not up yet.
    """

    make: Callable[[Timeline, SupplyHardware, int], TwinDP800]
    keys: Mapping[str, str] = field(default_factory=dict)
    nowhere: str = "TCPIP::127.0.0.1::1::SOCKET"


@dataclass(frozen=True)
class ScopeFace:
    """An oscilloscope. `make`: timeline, probe, seed, peak noise in volts. `keys` and `nowhere` as for a supply."""

    make: Callable[[Timeline, RailProbe, int, float], TwinDS1000Z]
    keys: Mapping[str, str] = field(default_factory=dict)
    nowhere: str = "TCPIP::127.0.0.1::2::SOCKET"


SUPPLIES: dict[SupplyDriver, SupplyFace] = {
    "rigol-dp800": SupplyFace(lambda line, stage, seed: TwinDP800(line, stage, f"DP8TWIN{seed:08d}")),
}

OSCILLOSCOPES: dict[OscilloscopeDriver, ScopeFace] = {
    "rigol-ds1000z": ScopeFace(
        lambda line, probe, seed, noise_v: TwinDS1000Z(line, probe, seed, noise_v, f"DS1TWIN{seed:08d}")
    ),
}
"""The first of each is the usual one."""
