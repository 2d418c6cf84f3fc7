"""Makes the fixtures that come with the rig: `python -m rig.firmware.make [DIR]`. The same bytes every time.

All of them are synthetic: the meters, the images, and what the meters do. An image's content is a SHA-256 counter
stream seeded with the fixture's name, so every fixture has an image of its own, and a hash names a behaviour.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

from rig.errors import InputError, RigError, Where
from rig.firmware import ota
from rig.firmware.fixture import MANIFEST, NOMINAL_V, Behaviour, Expected, Pulses, encode_version

MAKER = "Synthetic Meters"
HARDWARE = "SM-ESME-1"
VERSION_FROM = "1.0.0"
VERSION_TO = "1.1.0"
IMAGE = "image.ota"

_CONTENT_BYTES = 3072
_MANUFACTURER_CODE = 0xFFF1  # stands for no real maker
_IMAGE_TYPE = 0x0001
_FIRST_CUT_S = 3.0
_SILENT_BEFORE_CUT_S = 1.0
_BOOT_S = 5.0

_BROWN_OUT_V = 8.5


@dataclass(frozen=True)
class Recipe:
    """One fixture: its name, what its meter does in words and as data, and the verdict to expect."""

    name: str
    story: str
    behaviour: Behaviour
    expected: Expected


def recipes() -> tuple[Recipe, ...]:
    """All fixtures that come with the rig."""
    return (*_passes(), *_fails(), *_inconclusive())


def make(folder: Path) -> list[Path]:
    """Write all fixtures under `folder`, and return their folders. Raises InputError where that cannot be written."""
    written = []
    for recipe in recipes():
        place = folder / recipe.name
        image = image_of(recipe.name)
        try:
            place.mkdir(parents=True, exist_ok=True)
            (place / IMAGE).write_bytes(image)
            (place / MANIFEST).write_text(manifest_of(recipe, image), encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", Where(file=str(place))) from error
        written.append(place)
    return written


def image_of(name: str) -> bytes:
    """The OTA upgrade file of a fixture: the 60-byte header of GB images, one sub-element of counter-stream bytes."""
    blocks = (hashlib.sha256(f"{name}:{n}".encode()).digest() for n in range(_CONTENT_BYTES // 32))
    version = encode_version(VERSION_TO)
    assert version is not None  # noqa: S101 - for the type checker: VERSION_TO is a constant of this module
    return ota.build(
        manufacturer_code=_MANUFACTURER_CODE,
        image_type=_IMAGE_TYPE,
        file_version=version,
        elements=[ota.OtaElement(ota.TAG_UPGRADE_IMAGE, b"".join(blocks))],
        header_string=f"{MAKER} {HARDWARE} {VERSION_TO}".encode(),
        hardware_versions=(1, 1),
    )


def manifest_of(recipe: Recipe, image: bytes) -> str:
    """The text of a fixture's manifest."""
    reason = f'reason = "{recipe.expected.reason}"\n' if recipe.expected.reason else ""
    return f"""\
{fill(recipe.story, width=100, initial_indent="# ", subsequent_indent="# ")}
#
# Synthetic: this meter, its image and its behaviour are invented. Made by `python -m rig.firmware.make`.
schema = "rig.fixture/1"

[firmware]
maker = "{MAKER}"
hardware = "{HARDWARE}"
version_from = "{VERSION_FROM}"
version_to = "{VERSION_TO}"

[image]
file = "{IMAGE}"
sha256 = "{hashlib.sha256(image).hexdigest()}"

[expected]
verdict = "{recipe.expected.verdict}"
{reason}text = "{recipe.expected.text}"

{_behaviour_text(recipe.behaviour)}"""


def _behaviour_text(behaviour: Behaviour) -> str:
    lines = [
        "# What the meter of the twin bench does. Times are seconds from the activation command.",
        "[synthetic]",
        f"accepts_image = {str(behaviour.accepts_image).lower()}",
        f'version_after = "{behaviour.version_after}" # "to": the new version runs in the end; "from": the old one',
    ]
    if behaviour.version_changes_at_s is not None:
        lines.append(f"version_changes_at_s = {behaviour.version_changes_at_s}")
    if behaviour.feed:
        lines += [
            "# Steps of the meter's 12 V output: [time, volts]; 0 is off. Before the first step it gives 12 V.",
            "feed = [",
        ]
        lines += [f"  [{at_s}, {volts}]," for at_s, volts in behaviour.feed]
        lines.append("]")
    if behaviour.pulses is not None:
        p = behaviour.pulses
        lines += [
            "# Until until_s, 12 V for on_s at the start of each period, else nothing.",
            f"pulses = {{ from_s = {p.from_s}, until_s = {p.until_s}, period_s = {p.period_s}, on_s = {p.on_s} }}",
        ]
    if behaviour.silent:
        stretches = ", ".join(f"[{start}, {end}]" for start, end in behaviour.silent)
        lines += [
            "# Stretches in which the meter does not answer: [from, until]; inf is for ever.",
            f"silent = [{stretches}]",
        ]
    return "\n".join(lines) + "\n"


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


def main(arguments: list[str]) -> int:
    """Write the fixtures to DIR, else to `firmware_fixtures` beside the sources. Returns the exit code."""
    try:
        if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
            raise InputError("usage: python -m rig.firmware.make [DIR]")
        folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2] / "firmware_fixtures"
        for place in make(folder):
            sys.stdout.write(f"{place}\n")
    except RigError as error:
        sys.stderr.write(f"{error.one_line()}\n")
        return int(error.code)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
