"""Faults by name: what can go wrong on a bench, done to the twin. `NAME@S` acts S seconds after the activation command.

Without `@S` a fault acts from the start of the run, in its own phase of it, or (where it needs an activation) at its
own default. No fault here may ever lead to a PASS for an outage that reached the limit, or for one that was not really
seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rig.errors import InputError, Where
from rig.toml_file import did_you_mean
from rig.twin import fault_acts as acts
from rig.twin import fault_needs as needs
from rig.twin.dlms.faults import disable, every, lose_blocks, noise_before, small_slot, wrong_check_sequence

if TYPE_CHECKING:
    from rig.bench.config import BenchConfig
    from rig.twin.rack import Rack

Phase = Literal["transfer", "verification"]


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


KINDS: dict[str, FaultKind] = {
    "mains-lost": FaultKind("mains is away for 60 s", acts.mains_lost, 10.0, lacks=needs.no_mains),
    "mains-lost-in-transfer": FaultKind(
        "mains is away for 20 s in the middle of the transfer",
        acts.mains_lost_while,
        phase="transfer",
        lacks=needs.no_mains_or_image,
    ),
    "mains-lost-in-verification": FaultKind(
        "mains is away for 20 s while the meter verifies",
        acts.mains_lost_while,
        phase="verification",
        lacks=needs.no_mains_or_image,
    ),
    "mains-l2-lost": FaultKind(
        "the second live terminal is without mains for 60 s", acts.phase_lost, 10.0, lacks=needs.no_phases
    ),
    "mains-stuck": FaultKind(
        "the mains detector always says 'mains is there'", lambda t: t.line("mains").force(True), lacks=needs.no_mains
    ),
    "rail-up-stuck-high": FaultKind("rail_up says 'up' for ever", lambda t: t.line("rail_up").force(True)),
    "rail-up-stuck-low": FaultKind("rail_up never says 'up' again", lambda t: t.line("rail_up").force(False)),
    "rail-down-stuck-high": FaultKind("rail_down says 'down' for ever", lambda t: t.line("rail_down").force(True)),
    "rail-down-stuck-low": FaultKind("rail_down never says 'down' again", lambda t: t.line("rail_down").force(False)),
    "edges-lost": FaultKind("the next edge of each comparator is lost", acts.lose_edges, 0.0, loses_edges=True),
    "scope-dead": FaultKind("the oscilloscope loses its network", lambda t: t.scope_wire.unplug()),
    "scope-drops": FaultKind("the oscilloscope drops its connection once", lambda t: t.scope_wire.hang_up()),
    "supply-drops": FaultKind("the supply drops its connection once", acts.drop_supply, lacks=needs.no_network_supply),
    "scope-silent": FaultKind("the oscilloscope no longer answers", lambda t: acts.silence(t, "scope")),
    "scope-stale": FaultKind("the oscilloscope says WAIT for ever", acts.stale_scope),
    "supply-dead": FaultKind("the supply loses its network", lambda t: t.supply_wire.unplug()),
    "supply-silent": FaultKind("the supply no longer answers", lambda t: acts.silence(t, "supply")),
    "meter-dead": FaultKind("the meter's port refuses", lambda t: t.meter_wire.unplug()),
    "meter-late": FaultKind("the meter answers half a second late", lambda t: t.meter_wire.delay(0.5)),
    "meter-noise": FaultKind("every seventh answer has a flipped bit", acts.garble, lacks=needs.no_serial_line),
    "meter-too-late": FaultKind(
        "the meter answers two and a half seconds late: after the next question", lambda t: t.meter_wire.delay(2.5)
    ),
    "wrong-check": FaultKind("every block ends with a wrong block check", acts.wrong_check, lacks=needs.no_mode_c),
    "head-lifted": FaultKind("the optical head is lifted off for good", acts.lift_for(1e6), 10.0, lacks=needs.no_head),
    "head-lifted-in-transfer": FaultKind(
        "the optical head is away for 20 s while the image comes",
        acts.lift_for(20.0),
        phase="transfer",
        lacks=needs.no_head,
    ),
    "head-echoes": FaultKind("the optical head sees its own light", acts.echo, lacks=needs.no_head),
    "password-changed": FaultKind("the meter wants another password", acts.other_password, lacks=needs.no_mode_c),
    "meter-resets-in-answer": FaultKind(
        "the meter resets itself in the middle of an answer while the image comes",
        acts.reset_in_answer,
        phase="transfer",
        lacks=needs.no_serial_line,
    ),
    "meter-resets": FaultKind(
        "the meter resets itself: 10 s without 12 V", lambda t: t.world.meter.restart(10.0), 100.0
    ),
    "meter-resets-in-transfer": FaultKind(
        "the meter resets itself while the image comes",
        lambda t: t.world.meter.restart(10.0),
        phase="transfer",
        lacks=needs.takes_no_image,
    ),
    "activates-twice": FaultKind(
        "the meter activates again by itself", lambda t: t.world.meter.activate_again(), 100.0
    ),
    "image-damaged": FaultKind("a bit of the image flips in the meter", acts.damage, lacks=needs.takes_no_image),
    "hash-mismatch": FaultKind("the meter takes the hash of the command for another one", acts.mistake),
    "other-hardware": FaultKind("the meter is of another hardware than the firmware", acts.other_hardware),
    "dlms-blocks-lost": FaultKind(
        "the meter loses every second block of the image",
        acts.dlms(lambda face: lose_blocks(face, 2)),
        lacks=needs.no_dlms,
    ),
    "dlms-slot-small": FaultKind(
        "the meter's slot is too small for the image", acts.dlms(small_slot), lacks=needs.no_dlms
    ),
    "dlms-disabled": FaultKind("the meter's image transfer is not enabled", acts.dlms(disable), lacks=needs.no_dlms),
    "dlms-log-lies": FaultKind("the meter's log calls each outage 20 s longer", acts.log_lies, lacks=needs.no_dlms),
    "hdlc-fcs-wrong": FaultKind(
        "every fifth answer has a wrong check sequence",
        acts.on_the_line(lambda: every(5, wrong_check_sequence)),
        lacks=needs.no_hdlc,
    ),
    "hdlc-noise": FaultKind(
        "noise comes before every answer", acts.on_the_line(lambda: noise_before), lacks=needs.no_hdlc
    ),
    "hdlc-dead": FaultKind(
        "every answer has a wrong check sequence",
        acts.on_the_line(lambda: wrong_check_sequence),
        0.0,
        lacks=needs.no_hdlc,
    ),
    "k2-welded": FaultKind(
        "K2's contact stays closed", lambda t: t.contact("meter-feed").stick(True), 0.0, lacks=needs.no_k2
    ),
    "k2-opens": FaultKind(
        "K2's contact drops open", lambda t: t.contact("meter-feed").stick(False), 10.0, lacks=needs.no_k2
    ),
    "k3-welded": FaultKind("K3's contact stays closed", lambda t: t.contact("supply-feed").stick(True)),
    "k2-line-stuck": FaultKind(
        "what drives K2 stays on", lambda t: t.stick_line("meter-feed", 1), 0.0, lacks=needs.no_k2
    ),
    "k3-opens": FaultKind("K3's contact drops open", lambda t: t.contact("supply-feed").stick(False), 10.0),
    "scope-away": FaultKind(
        "the oscilloscope loses its network for 10 minutes", lambda t: acts.away(t, t.scope_wire), 20.0
    ),
    "supply-away": FaultKind(
        "the supply loses its network for 10 minutes", acts.supply_away, 20.0, lacks=needs.no_network_supply
    ),
    "meter-away": FaultKind(
        "the meter loses its network for 10 minutes", acts.meter_away, 20.0, lacks=needs.no_network_meter
    ),
    "utc-stepped": FaultKind("NTP sets the wall clock an hour ahead", lambda t: t.step_utc(3600.0), 0.0, True),
    "clock-slewed": FaultKind("the clock is slewed by 1000 ppm", lambda t: t.slew_clock(1000.0), 0.0, True),
}
