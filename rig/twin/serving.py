"""The twin on the system clock, its wires open for any program: what `rig twin serve` starts.

The same world and faces as the in-process twin, and two more wires, for what a program elsewhere cannot reach by a call
set: relays on a Modbus relay board and sense lines on a line server (`ServedTwin`), or both on a GPIO chip of the
kernel, as on a bench (`ChipTwin`). See `rig.twin.system_time` for whose time it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

from rig.bench.bench_text import bench_text
from rig.bench.config import BenchConfig, GpioRelayTable, RelayRole, check_bench
from rig.bench.meter_table import OutsideTable
from rig.errors import InputError, Where
from rig.firmware import Fixture
from rig.twin.chip_lines import ChipChoice, ChipLines
from rig.twin.faults import KINDS, Fault
from rig.twin.line_server import SenseServer
from rig.twin.modbus_server import ModbusServer
from rig.twin.rack import Rack, Times, draft, known_images
from rig.twin.relay_board import TwinRelayBoard
from rig.twin.scaling import served
from rig.twin.system_time import FaceProbe, FaceTime, SystemTimeline

SMALLEST_SCALE, LARGEST_SCALE = 0.001, 1.0


class SystemTwin(Rack):
    """One running twin on the system clock. Close it when nobody needs it any more.

    Its relay and sense lines are what subclasses add: their wires are made by `_wire`, once the world is there.
    """

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
            self._check_fault(fault)
        known_images(fixtures)  # raises before anything runs
        bench, _ = draft(name)
        if isinstance(bench.meter, OutsideTable):
            raise InputError("its contact is a line that no other process reaches", Where(key="--bench", found=name))
        self.timeline = timeline = SystemTimeline(scale)
        faces = FaceTime(timeline)
        times = Times(timeline, faces, lambda rail: FaceProbe(timeline, rail), timeline, scale)
        super().__init__(bench, fixtures, seed, faults, times)
        try:
            self._wire(bench, faces)
        except BaseException:
            self._close_rest()
            raise
        self.config = served(bench, scale, self.addresses)
        self.act(faults)

    def _check_fault(self, fault: Fault) -> None:
        """Raises InputError for a fault that this twin cannot have."""
        if KINDS[fault.name].own_clock:
            raise InputError("needs a clock of the twin's own", Where(key="--fault", found=fault.name))

    def _wire(self, bench: BenchConfig, faces: FaceTime) -> None:
        raise NotImplementedError

    def bench_text(self) -> str:
        """The bench file by which another process reaches this twin, checked as any other."""
        comment = "Written by `rig twin serve`: a digital twin, not a bench. The addresses are good while it runs."
        text = bench_text(self.config, comment)
        check_bench(tomllib.loads(text), text, "the served twin's bench file")
        return text

    def _close_rest(self) -> None:
        super().close()
        self.timeline.close()


class ServedTwin(SystemTwin):
    """All its wires are sockets on loopback."""

    def _wire(self, bench: BenchConfig, faces: FaceTime) -> None:
        timeline = self.timeline
        self.board = TwinRelayBoard([self.world.contacts[relay.role].coil for relay in bench.relay])
        self.relay_wire = ModbusServer(self.board, timeline, timeline, name="relays")
        self.sense_wire = SenseServer(self.world.wires, faces, timeline)

    @property
    def addresses(self) -> dict[str, str]:
        return {**super().addresses, "relays": self.relay_wire.endpoint, "sense": self.sense_wire.endpoint}

    def close(self) -> None:
        self.relay_wire.close()
        self.sense_wire.close()
        self._close_rest()

    def stand_ready(self) -> None:
        """The bench as a run leaves it: K1 is closed, so the meter has mains, and programs that know no relay can speak
        to it."""
        with self.timeline:
            for coil, relay in enumerate(self.config.relay):
                if relay.role == "mains":
                    self.board.move(coil, True)

    def stick_line(self, role: RelayRole, level: int) -> None:
        coils: list[RelayRole] = [relay.role for relay in self.config.relay]
        self.board.stick(coils.index(role), bool(level))

    def lose_edge(self, line: int) -> None:
        self.sense_wire.drop_next[line] = 1


class ChipTwin(SystemTwin):
    """Its relay and sense lines are on a GPIO chip of the kernel's `gpio-sim`; its other wires are sockets."""

    def __init__(
        self,
        choice: ChipChoice,
        fixtures: Sequence[Fixture],
        name: str = "twin",
        scale: float = 1.0,
        seed: int = 0,
        faults: Sequence[Fault] = (),
    ) -> None:
        """See `SystemTwin`. InputError also where `choice.device` is no simulated chip with these lines."""
        self._choice = choice
        super().__init__(fixtures, name, scale, seed, faults)

    def _check_fault(self, fault: Fault) -> None:
        super()._check_fault(fault)
        if KINDS[fault.name].loses_edges:
            raise InputError("a kernel's chip loses no edge when told to", Where(key="--fault", found=fault.name))

    def _wire(self, bench: BenchConfig, faces: FaceTime) -> None:
        del faces  # the kernel stamps by its own clock
        relays = [table for table in bench.relay if isinstance(table, GpioRelayTable)]
        timeline, world = self.timeline, self.world
        with timeline:
            self.lines = ChipLines(self._choice, relays, world.contacts, world.wires, timeline, timeline.fail)

    @property
    def addresses(self) -> dict[str, str]:
        return {**super().addresses, "chip": self._choice.device}

    def close(self) -> None:
        self.lines.close()
        self._close_rest()

    def stick_line(self, role: RelayRole, level: int) -> None:
        self.lines.stick(role, bool(level))
