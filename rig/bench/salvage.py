"""What a bench can still be made safe with, when its file is wrong somewhere: every table that is right by itself.

To make a bench safe needs addresses, pins and channels, and nothing that a run needs beside them. Opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rig.bench.config import BenchConfig, RelayTable, SenseTable, SupplyTable, TopologyTable, check_bench
from rig.errors import InputError
from rig.toml_file import read_toml

_SUPPLY_KEYS = ("name", "driver", "address", "baud", "parity", "stop_bits", "channel", "timeout_s", "model", "serial")
_RELAY_KEYS = (
    *("name", "role", "driver", "safe", "pin", "active"),
    *("address", "port", "baud", "parity", "unit", "coil", "timeout_s"),
)
_SENSE_KEYS = ("name", "role", "driver", "line", "active", "chip", "address", "node", "band_v", "latency_s")
_COMPARATORS = ("rail_up", "rail_down")


@dataclass(frozen=True)
class Salvaged:
    """The usable tables of a bench file.

    `wrong`: what is the matter with the file. `left_out`: the supplies, relays and lines that cannot be told, and why.
    `whole` is the bench file where nothing is wrong with it; `keeps_lines` is the guardian's.
    """

    name: str
    supplies: tuple[SupplyTable, ...]
    relays: tuple[RelayTable, ...]
    comparators: tuple[SenseTable, ...]
    topology: TopologyTable
    wrong: str | None
    left_out: tuple[str, ...]
    whole: BenchConfig | None
    keeps_lines: bool = False

    @staticmethod
    def of(config: BenchConfig) -> Salvaged:
        """A bench file with nothing wrong."""
        lines = tuple(s for s in config.sense if s.role in _COMPARATORS)
        relays, supplies = tuple(config.relay), tuple(config.supply)
        keeps = config.guardian.keeps_lines
        return Salvaged(config.bench.name, supplies, relays, lines, config.topology, None, (), config, keeps)


def salvage(path: Path) -> Salvaged:
    """What `path` still gives. Raises InputError when it is no TOML, or names neither a supply nor a relay."""
    data, text = read_toml(path)
    try:
        return Salvaged.of(check_bench(data, text, str(path)))
    except InputError as error:
        wrong = error.one_line()
    left_out: list[str] = []
    supplies = tuple(_tables(TypeAdapter(SupplyTable), data, "supply", _SUPPLY_KEYS, left_out))
    relays = tuple(_tables(TypeAdapter(RelayTable), data, "relay", _RELAY_KEYS, left_out))
    lines = tuple(_tables(TypeAdapter(SenseTable), data, "sense", _SENSE_KEYS, left_out))
    if not supplies and not relays:
        raise InputError(f"neither a supply nor a relay can be told from this file: {wrong}")
    try:
        topology = TopologyTable.model_validate(data.get("topology", {}))
    except ValidationError:
        topology = TopologyTable()
    bench = data.get("bench")
    name = bench.get("name") if isinstance(bench, dict) else None
    comparators = tuple(s for s in lines if s.role in _COMPARATORS)
    guardian = data.get("guardian")
    keeps = isinstance(guardian, dict) and guardian.get("keeps_lines") is True
    told = str(name or path.stem)
    return Salvaged(told, supplies, relays, comparators, topology, wrong, tuple(left_out), None, keeps)


def _tables(
    adapter: TypeAdapter[Any], data: Mapping[str, Any], name: str, keys: tuple[str, ...], left_out: list[str]
) -> Iterator[Any]:
    """Those of the tables `name` that are right, with only the keys that count here; the others go to `left_out`."""
    rows = data.get(name, [])
    for index, row in enumerate(rows if isinstance(rows, list) else [rows]):
        try:
            yield adapter.validate_python({k: row[k] for k in keys if k in row} if isinstance(row, dict) else row)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in (f"{name}[{index}]", *first["loc"]))
            left_out.append(f"{name}[{index}] is left out: {place}: {first['msg']}")
