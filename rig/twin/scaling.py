"""The bench file of a served twin: every modelled duration shrunk, and the drivers that reach it over sockets. Pure.

What is modelled shrinks (the limit, what counts as an outage, settling, watching, the capture's window, latencies).
What belongs to the machine does not: the time-outs of links, the guardian's beats, and the time that a busy machine may
take to notice something, `SLACK_S`, which is added to every deadline by which a program must have seen what the bench
did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from rig.bench.config import BenchConfig

SLACK_S = 1.0
METER_PLACES = ("modbus", "serial", "optical", "optical_tcp", "dlms")
"""What the address of a served meter may be called."""
_QUICK_DEPTH = 1_200_000
"""Points of a capture whose window takes seconds: reading more would take longer than the window."""
_SIMULATED_LATENCY_S = 0.002
"""A simulated interrupt comes with the kernel's next tick: a millisecond later where that is set to 1,000 Hz."""
_DEADLINES = ("discharge_s", "start_s")
_MACHINE = ("timeout_s",)


def served(config: BenchConfig, scale: float, addresses: Mapping[str, str]) -> BenchConfig:
    """`config` as the bench file of the same bench behind sockets, on which a second lasts `scale` seconds.

    `addresses`: supply, oscilloscope, the meter (one of `METER_PLACES`), its `credentials` where it wants any, and
    either relays and sense, or `chip`: the GPIO chip that has the lines. Coils are counted as the relays stand in the
    file. Not checked: `rig.bench.config.check_bench` does that to the text.
    """
    data: dict[str, Any] = _shrunk(config, scale)
    data["bench"]["description"] = f"{config.bench.description}, served; a second of it takes {scale:g} s"
    data["guardian"] = config.guardian.model_dump(exclude_none=True)
    topology = data["topology"]
    least = topology["discharge_s"] + data["rail"]["restore_min_s"]
    topology["control_cut_s"] = max(topology["control_cut_s"], 1.25 * least)
    if scale <= 0.1:
        data["oscilloscope"][0]["depth"] = min(data["oscilloscope"][0]["depth"], _QUICK_DEPTH)
    for kind in ("supply", "oscilloscope"):
        data[kind][0]["address"] = addresses[kind]
    place = "port" if "port" in data["meter"] else "address"
    data["meter"][place] = next(addresses[kind] for kind in METER_PLACES if kind in addresses)
    if "credentials" in addresses:
        data["meter"]["credentials_file"] = addresses["credentials"]
    if "chip" in addresses:
        for line in data["sense"]:
            line["chip"] = addresses["chip"]
            line["latency_s"] = max(line["latency_s"], _SIMULATED_LATENCY_S)
        data["guardian"]["keeps_lines"] = True  # a relay line is pulled to its energised level there
    else:
        _onto_sockets(data, addresses)
    return BenchConfig.model_validate(data)


def _onto_sockets(data: dict[str, Any], addresses: Mapping[str, str]) -> None:
    data["relay"] = [
        {
            **{key: relay[key] for key in ("name", "role", "safe", "least_dwell_s")},
            "driver": "modbus-coil",
            "address": addresses["relays"],
            "coil": coil,
        }
        for coil, relay in enumerate(data["relay"])
    ]
    data["sense"] = [
        {
            **{key: value for key, value in line.items() if key != "chip"},
            "driver": "line-server",
            "address": addresses["sense"],
        }
        for line in data["sense"]
    ]


def _shrunk(table: BaseModel, scale: float) -> dict[str, Any]:
    """A table as data, its durations (`..._s`, by the rule that names carry units) shrunk."""
    data = table.model_dump(by_alias=True, exclude_none=True)
    return {key: _value(key, value, scale) for key, value in data.items()}


def _value(key: str, value: Any, scale: float) -> Any:
    if isinstance(value, dict):
        return {name: _value(name, each, scale) for name, each in value.items()}
    if isinstance(value, list):
        return [_value(key, each, scale) for each in value]
    if not key.endswith("_s") or key in _MACHINE:
        return value
    return value * scale + (SLACK_S * (1 - scale) if key in _DEADLINES else 0.0)
