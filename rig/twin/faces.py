"""The instruments that a twin can have: the face of each, and what its bench file says of it beside the driver.

By the names of the drivers that speak to them (`rig.instruments.catalogue`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from rig.instruments.catalogue import OscilloscopeDriver, SupplyDriver
from rig.twin.ports import RailProbe, SupplyHardware, Timeline
from rig.twin.scopes.keysight_infiniivision import TwinInfiniiVision
from rig.twin.scopes.rigol_ds1000z import TwinDS1000Z
from rig.twin.scopes.scope_face import TwinScope
from rig.twin.scopes.siglent_sds1000x_e import TwinSDS1000XE
from rig.twin.supplies.aim_tti import TwinAimTTi
from rig.twin.supplies.keysight_e36300 import TwinE36300
from rig.twin.supplies.korad import KoradServer, TwinKorad
from rig.twin.supplies.rigol_dp800 import TwinDP800
from rig.twin.supplies.rohde_hmp import TwinHMP
from rig.twin.supplies.scpi_supply import ScpiSupply
from rig.twin.supplies.siglent_spd3000x import TwinSPD3000X
from rig.twin.wire import LineServer

Lock = AbstractContextManager[object]
AnySupply = ScpiSupply | TwinAimTTi | TwinKorad


def _line_server(face: ScpiSupply | TwinAimTTi, timeline: Timeline, lock: Lock) -> LineServer:
    return LineServer("supply", face.handle, timeline, lock)


@dataclass(frozen=True)
class SupplyFace:
    """A supply. `make`: power stage, seed. `wire`: face, timeline, lock.

    `keys`: keys of its table in the bench file, as TOML values. `nowhere`: an address of its kind, for a bench file
    whose servers are not up yet.
    """

    make: Callable[[SupplyHardware, int], AnySupply]
    wire: Callable[[Any, Timeline, Lock], LineServer | KoradServer] = _line_server
    keys: Mapping[str, str] = field(default_factory=dict)
    nowhere: str = "TCPIP::127.0.0.1::1::SOCKET"


@dataclass(frozen=True)
class ScopeFace:
    """An oscilloscope. `make`: timeline, probe, seed, peak noise in volts. `keys` and `nowhere` as for a supply."""

    make: Callable[[Timeline, RailProbe, int, float], TwinScope[Any]]
    keys: Mapping[str, str] = field(default_factory=dict)
    nowhere: str = "TCPIP::127.0.0.1::2::SOCKET"


SUPPLIES: dict[SupplyDriver, SupplyFace] = {
    "rigol-dp800": SupplyFace(lambda stage, seed: TwinDP800(stage, f"DP8TWIN{seed:08d}")),
    "keysight-e36300": SupplyFace(
        lambda stage, seed: TwinE36300(stage, f"MYTWIN{seed:08d}"),
        keys={"channel": "2", "over_current_a": '"at-limit"'},
    ),
    "siglent-spd3000x": SupplyFace(
        lambda stage, seed: TwinSPD3000X(stage, f"SPDTWIN{seed:08d}"),
        keys={"over_voltage_v": '"none"', "over_current_a": '"none"'},
    ),
    "aim-tti": SupplyFace(lambda stage, seed: TwinAimTTi(stage, f"{seed:08d}")),
    "rohde-hmp": SupplyFace(lambda stage, seed: TwinHMP(stage, f"{seed:08d}"), keys={"over_current_a": '"at-limit"'}),
    "korad-ka3005p": SupplyFace(
        lambda stage, _seed: TwinKorad(stage),
        wire=KoradServer,
        keys={"over_voltage_v": '"none"', "over_current_a": '"at-limit"'},
        nowhere="ASRL/dev/null::INSTR",
    ),
}

OSCILLOSCOPES: dict[OscilloscopeDriver, ScopeFace] = {
    "rigol-ds1000z": ScopeFace(
        lambda line, probe, seed, noise_v: TwinDS1000Z(line, probe, seed, noise_v, f"DS1TWIN{seed:08d}")
    ),
    "keysight-infiniivision": ScopeFace(
        lambda line, probe, seed, noise_v: TwinInfiniiVision(line, probe, seed, noise_v, f"MYTWIN{seed:08d}"),
        keys={"window_s": "500.0", "depth": "1_000_000"},
    ),
    "siglent-sds1000x-e": ScopeFace(
        lambda line, probe, seed, noise_v: TwinSDS1000XE(line, probe, seed, noise_v, f"SDSTWIN{seed:08d}"),
        keys={"depth": "1_400_000"},
    ),
}
"""The first of each is the usual one."""
