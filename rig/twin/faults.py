"""Faults by name: what can go wrong on a bench, done to the twin. `NAME@S` acts S seconds after the activation command.

Without `@S` a fault acts from the start of the run, in its own phase of it, or (where it needs an activation) at its
own default. No fault here may ever lead to a PASS for an outage that reached the limit, or for one that was not really
seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rig.bench.dlms_table import DlmsPart
from rig.bench.meter_table import ModbusTcpPart, OutsideTable, readable
from rig.bench.optical_table import OpticalPart
from rig.bench.roles import mains_roles
from rig.errors import InputError, Where
from rig.instruments.catalogue import SUPPLIES
from rig.meters.serial_port import with_parity
from rig.toml_file import did_you_mean
from rig.twin.dlms.faults import disable, every, lose_blocks, noise_before, small_slot, wrong_check_sequence
from rig.twin.optical_commands import TwinCommands
from rig.twin.optical_wire import OpticalServer
from rig.twin.serial_wire import PtyServer
from rig.twin.wire import TcpServer

if TYPE_CHECKING:
    from rig.bench.config import BenchConfig
    from rig.twin.dlms.face import TwinDlms
    from rig.twin.rack import Rack

_LINE_END = with_parity(b"\r\n")

Phase = Literal["transfer", "verification"]
_AWAY_S = 600.0


@dataclass(frozen=True)
class FaultKind:
    """`default_s` None = from the start of the run, or from that of `phase`, where there is one.

    `own_clock`: only where the twin has a clock of its own. `lacks` says what a bench lacks that this fault needs.
    """

    text: str
    act: Callable[[Rack], None]
    default_s: float | None = None
    own_clock: bool = False
    loses_edges: bool = False
    phase: Phase | None = None
    lacks: Callable[[BenchConfig], str | None] = lambda _: None


@dataclass(frozen=True)
class Fault:
    """One fault, and when it acts: seconds after the activation command, or None = from the start of the run."""

    name: str
    at_s: float | None

    @property
    def phase(self) -> Phase | None:
        return KINDS[self.name].phase if self.at_s is None else None

    def act(self, twin: Rack) -> None:
        KINDS[self.name].act(twin)

    def check(self, config: BenchConfig) -> None:
        """Raises InputError for a fault that this bench cannot have."""
        lacks = KINDS[self.name].lacks(config)
        if lacks is not None:
            raise InputError(f"this bench has no {lacks}", Where(key="--fault", found=self.name))


def parse(text: str) -> Fault:
    """`NAME` or `NAME@SECONDS`. Raises InputError for an unknown name or a time that is none."""
    name, at, seconds = text.partition("@")
    if name not in KINDS:
        known = sorted(KINDS)
        raise InputError(
            f"no fault '{name}'{did_you_mean(name, known)}", Where(key="--fault", found=name, expected=", ".join(known))
        )
    if not at:
        return Fault(name, KINDS[name].default_s)
    try:
        at_s = float(seconds)
    except ValueError:
        at_s = -1.0
    if not 0 <= at_s <= 86_400:
        raise InputError("not a time", Where(key="--fault", found=seconds, expected="seconds, 0 to 86400"))
    return Fault(name, at_s)


def parse_from_start(text: str) -> Fault:
    """A fault that acts from the start, whatever its kind: for who activates nothing. Raises InputError."""
    fault = parse(text)
    if "@" in text:
        where = Where(key="--fault", found=text, expected=f"{fault.name}, without a time")
        raise InputError("nothing is activated here: a fault acts from the start", where)
    return Fault(fault.name, None)


def _mains_lost(twin: Rack) -> None:
    twin.world.mains_supply(False)
    twin.after(60.0, lambda: twin.world.mains_supply(True))


def _mains_lost_while(twin: Rack) -> None:
    """For 20 s, in the middle: the answers come so late that the meter's hold-up ends before its work does."""
    twin.meter_wire.delay(0.05)
    twin.world.mains_supply(False)
    twin.after(20.0, lambda: twin.world.mains_supply(True))
    twin.after(20.0, lambda: twin.meter_wire.delay(0.0))


def _phase_lost(twin: Rack) -> None:
    twin.world.mains_supply(False, "mains_l2")
    twin.after(60.0, lambda: twin.world.mains_supply(True, "mains_l2"))


def _garble(twin: Rack) -> None:
    """Every seventh reply has a flipped bit."""
    count = itertools.count(1)
    wire = twin.meter_wire
    if isinstance(wire, PtyServer):
        wire.garble = lambda frame: frame if next(count) % 7 else bytes([frame[0] ^ 0x10]) + frame[1:]


def _wrong_check(twin: Rack) -> None:
    """Two bits of the last character: its parity stays right."""
    wire = twin.meter_wire
    if isinstance(wire, PtyServer):
        wire.garble = lambda data: data if data.endswith(_LINE_END) else data[:-1] + bytes([data[-1] ^ 0x11])


def _lift_for(seconds: float) -> Callable[[Rack], None]:
    def act(twin: Rack) -> None:
        wire = twin.meter_wire
        if isinstance(wire, OpticalServer):
            wire.lifted = True
            twin.after(seconds, lambda: setattr(wire, "lifted", False))

    return act


def _echo(twin: Rack) -> None:
    if isinstance(twin.meter_wire, OpticalServer):
        twin.meter_wire.echoes = True


def _other_password(twin: Rack) -> None:
    wire = twin.meter_wire
    if isinstance(wire, OpticalServer) and isinstance(wire.face.commands, TwinCommands):
        wire.face.commands.password = "another"  # noqa: S105 - of a meter that there is not


def _reset_in_answer(twin: Rack) -> None:
    """The next answer breaks off in its middle, and the meter boots."""
    wire = twin.meter_wire
    if not isinstance(wire, PtyServer):
        return

    def cut(data: bytes) -> bytes:
        wire.garble = lambda whole: whole
        twin.after(0.0, lambda: twin.world.meter.restart(10.0))
        return data[: len(data) // 2]

    wire.garble = cut


def _dlms(act: Callable[[TwinDlms], None]) -> Callable[[Rack], None]:
    """Done to the DLMS face of the meter, where it has one."""
    return lambda twin: act(twin.dlms) if twin.dlms is not None else None


def _on_the_line(make: Callable[[], Callable[[bytes], bytes]]) -> Callable[[Rack], None]:
    """What `make` gives is done to every answer on the meter's line."""

    def act(twin: Rack) -> None:
        if isinstance(twin.meter_wire, PtyServer):
            twin.meter_wire.garble = make()

    return act


def _log_lies(twin: Rack) -> None:
    twin.world.meter.log_error_s = 20.0


def _other_hardware(twin: Rack) -> None:
    twin.world.meter.model = "SM-OTHER-9"


def _damage(twin: Rack) -> None:
    twin.world.meter.damages_images = True


def _mistake(twin: Rack) -> None:
    twin.world.meter.mistakes_hashes = True


def _away(twin: Rack, wire: TcpServer) -> None:
    wire.unplug()
    twin.after(_AWAY_S, wire.plug)


def _supply_away(twin: Rack) -> None:
    if isinstance(twin.supply_wire, TcpServer):
        _away(twin, twin.supply_wire)


def _no_network_supply(config: BenchConfig) -> str | None:
    return "network to its supply" if SUPPLIES[config.supply[0].driver].unended else None


def _meter_away(twin: Rack) -> None:
    if isinstance(twin.meter_wire, TcpServer):
        _away(twin, twin.meter_wire)


def _no_k2(config: BenchConfig) -> str | None:
    return None if any(r.role == "meter-feed" for r in config.relay) else "K2: no meter feeds its hub"


def _no_mains(config: BenchConfig) -> str | None:
    return None if mains_roles(config) else "mains at its meter"


def _no_phases(config: BenchConfig) -> str | None:
    return None if len(mains_roles(config)) > 1 else "second live terminal at its meter"


def _no_dlms(config: BenchConfig) -> str | None:
    return None if isinstance(readable(config.meter), DlmsPart) else "meter on DLMS"


def _no_hdlc(config: BenchConfig) -> str | None:
    part = readable(config.meter)
    return None if isinstance(part, DlmsPart) and part.port is not None else "meter on HDLC"


def _no_serial_line(config: BenchConfig) -> str | None:
    return None if _on_a_line(config) else "serial line to its meter"


def _no_line_without_frames(config: BenchConfig) -> str | None:
    hdlc = isinstance(readable(config.meter), DlmsPart)
    return None if _on_a_line(config) and not hdlc else "serial line to its meter with Modbus or mode C on it"


def _no_mode_c(config: BenchConfig) -> str | None:
    there = isinstance(readable(config.meter), OpticalPart) and _on_a_line(config)
    return None if there else "optical head for mode C"


def _no_head(config: BenchConfig) -> str | None:
    part = readable(config.meter)
    signed_on = isinstance(part, OpticalPart) or (isinstance(part, DlmsPart) and part.sign_on == "mode-e")
    return None if signed_on and _on_a_line(config) else "optical head at its meter"


def _on_a_line(config: BenchConfig) -> bool:
    """Whether the meter is at a serial port: not on TCP, and not behind a URL."""
    return str(getattr(readable(config.meter), "port", None)).startswith("/")


def _no_network_meter(config: BenchConfig) -> str | None:
    return None if isinstance(readable(config.meter), ModbusTcpPart) else "meter on a network"


def _takes_no_image(config: BenchConfig) -> str | None:
    return "image that goes from the rig to its meter" if isinstance(config.meter, OutsideTable) else None


def _no_mains_or_image(config: BenchConfig) -> str | None:
    return _no_mains(config) or _takes_no_image(config)


def _drop_supply(twin: Rack) -> None:
    if isinstance(twin.supply_wire, TcpServer):
        twin.supply_wire.hang_up()


def _lose_edges(twin: Rack) -> None:
    for line in twin.config.sense:
        if line.role in ("rail_up", "rail_down"):
            twin.lose_edge(line.line)


def _stale_scope(twin: Rack) -> None:
    twin.scope.stuck_state = "WAIT"


def _silence(twin: Rack, what: str) -> None:
    getattr(twin, what).silent = True


KINDS: dict[str, FaultKind] = {
    "mains-lost": FaultKind("mains is away for 60 s", _mains_lost, 10.0, lacks=_no_mains),
    "mains-lost-in-transfer": FaultKind(
        "mains is away for 20 s in the middle of the transfer",
        _mains_lost_while,
        phase="transfer",
        lacks=_no_mains_or_image,
    ),
    "mains-lost-in-verification": FaultKind(
        "mains is away for 20 s while the meter verifies",
        _mains_lost_while,
        phase="verification",
        lacks=_no_mains_or_image,
    ),
    "mains-l2-lost": FaultKind(
        "the second live terminal is without mains for 60 s", _phase_lost, 10.0, lacks=_no_phases
    ),
    "mains-stuck": FaultKind(
        "the mains detector always says 'mains is there'", lambda t: t.line("mains").force(True), lacks=_no_mains
    ),
    "rail-up-stuck-high": FaultKind("rail_up says 'up' for ever", lambda t: t.line("rail_up").force(True)),
    "rail-up-stuck-low": FaultKind("rail_up never says 'up' again", lambda t: t.line("rail_up").force(False)),
    "rail-down-stuck-high": FaultKind("rail_down says 'down' for ever", lambda t: t.line("rail_down").force(True)),
    "rail-down-stuck-low": FaultKind("rail_down never says 'down' again", lambda t: t.line("rail_down").force(False)),
    "edges-lost": FaultKind("the next edge of each comparator is lost", _lose_edges, 0.0, loses_edges=True),
    "scope-dead": FaultKind("the oscilloscope loses its network", lambda t: t.scope_wire.unplug()),
    "scope-drops": FaultKind("the oscilloscope drops its connection once", lambda t: t.scope_wire.hang_up()),
    "supply-drops": FaultKind("the supply drops its connection once", _drop_supply, lacks=_no_network_supply),
    "scope-silent": FaultKind("the oscilloscope no longer answers", lambda t: _silence(t, "scope")),
    "scope-stale": FaultKind("the oscilloscope says WAIT for ever", _stale_scope),
    "supply-dead": FaultKind("the supply loses its network", lambda t: t.supply_wire.unplug()),
    "supply-silent": FaultKind("the supply no longer answers", lambda t: _silence(t, "supply")),
    "meter-dead": FaultKind("the meter's port refuses", lambda t: t.meter_wire.unplug()),
    "meter-late": FaultKind("the meter answers half a second late", lambda t: t.meter_wire.delay(0.5)),
    "meter-noise": FaultKind("every seventh answer has a flipped bit", _garble, lacks=_no_serial_line),
    "meter-too-late": FaultKind(
        "the meter answers two and a half seconds late: after the next question", lambda t: t.meter_wire.delay(2.5)
    ),
    "wrong-check": FaultKind("every block ends with a wrong block check", _wrong_check, lacks=_no_mode_c),
    "head-lifted": FaultKind("the optical head is lifted off for good", _lift_for(1e6), 10.0, lacks=_no_head),
    "head-lifted-in-transfer": FaultKind(
        "the optical head is away for 20 s while the image comes", _lift_for(20.0), phase="transfer", lacks=_no_head
    ),
    "head-echoes": FaultKind("the optical head sees its own light", _echo, lacks=_no_head),
    "password-changed": FaultKind("the meter wants another password", _other_password, lacks=_no_mode_c),
    "meter-resets-in-answer": FaultKind(
        "the meter resets itself in the middle of an answer while the image comes",
        _reset_in_answer,
        phase="transfer",
        lacks=_no_line_without_frames,
    ),
    "meter-resets": FaultKind(
        "the meter resets itself: 10 s without 12 V", lambda t: t.world.meter.restart(10.0), 100.0
    ),
    "meter-resets-in-transfer": FaultKind(
        "the meter resets itself while the image comes",
        lambda t: t.world.meter.restart(10.0),
        phase="transfer",
        lacks=_takes_no_image,
    ),
    "activates-twice": FaultKind(
        "the meter activates again by itself", lambda t: t.world.meter.activate_again(), 100.0
    ),
    "image-damaged": FaultKind("a bit of the image flips in the meter", _damage, lacks=_takes_no_image),
    "hash-mismatch": FaultKind("the meter takes the hash of the command for another one", _mistake),
    "other-hardware": FaultKind("the meter is of another hardware than the firmware", _other_hardware),
    "dlms-blocks-lost": FaultKind(
        "the meter loses every second block of the image", _dlms(lambda face: lose_blocks(face, 2)), lacks=_no_dlms
    ),
    "dlms-slot-small": FaultKind("the meter's slot is too small for the image", _dlms(small_slot), lacks=_no_dlms),
    "dlms-disabled": FaultKind("the meter's image transfer is not enabled", _dlms(disable), lacks=_no_dlms),
    "dlms-log-lies": FaultKind("the meter's log calls each outage 20 s longer", _log_lies, lacks=_no_dlms),
    "hdlc-fcs-wrong": FaultKind(
        "every fifth answer has a wrong check sequence",
        _on_the_line(lambda: every(5, wrong_check_sequence)),
        lacks=_no_hdlc,
    ),
    "hdlc-noise": FaultKind("noise comes before every answer", _on_the_line(lambda: noise_before), lacks=_no_hdlc),
    "hdlc-dead": FaultKind(
        "every answer has a wrong check sequence", _on_the_line(lambda: wrong_check_sequence), 0.0, lacks=_no_hdlc
    ),
    "k2-welded": FaultKind(
        "K2's contact stays closed", lambda t: t.contact("meter-feed").stick(True), 0.0, lacks=_no_k2
    ),
    "k2-opens": FaultKind(
        "K2's contact drops open", lambda t: t.contact("meter-feed").stick(False), 10.0, lacks=_no_k2
    ),
    "k3-welded": FaultKind("K3's contact stays closed", lambda t: t.contact("supply-feed").stick(True)),
    "k2-line-stuck": FaultKind("what drives K2 stays on", lambda t: t.stick_line("meter-feed", 1), 0.0, lacks=_no_k2),
    "k3-opens": FaultKind("K3's contact drops open", lambda t: t.contact("supply-feed").stick(False), 10.0),
    "scope-away": FaultKind(
        "the oscilloscope loses its network for 10 minutes", lambda t: _away(t, t.scope_wire), 20.0
    ),
    "supply-away": FaultKind(
        "the supply loses its network for 10 minutes", _supply_away, 20.0, lacks=_no_network_supply
    ),
    "meter-away": FaultKind("the meter loses its network for 10 minutes", _meter_away, 20.0, lacks=_no_network_meter),
    "utc-stepped": FaultKind("NTP sets the wall clock an hour ahead", lambda t: t.step_utc(3600.0), 0.0, True),
    "clock-slewed": FaultKind("the clock is slewed by 1000 ppm", lambda t: t.slew_clock(1000.0), 0.0, True),
}
