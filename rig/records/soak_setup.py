"""What all cycles of a soak have in common, from their bundles: meter, hub, bench, what counts as an outage. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from rig.errors import InputError, Where
from rig.records.run import Assumption
from rig.records.soak import Setup

DEFINITION: Final = ("up_above_v", "down_below_v", "ride_through_s", "restore_min_s")
"""The assumptions that say what an outage is."""


def setup_of(bench: str, bodies: Iterable[Mapping[str, Any]]) -> Setup | None:
    """From `rig.run/1` objects, of which none is kept; None where there are none. Raises InputError."""
    first: Setup | None = None
    differences: dict[str, None] = {}
    for body in bodies:
        try:
            setup = _setup_of(body, bench)
        except (KeyError, TypeError, AttributeError) as error:
            where = Where(str(body.get("labels", {}).get("run_id", "run.json")), found=f"no {error}")
            raise InputError("not a record of this rig", where) from error
        first = first or setup
        differences |= dict.fromkeys(_differences(first, setup))
        first = replace(first, meter=first.meter or setup.meter, instruments={**setup.instruments, **first.instruments})
    if first is None:
        return None
    return replace(first, differences=tuple(differences))


def _setup_of(body: Mapping[str, Any], bench: str) -> Setup:
    """From one `rig.run/1`. The meter's version is what a soak changes, and no part of who it is."""
    rows = tuple(Assumption(**row) for row in body["assumptions"])
    identities = {name: dict(device) for name, device in body["identities"].items()}
    meter = identities.pop("meter", {})
    meter.pop("version", None)
    return Setup(
        bench=bench,
        topology=str(body["bench"].get("topology", "unknown")),
        hub_commissioned=bool(body["bench"].get("hub_commissioned", False)),
        limit_s=body["limit_s"],
        comparison=body["comparison"],
        meter=meter,
        instruments=identities,
        definition=tuple(row for row in rows if row.key in DEFINITION),
        assumptions=rows,
        differences=(),
    )


def _differences(one: Setup, other: Setup) -> Iterator[str]:
    """Keys; a device that did not answer in a cycle that failed for it is not another device."""
    for key in ("topology", "hub_commissioned", "limit_s", "comparison", "definition"):
        if getattr(one, key) != getattr(other, key):
            yield key
    if one.meter and other.meter and one.meter != other.meter:
        yield "meter"
    for name in sorted(one.instruments.keys() & other.instruments.keys()):
        if one.instruments[name] != other.instruments[name]:
            yield name
