"""What the faults of the twin do to it: to its world, its wires, its faces. Knows no names and no times of faults."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

from rig.meters.serial_port import with_parity
from rig.twin.optical_commands import TwinCommands
from rig.twin.optical_wire import OpticalServer
from rig.twin.serial_wire import PtyServer
from rig.twin.wire import TcpServer

if TYPE_CHECKING:
    from rig.twin.dlms.face import TwinDlms
    from rig.twin.rack import Rack

_LINE_END = with_parity(b"\r\n")
_AWAY_S = 600.0


def mains_lost(twin: Rack) -> None:
    twin.world.mains_supply(False)
    twin.after(60.0, lambda: twin.world.mains_supply(True))


def mains_lost_while(twin: Rack) -> None:
    """For 20 s, in the middle: the answers come so late that the meter's hold-up ends before its work does."""
    twin.meter_wire.delay(0.05)
    twin.world.mains_supply(False)
    twin.after(20.0, lambda: twin.world.mains_supply(True))
    twin.after(20.0, lambda: twin.meter_wire.delay(0.0))


def phase_lost(twin: Rack) -> None:
    twin.world.mains_supply(False, "mains_l2")
    twin.after(60.0, lambda: twin.world.mains_supply(True, "mains_l2"))


def garble(twin: Rack) -> None:
    """Every seventh reply has a flipped bit."""
    count = itertools.count(1)
    wire = twin.meter_wire
    if isinstance(wire, PtyServer):
        wire.garble = lambda frame: frame if next(count) % 7 else bytes([frame[0] ^ 0x10]) + frame[1:]


def wrong_check(twin: Rack) -> None:
    """Two bits of the last character: its parity stays right."""
    wire = twin.meter_wire
    if isinstance(wire, PtyServer):
        wire.garble = lambda data: data if data.endswith(_LINE_END) else data[:-1] + bytes([data[-1] ^ 0x11])


def lift_for(seconds: float) -> Callable[[Rack], None]:
    def act(twin: Rack) -> None:
        wire = twin.meter_wire
        if isinstance(wire, OpticalServer):
            wire.lifted = True
            twin.after(seconds, lambda: setattr(wire, "lifted", False))

    return act


def echo(twin: Rack) -> None:
    if isinstance(twin.meter_wire, OpticalServer):
        twin.meter_wire.echoes = True


def other_password(twin: Rack) -> None:
    wire = twin.meter_wire
    if isinstance(wire, OpticalServer) and isinstance(wire.face.commands, TwinCommands):
        wire.face.commands.password = "another"  # noqa: S105 - of a meter that there is not


def reset_in_answer(twin: Rack) -> None:
    """The next answer breaks off in its middle, and the meter boots."""
    wire = twin.meter_wire
    if not isinstance(wire, PtyServer):
        return

    def cut(data: bytes) -> bytes:
        wire.garble = lambda whole: whole
        twin.after(0.0, lambda: twin.world.meter.restart(10.0))
        return data[: len(data) // 2]

    wire.garble = cut


def dlms(act: Callable[[TwinDlms], None]) -> Callable[[Rack], None]:
    """Done to the DLMS face of the meter, where it has one."""
    return lambda twin: act(twin.dlms) if twin.dlms is not None else None


def on_the_line(make: Callable[[], Callable[[bytes], bytes]]) -> Callable[[Rack], None]:
    """What `make` gives is done to every answer on the meter's line."""

    def act(twin: Rack) -> None:
        if isinstance(twin.meter_wire, PtyServer):
            twin.meter_wire.garble = make()

    return act


def log_lies(twin: Rack) -> None:
    twin.world.meter.log_error_s = 20.0


def other_hardware(twin: Rack) -> None:
    twin.world.meter.model = "SM-OTHER-9"


def damage(twin: Rack) -> None:
    twin.world.meter.damages_images = True


def mistake(twin: Rack) -> None:
    twin.world.meter.mistakes_hashes = True


def away(twin: Rack, wire: TcpServer) -> None:
    wire.unplug()
    twin.after(_AWAY_S, wire.plug)


def supply_away(twin: Rack) -> None:
    if isinstance(twin.supply_wire, TcpServer):
        away(twin, twin.supply_wire)


def meter_away(twin: Rack) -> None:
    if isinstance(twin.meter_wire, TcpServer):
        away(twin, twin.meter_wire)


def drop_supply(twin: Rack) -> None:
    if isinstance(twin.supply_wire, TcpServer):
        twin.supply_wire.hang_up()


def lose_edges(twin: Rack) -> None:
    for line in twin.config.sense:
        if line.role in ("rail_up", "rail_down"):
            twin.lose_edge(line.line)


def stale_scope(twin: Rack) -> None:
    twin.scope.stuck_state = "WAIT"


def silence(twin: Rack, what: str) -> None:
    getattr(twin, what).silent = True
