"""The twin on the system clock, its wires open for any program: what `rig twin serve` starts.

The same world and faces as the in-process twin, and two more wires, for what a program elsewhere cannot reach by a call
set: relays on a Modbus relay board, sense lines on a line server. See `rig.twin.system_time` for whose time it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

from rig.bench.bench_text import bench_text
from rig.bench.config import RelayRole, check_bench
from rig.bench.meter_table import OutsideTable
from rig.errors import InputError, Where
from rig.firmware import Fixture
from rig.twin.faults import KINDS, Fault
from rig.twin.line_server import SenseServer
from rig.twin.modbus_server import ModbusServer
from rig.twin.rack import Rack, Times, draft, known_images
from rig.twin.relay_board import TwinRelayBoard
from rig.twin.scaling import served
from rig.twin.system_time import FaceProbe, FaceTime, SystemTimeline

SMALLEST_SCALE, LARGEST_SCALE = 0.001, 1.0


class ServedTwin(Rack):
    """One running twin on the system clock. Close it when nobody needs it any more."""

    def __init__(
        self,
        fixtures: Sequence[Fixture],
        name: str = "twin",
        scale: float = 1.0,
        seed: int = 0,
        faults: Sequence[Fault] = (),
    ) -> None:
        """Raises InputError for a scale out of range, an unknown bench, or fixtures that do not fit together."""
        if not SMALLEST_SCALE <= scale <= LARGEST_SCALE:
            expected = f"{SMALLEST_SCALE:g} to {LARGEST_SCALE:g}"
            raise InputError("not a scale", Where(key="--scale", found=f"{scale:g}", expected=expected))
        for fault in faults:
            if KINDS[fault.name].own_clock:
                raise InputError("needs a clock of the twin's own", Where(key="--fault", found=fault.name))
        known_images(fixtures)  # raises before anything runs
        bench, _ = draft(name)
        if isinstance(bench.meter, OutsideTable):
            raise InputError("its contact is a line that no other process reaches", Where(key="--bench", found=name))
        self.timeline = timeline = SystemTimeline(scale)
        faces = FaceTime(timeline)
        times = Times(timeline, faces, lambda rail: FaceProbe(timeline, rail), timeline, scale)
        super().__init__(bench, fixtures, seed, faults, times)
        self.board = TwinRelayBoard([self.world.contacts[relay.role].coil for relay in bench.relay])
        self.relay_wire = ModbusServer(self.board, timeline, timeline, name="relays")
        self.sense_wire = SenseServer(self.world.wires, faces, timeline)
        self.config = served(bench, scale, self.addresses)
        self.act(faults)

    @property
    def addresses(self) -> dict[str, str]:
        return {**super().addresses, "relays": self.relay_wire.endpoint, "sense": self.sense_wire.endpoint}

    def bench_text(self) -> str:
        """The bench file by which another process reaches this twin, checked as any other."""
        comment = "Written by `rig twin serve`: a digital twin, not a bench. The addresses are good while it runs."
        text = bench_text(self.config, comment)
        check_bench(tomllib.loads(text), text, "the served twin's bench file")
        return text

    def close(self) -> None:
        super().close()
        self.relay_wire.close()
        self.sense_wire.close()
        self.timeline.close()

    def stick_line(self, role: RelayRole, level: int) -> None:
        coils: list[RelayRole] = [relay.role for relay in self.config.relay]
        self.board.stick(coils.index(role), bool(level))

    def lose_edge(self, line: int) -> None:
        self.sense_wire.drop_next[line] = 1
