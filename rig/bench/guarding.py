"""From the bench file to the guardian: its rules, its charge, and which pieces of the bench have one owner.

On the in-process twin the guardian lives inside; on a bench it is a process of its own that holds the relay lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rig.bench.config import WATCHDOG_PERIOD_S, BenchConfig, GpioRelayTable, RelayRole, RelayTable, SupplyTable
from rig.bench.meter_table import place
from rig.clock import Clock, to_ns
from rig.guardian.charge import Charge, CoilSpec, GpioSpec, RelaySpec, StopSpec, SupplySpec, WatchdogSpec
from rig.guardian.client import GuardianClient
from rig.guardian.core import Core, Rules
from rig.guardian.hands import open_relays
from rig.guardian.lease import Lease, state_folder
from rig.guardian.local import LocalGuardian
from rig.instruments import catalogue
from rig.instruments.ports import Relay
from rig.instruments.relays import RPiGPIO

FEEDS: tuple[RelayRole, RelayRole] = ("meter-feed", "supply-feed")
"""The two feeds of the hub: never closed together, for then nobody could say who fed it."""


def feeds(config: BenchConfig) -> tuple[RelayRole, ...]:
    """Those that this bench has: a hot-shoe bench has no meter feed."""
    roles = [table.role for table in config.relay]
    return tuple(role for role in FEEDS if role in roles)


def rules(config: BenchConfig, *, silent: bool) -> Rules:
    """The interlocks of this bench. `silent`: whether a controller that is silent is acted upon."""
    guardian, here = config.guardian, feeds(config)
    return Rules(
        forbidden=(FEEDS,) if here == FEEDS else (),
        feeds=here,
        dead_ns=to_ns(config.topology.dead_time_s),
        energised_ns=to_ns(guardian.longest_energised_s),
        dwell_ns={table.role: to_ns(table.least_dwell_s) for table in config.relay if table.least_dwell_s > 0},
        silent_ns=to_ns(guardian.silent_s) if silent else None,
    )


def charge(config: BenchConfig, state_folder: Path) -> Charge:
    """What the guardian's process is told."""
    guardian = config.guardian
    watchdog, stop = guardian.watchdog_pin, guardian.estop_pin
    return Charge(
        bench=config.bench.name,
        state_folder=str(state_folder),
        relays=tuple(relay_spec(table) for table in config.relay),
        supplies=tuple(supply_spec(table) for table in config.supply),
        rules=rules(config, silent=True),
        beat_s=guardian.beat_s,
        retry_s=guardian.retry_s,
        watchdog=None if watchdog is None else WatchdogSpec(watchdog, guardian.watchdog_period_s or WATCHDOG_PERIOD_S),
        stop=None if stop is None else StopSpec(stop, guardian.estop_pressed != "low"),
        keeps_lines=guardian.keeps_lines,
    )


def supply_spec(table: SupplyTable) -> SupplySpec:
    """How this supply is switched off without its driver: `rig.guardian.plain_supply`."""
    texts, line = catalogue.supply(table.driver).off_texts(table.channel), table.line()
    return SupplySpec(
        name=table.name,
        address=table.address,
        baud=line.baud,
        parity=line.parity,
        stop_bits=line.stop_bits,
        off=texts.command,
        question=texts.question,
        says_off=texts.says_off,
        off_bit=texts.off_bit,
        ends=texts.ends,
        reply_bytes=texts.reply_bytes,
        pause_s=texts.pause_s,
        timeout_s=table.timeout_s,
    )


def pieces(config: BenchConfig) -> tuple[str, ...]:
    """What of this bench has one owner, by names that are the same in every bench file that has it."""
    found = list(salvaged_pieces(config.supply, config.relay))
    found += [f"oscilloscope {table.address.lower()}" for table in config.oscilloscope]
    found.append(f"meter {place(config.meter)}")
    return tuple(found)


def salvaged_pieces(supplies: Iterable[SupplyTable], relays: Iterable[RelayTable]) -> tuple[str, ...]:
    """Those of a bench whose file is wrong elsewhere: what makes it unsafe has one owner all the same."""
    return (*(f"supply {table.address.lower()}" for table in supplies), *(_place(table) for table in relays))


def _place(table: RelayTable) -> str:
    if isinstance(table, GpioRelayTable):
        return f"relay line GPIO {table.pin}"
    return f"relay board {(table.address or table.port or '').lower()} unit {table.unit} coil {table.coil}"


def inside(config: BenchConfig, clock: Clock, gpio: RPiGPIO | None, closing: Callable[[str], None]) -> LocalGuardian:
    """The guardian in this process; its relays go to their safe positions. `closing`: see `LocalGuardian`."""
    relays: Mapping[str, Relay] = open_relays(tuple(relay_spec(table) for table in config.relay), clock, gpio)
    return LocalGuardian(Core(rules(config, silent=False), relays, clock.now), clock, closing)


def beside(config: BenchConfig, clock: Clock, lease: Lease, closing: Callable[[str], None]) -> GuardianClient:
    """The guardian as a process of its own. Raises BenchError, in its own words, when it cannot begin."""
    return GuardianClient.start(charge(config, lease.folder), clock, lease.fds, closing)


@contextmanager
def owned(config: BenchConfig, clock: Clock, *, marked: bool = False) -> Iterator[Lease]:
    """This process is the bench's one owner inside. See `Lease.take` for what it raises, and for `marked`."""
    since = clock.utc().isoformat(timespec="seconds")
    lease = Lease.take(state_folder(), config.bench.name, pieces(config), since, marked=marked)
    try:
        yield lease
    finally:
        lease.release()


def relay_spec(table: RelayTable) -> RelaySpec:
    """How this relay is driven by whoever has no bench file."""
    safe_closed = None if table.safe == "as-is" else False
    if isinstance(table, GpioRelayTable):
        return RelaySpec(table.role, table.name, GpioSpec(table.pin, table.active == "high"), None, safe_closed)
    host = port = None
    if table.address is not None:
        host, _, port = table.address.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")  # an IPv6 address stands in brackets
    coil = CoilSpec(
        host=host,
        tcp_port=None if port is None else int(port),
        device=table.port,
        baud=table.baud,
        parity=table.parity,
        unit=table.unit,
        coil=table.coil,
        timeout_s=table.timeout_s,
    )
    return RelaySpec(table.role, table.name, None, coil, safe_closed)
