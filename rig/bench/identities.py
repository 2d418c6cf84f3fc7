"""Who answers, against who the bench file says must answer. Pure."""

from __future__ import annotations

from rig.bench.config import InstrumentTable, OscilloscopeTable, SupplyTable
from rig.errors import BenchError, Where
from rig.instruments.ports import Identity


def other_than_expected(table: InstrumentTable, who: Identity, *keys: str) -> Where | None:
    """The first of `keys` (model, serial, firmware) that is not as the bench file expects; None: all are."""
    found = {"model": who.model, "serial": who.serial, "firmware": who.version}
    for key in keys:
        expected: str | None = getattr(table, key)
        if expected is not None and expected != found[key]:
            return Where(key=key, found=found[key] or "nothing", expected=expected)
    return None


def check_identity(table: SupplyTable | OscilloscopeTable, who: Identity) -> None:
    """Raise `BenchError` for another model or serial number. Another firmware is for `rig doctor` to tell."""
    if (other := other_than_expected(table, who, "model", "serial")) is not None:
        raise BenchError(f"{table.name}: this is not the instrument of the bench file", other)
