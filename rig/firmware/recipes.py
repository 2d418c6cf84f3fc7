"""The fixtures that come with the rig: their names, what their meters do, the verdicts to expect. Writes nothing.

All of them are synthetic: the meters, the images, and what the meters do. An image's content is a SHA-256 counter
stream seeded with the fixture's name, so every fixture has an image of its own, and a hash names a behaviour.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from rig.firmware import ota
from rig.firmware.fixture import NOMINAL_V, Behaviour, Expected, Pulses, encode_version

MAKER = "Synthetic Meters"
HARDWARE = "SM-ESME-1"
HARDWARE_VERSION = 1
MANUFACTURER_CODE = 0xFFF1
"""Stands for no real maker."""
IMAGE_TYPE = 0x0001
OLD_VERSION = "1.0.0"
NEW_VERSION = "1.1.0"
WAY_BACK = "back-45s"
"""The fixture that takes the meter from the new version to the old one."""

_CONTENT_BYTES = 3072
_FIRST_CUT_S = 3.0
_SILENT_BEFORE_CUT_S = 1.0
_BOOT_S = 5.0

_BROWN_OUT_V = 8.5


@dataclass(frozen=True)
class Recipe:
    """One fixture: its name, what its meter does in words and as data, the verdict to expect, and the way back."""

    name: str
    story: str
    behaviour: Behaviour
    expected: Expected
    version_from: str = OLD_VERSION
    version_to: str = NEW_VERSION

    @property
    def back(self) -> str | None:
        """None where the new version never runs, for there is nothing to go back from, and for the way back itself."""
        return WAY_BACK if self.version_to == NEW_VERSION and self.behaviour.version_after == "to" else None


def recipes() -> tuple[Recipe, ...]:
    """All fixtures that come with the rig."""
    return (*_passes(), _way_back(), *_fails(), *_inconclusive())


def image_of(recipe: Recipe) -> bytes:
    """The OTA upgrade file of a fixture: the 60-byte header of GB images, one sub-element of counter-stream bytes."""
    blocks = (hashlib.sha256(f"{recipe.name}:{n}".encode()).digest() for n in range(_CONTENT_BYTES // 32))
    version = encode_version(recipe.version_to)
    assert version is not None  # noqa: S101 - for the type checker: the versions are constants of this module
    return ota.build(
        manufacturer_code=MANUFACTURER_CODE,
        image_type=IMAGE_TYPE,
        file_version=version,
        elements=[ota.OtaElement(ota.TAG_UPGRADE_IMAGE, b"".join(blocks))],
        header_string=f"{MAKER} {HARDWARE} {recipe.version_to}".encode(),
        hardware_versions=(HARDWARE_VERSION, HARDWARE_VERSION),
    )


def _cuts(*cuts: tuple[float, float], new_version: bool = True) -> Behaviour:
    """A meter that gives no 12 V in each (from_s, until_s). It is silent from 1 s before each cut until it has booted.

    The new version runs when the meter has booted after the last cut.
    """
    silent = tuple((start - _SILENT_BEFORE_CUT_S, end + _BOOT_S) for start, end in cuts)
    return Behaviour(
        feed=tuple(step for start, end in cuts for step in ((start, 0.0), (end, NOMINAL_V))),
        version_after="to" if new_version else "from",
        version_changes_at_s=silent[-1][1] if new_version else None,
        silent=silent,
    )


def _chain(lengths_s: list[float], between_s: float) -> list[tuple[float, float]]:
    """Cuts of these lengths, with the 12 V back for `between_s` after each."""
    cuts, start = [], _FIRST_CUT_S
    for length_s in lengths_s:
        cuts.append((start, start + length_s))
        start += length_s + between_s
    return cuts


def _one_cut(length_s: float, at_s: float = _FIRST_CUT_S) -> Behaviour:
    return _cuts((at_s, at_s + length_s))


def _hiccup(length_s: float) -> Behaviour:
    """One outage of `length_s`, in which the converter gives 50 ms of 12 V each second."""
    end = _FIRST_CUT_S + length_s
    whole = _one_cut(length_s)
    return Behaviour(
        feed=whole.feed,
        pulses=Pulses(from_s=_FIRST_CUT_S + 1.0, until_s=end, period_s=1.0, on_s=0.05),
        version_changes_at_s=whole.version_changes_at_s,
        silent=whole.silent,
    )


def _brown_out() -> Behaviour:
    """20 s of low volts, 30 s of none, 20 s of low volts."""
    volts = (_BROWN_OUT_V, 0.0, _BROWN_OUT_V, NOMINAL_V)
    whole = _one_cut(70.0)
    return Behaviour(
        feed=tuple(zip((3.0, 23.0, 53.0, 73.0), volts, strict=True)),
        version_changes_at_s=whole.version_changes_at_s,
        silent=whole.silent,
    )


def _passes() -> tuple[Recipe, ...]:
    def recipe(name: str, story: str, behaviour: Behaviour, text: str) -> Recipe:
        return Recipe(name, story, behaviour, Expected("PASS", None, text))

    return (
        recipe(
            "no-cut",
            "A meter that keeps the hub's 12 V up while it changes its firmware.",
            Behaviour(version_changes_at_s=20.0, silent=((2.0, 20.0),)),
            "the 12 V never went away",
        ),
        recipe(
            "cut-45s",
            "A meter that reboots once: no 12 V for 45 s, beginning 3 s after the command.",
            _one_cut(45.0),
            "one outage of 45 s: below the limit of 180 s",
        ),
        recipe(
            "cut-179s",
            "A meter that keeps the rule by one second: no 12 V for 179 s.",
            _one_cut(179.0),
            "one outage of 179 s: below the limit of 180 s",
        ),
        recipe(
            "double-reboot",
            "A meter that reboots twice: 50 s and 70 s without 12 V, 30 s between them. In between it answers with its "
            "old version.",
            _cuts(*_chain([50.0, 70.0], 30.0)),
            "the longest outage is 70 s: two outages are two, each below the limit of 180 s",
        ),
        recipe(
            "chain-of-cuts",
            "A meter that reboots five times: 50 s without 12 V each time, 20 s between them. 250 s in all, and yet no "
            "cut of more than three minutes.",
            _cuts(*_chain([50.0] * 5, 20.0)),
            "the longest of five outages is 50 s: below the limit of 180 s",
        ),
        recipe(
            "brown-out",
            "A meter whose 12 V sags on its way down and up: 20 s at 8.5 V, 30 s at nothing, 20 s at 8.5 V. Whether "
            "the sag counts depends on the thresholds: the outage is from 30 s to 70 s long.",
            _brown_out(),
            "one outage of at most 70 s: below the limit of 180 s",
        ),
        recipe(
            "hiccup",
            "A meter whose converter tries to start each second and gives 50 ms of 12 V, for 100 s. Such pulses "
            "restore nothing.",
            _hiccup(100.0),
            "one outage of 100 s, pulses and all: below the limit of 180 s",
        ),
        recipe(
            "late",
            "A meter that takes its time: it answers with its old version for 40 minutes after the command, then cuts "
            "the 12 V for 45 s.",
            _one_cut(45.0, at_s=40 * 60.0),
            "one outage of 45 s, 40 minutes after the command: below the limit of 180 s",
        ),
    )


def _way_back() -> Recipe:
    return Recipe(
        WAY_BACK,
        f"The way back, for runs there and back: it takes the meter from {NEW_VERSION} to {OLD_VERSION} again. It "
        "reboots once: no 12 V for 45 s.",
        _one_cut(45.0),
        Expected("PASS", None, "one outage of 45 s: below the limit of 180 s"),
        version_from=NEW_VERSION,
        version_to=OLD_VERSION,
    )


def _fails() -> tuple[Recipe, ...]:
    def recipe(name: str, story: str, behaviour: Behaviour, text: str) -> Recipe:
        return Recipe(name, story, behaviour, Expected("FAIL", "limit_exceeded", text))

    return (
        recipe(
            "cut-181s",
            "A meter that breaks the rule by one second: no 12 V for 181 s.",
            _one_cut(181.0),
            "one outage of 181 s: above the limit of 180 s",
        ),
        recipe(
            "cut-240s",
            "A meter that cuts the 12 V for four minutes.",
            _one_cut(240.0),
            "one outage of 240 s: above the limit of 180 s",
        ),
        recipe(
            "long-hiccup",
            "A meter whose converter tries to start each second and gives 50 ms of 12 V, for 200 s. Such pulses "
            "restore nothing.",
            _hiccup(200.0),
            "one outage of 200 s, pulses and all: above the limit of 180 s",
        ),
        recipe(
            "never-returns",
            "A meter that dies of its new firmware: the 12 V goes and never comes back, and the meter never answers "
            "again.",
            Behaviour(feed=((_FIRST_CUT_S, 0.0),), version_after="from", silent=((2.0, float("inf")),)),
            "an outage without an end: above the limit of 180 s",
        ),
    )


def _inconclusive() -> tuple[Recipe, ...]:
    return (
        Recipe(
            "rejects-image",
            "A meter that finds the image bad when it verifies it. It never activates, so a rail that stays up proves "
            "nothing.",
            Behaviour(accepts_image=False, version_after="from"),
            Expected("INCONCLUSIVE", "activation_not_started", "the meter rejected the image: nothing was activated"),
        ),
        Recipe(
            "stays-old",
            "A meter whose activation fails: it reboots, goes back to its old image and reboots again. Two cuts of "
            "45 s, 20 s between them.",
            _cuts(*_chain([45.0, 45.0], 20.0), new_version=False),
            Expected("INCONCLUSIVE", "version_unchanged", "both outages are short, but the old version runs on"),
        ),
    )
