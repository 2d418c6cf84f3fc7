"""Which relays and sense lines a bench has: by its topology, and by how many live conductors its meter has. Pure.

An ICHIS bench has three relays; a hot-shoe bench feeds the hub from its supply, so it has no meter feed. The bench's
own mains detector at each live terminal of the meter decides whether mains was there (domain.md, 3).
"""

from __future__ import annotations

from collections.abc import Iterator

from rig.bench.config import BenchConfig, RelayRole, SenseRole
from rig.toml_model import Fault

MAINS: tuple[SenseRole, ...] = ("mains", "mains_l2", "mains_l3")
"""The detectors, in the order of the meter's live terminals."""

_LIVE = {"single-phase": 1, "twin-element": 2, "polyphase": 3, "gas": 0}
_RAIL: tuple[SenseRole, ...] = ("rail_up", "rail_down")
_OPTIONAL: tuple[SenseRole, ...] = ("ac_lo", "mt_pr", "ch_pr", "current", "estop")
_RELAYS: dict[str, dict[RelayRole, tuple[int, int]]] = {
    "ichis": {"mains": (1, 1), "meter-feed": (1, 1), "supply-feed": (1, 1)},
    "hot-shoe": {"mains": (0, 1), "meter-feed": (0, 0), "supply-feed": (1, 1)},
}


def mains_roles(config: BenchConfig) -> tuple[SenseRole, ...]:
    """The detectors that this meter's terminals take."""
    return MAINS[: _LIVE[config.meter.variant]]


def roles(config: BenchConfig) -> Iterator[Fault]:
    """Roles that are missing, doubled, or not of this bench; and a feed that does not open at the end."""
    kind, variant = config.topology.kind, config.meter.variant
    if variant == "gas" and kind != "hot-shoe":
        message = "a gas meter runs on its battery and does not feed the hub"
        yield Fault(("topology", "kind"), message, kind, "hot-shoe")
    relays = [r.role for r in config.relay]
    for relay, (least, most) in _RELAYS[kind].items():
        yield from _count("relay", relay, relays.count(relay), least, most, f"on a bench of kind {kind}")
    present = [s.role for s in config.sense]
    for role in _RAIL:
        yield from _count("sense", role, present.count(role), 1, 1)
    for role in MAINS:
        most = int(role in mains_roles(config))
        least = most if kind == "ichis" else 0
        yield from _count("sense", role, present.count(role), least, most, f"at a {variant} meter")
    for role in _OPTIONAL:
        yield from _count("sense", role, present.count(role), 0, 1)
    for index, table in enumerate(config.relay):
        if table.role != "mains" and table.safe != "open":
            yield Fault(("relay", index, "safe"), "a feed of the hub is safe when open", table.safe, "open")


def _count(table: str, role: str, count: int, least: int, most: int, where: str = "") -> Iterator[Fault]:
    if least <= count <= most:
        return
    words = "exactly one" if least else "at most one" if most else "no"
    expected = str(most) if least == most else "0 or 1"
    yield Fault((table,), f"{words} {table} has the role '{role}' {where}".rstrip(), str(count), expected)
