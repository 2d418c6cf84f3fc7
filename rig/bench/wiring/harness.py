"""A harness file: what WireViz draws (connectors, cables, connections), and beside it what each part does (`rig`).

WireViz knows wires; that a relay's contact closes when its coil is fed it does not know. The section `rig`, which it
ignores, says so. Types and shapes are checked here, meaning elsewhere. Keys of WireViz that only it reads are let
through; the rest of its syntax (templates, arrows, wires by colour) is not understood, and refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rig.bench.wiring.values import Value, parse_value
from rig.bench.wiring.yaml_lines import read_yaml
from rig.toml_file import Key, validate

Pin = str | int
Pair = Annotated[list[Pin], Field(min_length=2, max_length=2)]
Ohm = Annotated[Value, BeforeValidator(partial(parse_value, unit="ohm"))]
Volt = Annotated[Value, BeforeValidator(partial(parse_value, unit="V"))]
Amp = Annotated[Value, BeforeValidator(partial(parse_value, unit="A"))]
Farad = Annotated[Value, BeforeValidator(partial(parse_value, unit="F"))]
Watt = Annotated[Value, BeforeValidator(partial(parse_value, unit="W"))]
Gain = Annotated[Value, BeforeValidator(partial(parse_value, unit=""))]
VoltRange = Annotated[list[Volt], Field(min_length=2, max_length=2)]
Channels = Annotated[dict[Pin, Pin], Field(min_length=1)]

_ONLY_DRAWN = {
    "connectors": "type subtype manufacturer mpn supplier spn pn notes image color pincolors bgcolor "
    "bgcolor_title category show_name show_pincount hide_disconnected_pins ignore_in_bom additional_components",
    "cables": "category type manufacturer mpn supplier spn pn notes image color length length_unit gauge_unit "
    "show_equiv bgcolor bgcolor_title show_name show_wirecount show_wirenumbers ignore_in_bom additional_components",
    "": "metadata options tweak templates additional_bom_items",
}  # fmt: skip
"""Keys of WireViz 0.4 that say nothing of what is joined."""


def _without(table: str, data: object) -> object:
    words = _ONLY_DRAWN[table].split()
    return {k: v for k, v in data.items() if k not in words} if isinstance(data, dict) else data


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


# -- what WireViz draws --------------------------------------------------------------------------------------------


class Connector(_Table):
    """A part with pins: `pins` names them, or they are counted from 1."""

    pincount: Annotated[int, Field(ge=1, le=500)] | None = None
    pins: list[Pin] = []
    pinlabels: list[Pin] = []
    loops: list[Pair] = []
    style: Literal["simple"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _drawn(cls, data: object) -> object:
        return _without("connectors", data)

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.pins)) != len(self.pins):
            raise ValueError("a pin stands twice")
        return self

    def names(self) -> list[Pin]:
        count = self.pincount or max(len(self.pins), len(self.pinlabels), 1)
        return self.pins or list(range(1, count + 1))

    def label(self, pin: Pin) -> str:
        """What stands at a pin, or nothing."""
        index = self.names().index(pin)
        return str(self.pinlabels[index]) if index < len(self.pinlabels) else ""


class Cable(_Table):
    """Cores, counted from 1."""

    wirecount: Annotated[int, Field(ge=1, le=500)] | None = None
    colors: list[str] = []
    color_code: str | None = None
    wirelabels: list[Pin] = []
    gauge: str | float | None = None
    shield: bool | str = False

    @model_validator(mode="before")
    @classmethod
    def _drawn(cls, data: object) -> object:
        return _without("cables", data)

    def count(self) -> int:
        return self.wirecount or len(self.colors)

    def colour(self, core: int) -> str:
        if self.colors:
            return self.colors[(core - 1) % len(self.colors)]
        return f"{self.color_code} {core}" if self.color_code else ""

    def label(self, core: int) -> str:
        return str(self.wirelabels[core - 1]) if core <= len(self.wirelabels) else ""


# -- what each part does -------------------------------------------------------------------------------------------


class Header(_Table):
    """The Raspberry Pi's 40-pin header."""

    kind: Literal["header"]


class ChannelPart(_Table):
    """Passes levels on, input pin: output pin. A driver's output carries its load's current when its input is high."""

    kind: Literal["driver", "isolator", "level"]
    channels: Channels
    inverting: bool = False


class WatchdogPart(_Table):
    """`output` is high while `feed` is pulsed, and falls `factor` x R x C after the last pulse."""

    kind: Literal["watchdog"]
    feed: Pin
    output: Pin
    resistor: Ohm
    capacitor: Farad
    factor: Annotated[list[Annotated[float, Field(gt=0, le=100)]], Field(min_length=2, max_length=2)]


class RelayPart(_Table):
    """`makes` are joined when the coil is fed, `breaks` when it is not."""

    kind: Literal["relay"]
    coil: Pair
    makes: list[Pair] = []
    breaks: list[Pair] = []


class EmergencyStop(_Table):
    """`breaks` are joined until somebody presses it."""

    kind: Literal["emergency-stop"]
    breaks: Annotated[list[Pair], Field(min_length=1)]


class Protection(_Table):
    """A fuse, circuit breaker or RCBO: each of `poles` is joined."""

    kind: Literal["protection"]
    poles: Annotated[list[Pair], Field(min_length=1)]


class Terminal(_Table):
    """A terminal block: all its pins are joined."""

    kind: Literal["terminal"]


class Polarised(_Table):
    """Two poles: the supply of the coils, or the bench supply's output."""

    kind: Literal["coil-supply", "supply"]
    plus: Pin
    minus: Pin


class LivePart(_Table):
    """The mains inlet, or the meter's supply terminals: live conductors in their order, and neutral."""

    kind: Literal["mains", "meter"]
    live: Annotated[list[Pin], Field(min_length=1, max_length=3)]
    neutral: Pin


class MainsDetector(_Table):
    """`output` is high while there is mains between `live` and `neutral`."""

    kind: Literal["mains-detector"]
    live: Pin
    neutral: Pin
    output: Pin


class Divider(_Table):
    """From the rail to a comparator's input: `top` to the rail, `bottom` to common. `high` says when its output is."""

    high: Literal["above", "below"]
    top: Ohm
    bottom: Ohm


class Comparators(_Table):
    """Comparators with one reference that look at one node; `falling` and `rising`: lowest and highest thresholds."""

    kind: Literal["comparators"]
    rail: Pin
    common: Pin
    falling: VoltRange
    rising: VoltRange
    bias: Amp
    outputs: Annotated[dict[Pin, Divider], Field(min_length=1)]


class CurrentSensor(_Table):
    """A shunt in series, an amplifier with an offset, a comparator: `output` is high while current flows."""

    kind: Literal["current-sensor"]
    through: Pair
    output: Pin
    shunt: Ohm
    gain: Gain
    offset: Volt
    falling: VoltRange
    rising: VoltRange


class LoadPart(_Table):
    """The minimum load."""

    kind: Literal["load"]
    between: Pair
    ohm: Ohm
    watts: Watt


class Probe(_Table):
    """The oscilloscope's probe. An earthed clip may short ICHIS common to earth, so there is no word for it."""

    kind: Literal["probe"]
    plus: Pin
    minus: Pin
    ratio: Annotated[float, Field(gt=0, le=1000)]
    input: Literal["differential", "isolated"]


class IchisPart(_Table):
    """A 20-pin ICHIS connector. `node` is what the bench file calls the hub's 12 V."""

    kind: Literal["ichis"]
    side: Literal["meter", "hub"]
    node: str | None = None


Part = Annotated[
    Header
    | ChannelPart
    | WatchdogPart
    | RelayPart
    | EmergencyStop
    | Protection
    | Terminal
    | Polarised
    | LivePart
    | MainsDetector
    | Comparators
    | CurrentSensor
    | LoadPart
    | Probe
    | IchisPart,
    Field(discriminator="kind"),
]


class RigTable(_Table):
    """What the check knows beside the drawing. A part that is not named here is only drawn."""

    schema_: Literal["rig.harness/1"] = Field(alias="schema")
    parts: dict[str, Part]


class HarnessFile(_Table):
    """The whole file."""

    connectors: Annotated[dict[str, Connector], Field(min_length=1)]
    cables: dict[str, Cable]
    connections: list[list[Any]]
    rig: RigTable

    @model_validator(mode="before")
    @classmethod
    def _drawn(cls, data: object) -> object:
        return _without("", data)


@dataclass(frozen=True)
class Harness:
    """A harness that was read: its content, its file, and the line of every key."""

    file: str
    content: HarnessFile
    lines: dict[Key, int]

    def line(self, key: Key) -> int | None:
        """The line of a key, or of the nearest table around it."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)


def load_harness(path: Path) -> Harness:
    """The harness at `path`. Raises InputError."""
    data, lines = read_yaml(path)
    content = validate(HarnessFile, data, "", str(path), lines.get)
    return Harness(str(path), content, lines)
