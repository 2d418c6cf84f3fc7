"""Supply and oscilloscope, asked by their own drivers over a link that carries only questions: nothing is set.

Who answers, its firmware, the supply's output as it is; and from the bench file, when its calibration is due.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib.util import find_spec

from rig.bench.config import LimitsTable, OscilloscopeTable, SupplyTable
from rig.bench.identities import other_than_expected
from rig.bench.opening import link_to, oscilloscope_on, supply_on
from rig.clock import Clock
from rig.errors import LinkTimeout, Refused, RigError
from rig.instruments.address import Address, Kind, parse_address
from rig.instruments.asking import AskingLink
from rig.instruments.catalogue import OSCILLOSCOPES, SUPPLIES
from rig.instruments.ports import Identity, Supply
from rig.recording import Taps
from rig.records.doctor import Check, Desk, with_asked

DUE_SOON_DAYS = 30
_DESK = Desk("instruments")


class InstrumentLook:
    """One instrument of the bench file. `identity` is who answered, None where nobody rightly did."""

    def __init__(self, table: SupplyTable | OscilloscopeTable, clock: Clock, taps: Taps | None = None) -> None:
        self._table = table
        self._taps = taps
        self._clock = clock
        self.identity: Identity | None = None

    def run(self) -> list[Check]:
        table = self._table
        link = AskingLink(link_to(table, self._clock, self._taps, clears=False))
        try:
            if isinstance(table, SupplyTable):
                supply = supply_on(link, table)
                checks = [*self._who(supply.identify), *(self._output(supply) if self.identity else [])]
            else:
                checks = self._who(oscilloscope_on(link, table, self._clock).identify)
        finally:
            link.close()
        return with_asked(checks, link.asked)

    def _who(self, identify: Callable[[], Identity]) -> list[Check]:
        table, what = self._table, f"{self._table.name}: identity"
        try:
            who = self.identity = identify()
        except RigError as error:
            return [_DESK.failed(what, error.one_line(), not_answered(error, parse_address(table.address)))]
        found = f"{who.maker} {who.model}, serial {who.serial or 'not told'}"
        other = other_than_expected(table, who, "model", "serial")
        if other is None:
            first = _DESK.ok(what, found)
        else:
            to_do = f"connect the instrument that the bench file names, or change its key {other.key}"
            first = _DESK.failed(what, f"{found}; the bench file expects {other.key} {other.expected}", to_do)
        return [first, self._firmware(who)]

    def _firmware(self, who: Identity) -> Check:
        what, found = f"{self._table.name}: firmware", who.version or "it does not say"
        other = other_than_expected(self._table, who, "firmware")
        if other is None:
            return _DESK.ok(what, found)
        to_do = "check that the driver still works with it (rig controls), then change the bench file's key firmware"
        return _DESK.warning(what, f"{found}; the bench file expects {other.expected}", to_do)

    def _output(self, supply: Supply) -> list[Check]:
        what = f"{supply.name}: output"
        try:
            reading = supply.read()
        except Refused:
            return [_DESK.not_here(what, "it tells only of a channel that was chosen, and nothing is set here")]
        except RigError as error:
            return [_DESK.failed(what, error.one_line(), not_answered(error, parse_address(self._table.address)))]
        found = f"{'on' if reading.output_on else 'off'}, {reading.volts:.2f} V, {reading.amps:.3f} A"
        if reading.tripped:
            to_do = "find out why its protection tripped, then clear it on the instrument"
            return [_DESK.failed(what, f"{found}, a protection has tripped", to_do)]
        if reading.output_on:
            return [
                _DESK.warning(what, found, "is a run going on? at rest the supply is off: rig doctor switches nothing")
            ]
        return [_DESK.ok(what, found)]


def not_answered(error: RigError, at: Address) -> str:
    """What to do about an instrument that was not reached, or answered wrongly."""
    if at.kind is Kind.SERIAL:
        return f"is it switched on, is {at.device} its port (ls -l /dev/serial/by-id), and are baud and parity its own?"
    if at.kind is Kind.USB:
        return "is it switched on and plugged in (lsusb)? may you use it (a udev rule), and is the extra usb installed?"
    return unanswered(error, at.host or "")


def unanswered(error: RigError, host: str) -> str:
    """The same of a device on the network."""
    if isinstance(error, LinkTimeout):
        return f"is it switched on and on this network (ping {host})? does another program hold its only connection?"
    return f"is its address right, and does it listen there (ping {host})? restart it if it answers nonsense"


def driver(table: SupplyTable | OscilloscopeTable) -> Check:
    """Whether the driver was ever seen to work on hardware."""
    facts = SUPPLIES[table.driver] if isinstance(table, SupplyTable) else OSCILLOSCOPES[table.driver]
    seen = "seen on hardware" if facts.seen else "made to its guide, never seen on hardware"
    return _DESK.ok(f"{table.name}: driver", f"{table.driver} ({facts.families}): {seen}")


def link(table: SupplyTable | OscilloscopeTable) -> Check:
    """What kind of link it has, and over what the guardian switches a supply off."""
    what, kind = f"{table.name}: link", parse_address(table.address).kind
    plain = kind in (Kind.SOCKET, Kind.SERIAL)
    found = kind.value if plain else f"{kind.value}, by way of pyvisa-py"
    if isinstance(table, SupplyTable):
        found += f"; the guardian's own way to off: {'another of the kind' if plain else 'a helper process'}"
    if kind is Kind.USB and find_spec("usb") is None:
        return _DESK.failed(what, f"{found}; pyusb is not installed", "install the extra usb: pip install '.[usb]'")
    return _DESK.ok(what, found)


def calibration(table: SupplyTable | OscilloscopeTable, limits: LimitsTable, today: date, real: bool) -> Check:
    """When it is due, by the bench file. How bad overdue is, the bench file says too (`calibration_overdue`)."""
    what, due = f"{table.name}: calibration", table.calibration_due
    if due is None:
        found = "the bench file does not say when it is due"
        to_do = "write calibration_due = 2027-03-31 (the day on its label) into the instrument's table"
        return _DESK.warning(what, found, to_do) if real else _DESK.not_here(what, "a twin's instrument has none")
    days = (due - today).days
    if days <= 0:
        found, to_do = (
            f"due on {due}, {-days} days ago",
            "have it calibrated, and write the new day into calibration_due",
        )
        return _DESK.bad(limits.calibration_overdue == "failed", what, found, to_do)
    found = f"due on {due}, in {days} days"
    if days <= DUE_SOON_DAYS:
        return _DESK.warning(what, found, "order its calibration now")
    return _DESK.ok(what, found)
