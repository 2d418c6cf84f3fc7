"""The tables that profiles of Modbus and of the optical port have alike: identity, version, image status. Only checks.

Each is generic in how a value is read, which is the protocol's own.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from rig.meters.port import ImageState
from rig.toml_file import did_you_mean

Delay = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)]
Plain = Annotated[str, Field(min_length=1, max_length=200)]
_Value = TypeVar("_Value")
_Told = TypeVar("_Told")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Identity(_Table, Generic[_Value]):
    """Who it is: read from the meter, or (where it does not tell) the words themselves; left out = nobody tells."""

    maker: _Value | Plain | None = None
    model: _Value | Plain | None = None
    serial: _Value | Plain | None = None


class Version(_Table, Generic[_Value]):
    """The running firmware version: its parts, with `separator` between them."""

    parts: Annotated[list[_Value], Field(min_length=1, max_length=8)]
    separator: Annotated[str, Field(max_length=3)] = "."


class Status(_Table, Generic[_Value, _Told]):
    """What the meter says of its image: each state of `ImageState`, and the number or text that means it."""

    value: _Value
    states: dict[str, _Told]

    @field_validator("states")
    @classmethod
    def _known(cls, states: dict[str, _Told]) -> dict[str, _Told]:
        known = [state.value for state in ImageState]
        for name in states:
            if name not in known:
                raise ValueError(f"no image state {name!r}{did_you_mean(name, known)}; known: {', '.join(known)}")
        if len(set(states.values())) < len(states):
            raise ValueError("two states have the same meaning")
        return states

    def state(self, told: object) -> ImageState | None:
        return next((ImageState(name) for name, meaning in self.states.items() if meaning == told), None)
