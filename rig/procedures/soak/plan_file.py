"""The tables of a soak's plan, `rig.plan/1`: what may be written there, and what no single key shows. Opens nothing.

Seconds and hours as the names say. `rig.procedures.soak.plan` loads the firmware that a plan names.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from rig.bench.values import Seconds, Table

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
Hours = Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Step = Literal["reconnect", "power-cycle-meter", "reset-usb"]
Keep = Literal["full", "envelope", "none"]
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def _end(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and re.fullmatch(_CLOCK, value)):
        return value
    found = repr(value) if isinstance(value, str) else str(value)
    raise ValueError(f'{found} is no time like "08:00" or 2027-03-31T08:00:00')


Until = Annotated[
    Any,
    BeforeValidator(_end),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": _CLOCK}, {"type": "string", "format": "date-time"}]}),
]
"""`"HH:MM"`, the next such local time, or a date with a time of day."""


class PlanTable(Table):
    """`order`: the firmware in turn, or drawn by `weight` (the same draw for the same seed)."""

    name: Name
    description: str = ""
    order: Literal["in-turn", "weighted"] = "in-turn"


class FirmwareTable(Table):
    """A fixture by name, or its folder (relative to the plan). Its manifest's `back` takes the meter back."""

    fixture: Annotated[str, Field(min_length=1, max_length=400)]
    weight: Annotated[int, Field(ge=1, le=1000)] | None = None


class EndTable(Table):
    """The first that comes ends the soak. `timezone` is that of `until`; without it, the machine's."""

    cycles: Count | None = None
    duration_h: Hours | None = None
    until: Until = None
    timezone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")] | None = None


class ControlsTable(Table):
    """All controls come before the first cycle; and again after so many cycles, or so many hours."""

    every_cycles: Count | None = None
    every_h: Hours | None = None


class BetweenTable(Table):
    """Between two cycles: a pause, and (only where it says so) K1 off for `off_s` and on again."""

    pause_s: Seconds = 0.0
    power_cycle_every: Count | None = None
    off_s: Annotated[float, Field(ge=1, le=3600)] = 30.0


class OutcomeTable(Table):
    """What is done about a verdict, once it has come `in_a_row` times, or `in_all` times."""

    then: Literal["go-on", "stop", "quarantine"] = "go-on"
    in_a_row: Count | None = None
    in_all: Count | None = None

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if self.then == "go-on" and (self.in_a_row or self.in_all):
            raise ValueError("nothing is counted where the soak goes on all the same: say 'stop' or 'quarantine'")
        return self

    def reached(self, in_a_row: int, in_all: int) -> bool:
        """Whether it is time. Without a count, the first one is it."""
        if self.then == "go-on":
            return False
        if self.in_a_row is None and self.in_all is None:
            return in_all >= 1
        return (self.in_a_row is not None and in_a_row >= self.in_a_row) or (
            self.in_all is not None and in_all >= self.in_all
        )


class OnTable(Table):
    """By verdict."""

    fail: OutcomeTable = OutcomeTable()
    inconclusive: OutcomeTable = OutcomeTable()
    error: OutcomeTable = OutcomeTable(then="stop", in_a_row=3)


class RecoveryTable(Table):
    """What is tried, in this order, when an instrument or the meter does not answer between two cycles.

    Again and again, with `retry_s` between, for at most `give_up_s`; then the soak stops, safe. `off_s`: how long K1
    stays open in `power-cycle-meter`. `usb`: the devices that `reset-usb` resets, by their names in sysfs. `tries`: how
    often in all a cycle is attempted that ends in ERROR.
    """

    steps: list[Step] = Field(default=["reconnect"])
    retry_s: Annotated[float, Field(ge=1, le=3600)] = 30.0
    give_up_s: Seconds = 900.0
    off_s: Annotated[float, Field(ge=1, le=3600)] = 30.0
    tries: Annotated[int, Field(ge=1, le=100)] = 2
    usb: list[Annotated[str, Field(pattern=r"^[0-9]+-[0-9]+(\.[0-9]+)*$")]] = Field(default=[])

    @model_validator(mode="after")
    def _usb(self) -> Self:
        if ("reset-usb" in self.steps) != bool(self.usb):
            raise ValueError("'reset-usb' among the steps, and the devices in usb = [\"1-1.4\"], go together")
        if len(set(self.steps)) != len(self.steps):
            raise ValueError("a step is named twice")
        return self


class DiskTable(Table):
    """Which captures are kept of a cycle that passed, and of any other: `full`, the `envelope`, or `none`."""

    passed: Keep = "envelope"
    others: Keep = "full"


class NotifyTable(Table):
    """Who is told what, away from the bench (extra `notify`). Addresses hold tokens, and are never written here.

    They come from the environment (`ICHIS_RIG_NOTIFY`) and from `file`: `name = "address"` lines, readable by its owner
    only, relative to the plan.
    """

    on: Annotated[list[Literal["fail", "stop", "not-safe", "end"]], Field(min_length=1)] = Field(
        default=["fail", "stop", "not-safe", "end"]
    )
    file: Annotated[str, Field(min_length=1, max_length=400)] | None = None


class PlanFile(Table):
    """The whole file."""

    schema_: Literal["rig.plan/1"] = Field(alias="schema")
    plan: PlanTable
    firmware: Annotated[list[FirmwareTable], Field(min_length=1, max_length=1000)]
    end: EndTable = EndTable()
    controls: ControlsTable = ControlsTable()
    between: BetweenTable = BetweenTable()
    on: OnTable = OnTable()
    recovery: RecoveryTable = RecoveryTable()
    disk: DiskTable = DiskTable()
    notify: NotifyTable | None = None
