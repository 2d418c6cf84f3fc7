"""Relays: the coils of a relay board as they stand, and operations counted so far. Reads coils; writes none.

A relay on a GPIO line is not asked: its line would have to be requested (see `rig.procedures.doctor.lines`).
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.bench.config import BenchConfig, CoilRelayTable
from rig.bench.guarding import FEEDS, relay_spec
from rig.bench.wear import WearBook, wear_file
from rig.clock import Clock
from rig.errors import RigError
from rig.guardian.hands import open_relay
from rig.guardian.lease import state_folder
from rig.instruments.modbus_coil import ModbusLink
from rig.records.doctor import Check, Desk, with_asked

_DESK = Desk("lines")


def boards(config: BenchConfig) -> list[list[CoilRelayTable]]:
    """The relays on each relay board."""
    found: dict[str, list[CoilRelayTable]] = {}
    for relay in config.relay:
        if isinstance(relay, CoilRelayTable):
            found.setdefault(relay.address or relay.port or "", []).append(relay)
    return list(found.values())


class BoardLook:
    """The relays of one board. A board that does not answer is asked once."""

    def __init__(self, relays: Sequence[CoilRelayTable], clock: Clock) -> None:
        self._relays = relays
        self._clock = clock

    def run(self) -> list[Check]:
        links: dict[object, ModbusLink] = {}
        checks: list[Check] = []
        asked: list[str] = []
        for table in self._relays:
            what = f"relay {table.name}"
            asked.append(f"Modbus: read coil {table.coil}")
            try:  # a relay whose safe position is where it stands is only read when it is opened
                spec = relay_spec(table.model_copy(update={"safe": "as-is"}))
                relay = open_relay(spec, self._clock, links)
                closed = relay.read()
                relay.close()
            except (RigError, OSError) as error:
                found = error.one_line() if isinstance(error, RigError) else str(error)
                place = table.address or table.port
                to_do = f"is the relay board at {place} powered and connected, and does no other program hold it?"
                checks.append(_DESK.failed(what, found, to_do))
                break
            checks.append(_position(what, table, closed))
        return with_asked(checks, asked)


def _position(what: str, table: CoilRelayTable, closed: bool) -> Check:
    found = f"coil {table.coil} reads {'closed' if closed else 'open'}"
    if closed and table.role in FEEDS:
        return _DESK.warning(what, found, "is a run going on? at rest both feeds are open: rig doctor moves nothing")
    return _DESK.ok(what, found)


def wear(config: BenchConfig) -> list[Check]:
    """Operations of the relays that have a rated life in the bench file, over all runs on this machine."""
    try:
        rows = WearBook(config, wear_file(config, state_folder())).rows()
    except RigError as error:
        return [_DESK.failed("relay operations", error.one_line(), "put the file right, or take it away")]
    checks = []
    for row in rows:
        what, found = f"operations of {row.name}", f"{row.operations} of {row.rated}"
        if row.warning is None:
            checks.append(_DESK.ok(what, found))
        else:
            checks.append(_DESK.warning(what, found, f"{row.warning}; plan its replacement, then take away the count"))
    return checks
