"""`@pytest.mark.rig(needs=[...], variant=...)`: what a test asks of a bench, and whether this one has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rig.bench.config import BenchConfig

_VARIANTS = ("single-phase", "twin-element", "polyphase", "gas")
_PARTS = ("supply", "oscilloscope", "relays", "sense", "mains", "current", "estop", "modbus", "optical", "outside")


def check_mark(mark: pytest.Mark, nodeid: str) -> None:
    """Raises UsageError for an argument that nobody knows."""
    if mark.args or not set(mark.kwargs) <= {"needs", "variant"}:
        found = ", ".join([*map(repr, mark.args), *sorted(set(mark.kwargs) - {"needs", "variant"})])
        raise pytest.UsageError(f"{nodeid}: mark 'rig': unknown argument {found}; it takes needs=[...] and variant=...")
    needs, variant = mark.kwargs.get("needs", []), mark.kwargs.get("variant")
    if not isinstance(needs, list | tuple) or not set(needs) <= set(_PARTS):
        raise pytest.UsageError(f"{nodeid}: mark 'rig': needs {needs!r}; a bench may have: {', '.join(_PARTS)}")
    if variant is not None and variant not in _VARIANTS:
        raise pytest.UsageError(f"{nodeid}: mark 'rig': variant {variant!r}; known: {', '.join(_VARIANTS)}")


def missing(mark: pytest.Mark, config: BenchConfig) -> str | None:
    """What of the mark this bench does not have, in words; None where it has all of it."""
    lacks = [part for part in mark.kwargs.get("needs", ()) if part not in _parts(config)]
    if lacks:
        return f"has no {', no '.join(lacks)}"
    wanted, variant = mark.kwargs.get("variant"), _variant(config)
    if wanted is not None and wanted != variant:
        return f"is {variant}, not {wanted}"
    return None


def _parts(config: BenchConfig) -> set[str]:
    roles: set[str] = {line.role for line in config.sense}
    found: set[str] = {part for part in ("mains", "current", "estop") if part in roles}
    found |= {part for part in ("supply", "oscilloscope") if getattr(config, part)}
    found |= {"relays"} if config.relay else set()
    found |= {"sense"} if roles else set()
    return found | {config.meter.driver.partition("-")[0]}


def _variant(config: BenchConfig) -> str:
    return str(getattr(config.topology, "variant", "single-phase"))
