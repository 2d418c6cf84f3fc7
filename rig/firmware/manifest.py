"""What a fixture's `manifest.toml` may hold (`rig.fixture/1`), as pydantic models. Reads no file.

Import this module inside functions only: it brings pydantic. `rig.firmware.fixture` turns it into plain dataclasses.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

_MOST_PULSES = 100_000

Text = Annotated[str, Field(min_length=1, max_length=500)]
U16 = Annotated[int, Field(ge=0, le=0xFFFF)]
U32 = Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Pair = Annotated[list[float], Field(min_length=2, max_length=2)]


def _plain_name(value: str) -> str:
    if value in {".", ".."} or any(mark in value for mark in "/\\\0"):
        raise ValueError(f"{value!r} is not a plain name: no path is followed from here")
    return value


PlainName = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain_name)]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class FirmwareTable(_Table):
    """Which firmware this is: it takes the meter from one version to another.

    `hardware_version` is the meter's, as the container counts them: the image must be for it. `back` is the name of
    the fixture, in the folder beside this one, that takes the meter from `version_to` back to `version_from`.
    """

    maker: Text
    hardware: Text
    hardware_version: U16 | None = None
    version_from: Text
    version_to: Text
    back: PlainName | None = None


class ImageTable(_Table):
    """The image file beside the manifest, and what its container must say.

    Without `file_version`, which is for makers with a scheme of their own, it must be the one of `version_to`.
    """

    file: PlainName
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    file_version: U32 | None = None
    manufacturer_code: U16 | None = None
    image_type: U16 | None = None


class ExpectedTable(_Table):
    """The verdict that a run with this firmware must end in, its reason code, and why in words."""

    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE"]
    reason: (
        Literal[
            "limit_exceeded",
            "straddles_limit",
            "unseen_gap",
            "sources_disagree",
            "activation_not_started",
            "version_unchanged",
            "control_missing",
            "cause_unknown",
            "cause_not_meter",
            "safe_state_unproven",
            "instrument_lost",
            "interrupted",
        ]
        | None
    ) = None
    text: Text

    @model_validator(mode="after")
    def _only_a_pass_has_no_reason(self) -> ExpectedTable:
        if (self.verdict == "PASS") != (self.reason is None):
            raise ValueError("a PASS has no reason code; every other verdict has one")
        return self


class PulsesTable(_Table):
    """A converter in hiccup: `on_s` of 12 V at the start of each period, else 0 V."""

    from_s: Seconds
    until_s: Seconds
    period_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    on_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _in_order(self) -> PulsesTable:
        if not self.from_s < self.until_s:
            raise ValueError("from_s must be before until_s")
        if not self.on_s < self.period_s:
            raise ValueError("on_s must be shorter than period_s")
        if self.until_s - self.from_s > self.period_s * _MOST_PULSES:
            raise ValueError(f"more than {_MOST_PULSES} pulses")
        return self


class SyntheticTable(_Table):
    """How the twin's meter behaves. Times in seconds from the activation command; volts at the meter's 12 V output."""

    feed: list[Pair] = []
    pulses: PulsesTable | None = None
    accepts_image: bool = True
    version_after: Literal["to", "from"]
    version_changes_at_s: Seconds | None = None
    silent: list[Pair] = []

    @field_validator("feed")
    @classmethod
    def _steps(cls, steps: list[list[float]]) -> list[list[float]]:
        times = [at for at, _ in steps]
        if not all(0 <= at < float("inf") for at in times) or not all(a < b for a, b in pairwise(times)):
            raise ValueError("the times of the steps must be 0 or more, and ascend")
        if not all(0 <= volts <= 24 for _, volts in steps):
            raise ValueError("the volts of the steps must be from 0 to 24")
        return steps

    @field_validator("silent")
    @classmethod
    def _stretches(cls, stretches: list[list[float]]) -> list[list[float]]:
        times = [at for stretch in stretches for at in stretch]
        if not all(at >= 0 for at in times) or not all(a < b for a, b in pairwise(times)):
            raise ValueError("the stretches must be [from, until], ascend, and not touch")
        return stretches

    @model_validator(mode="after")
    def _version_in_order(self) -> SyntheticTable:
        if (self.version_after == "to") != (self.version_changes_at_s is not None):
            raise ValueError('version_changes_at_s belongs with version_after = "to", and only there')
        if self.version_after == "to" and not self.accepts_image:
            raise ValueError("an image that is not accepted cannot change the version")
        return self


class Manifest(_Table):
    """The whole file."""

    schema_: Annotated[Literal["rig.fixture/1"], Field(alias="schema")]
    firmware: FirmwareTable
    image: ImageTable
    expected: ExpectedTable | None = None
    synthetic: SyntheticTable | None = None

    @model_validator(mode="after")
    def _synthetic_is_expected(self) -> Manifest:
        if self.synthetic is not None and self.expected is None:
            raise ValueError("a synthetic fixture says what verdict is expected: the table [expected] is missing")
        return self
