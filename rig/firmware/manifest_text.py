"""The text of a fixture's manifest, with its comments. Writes nothing. What it may hold: `rig.firmware.manifest`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import fill

from rig.firmware import recipes
from rig.firmware.fixture import Behaviour
from rig.firmware.recipes import Recipe

Keys = Mapping[str, str | int | None]
"""The keys of one table; one whose value is None is left out."""


def packaged_text(recipe: Recipe, image: Keys) -> str:
    """The manifest of a fixture that comes with the rig."""
    firmware: Keys = {
        "maker": recipes.MAKER,
        "hardware": recipes.HARDWARE,
        "hardware_version": recipes.HARDWARE_VERSION,
        "version_from": recipe.version_from,
        "version_to": recipe.version_to,
        "back": recipe.back,
    }
    expected = recipe.expected
    story = [
        recipe.story,
        "",
        "Synthetic: this meter, its image and its behaviour are invented. Made by `rig firmware make`.",
    ]
    tables: dict[str, Keys] = {
        "firmware": firmware,
        "image": image,
        "expected": {"verdict": expected.verdict, "reason": expected.reason, "text": expected.text},
    }
    return f"{_text(story, tables)}\n{_behaviour_text(recipe.behaviour)}"


def own_text(origin: str, firmware: Keys, image: Keys) -> str:
    """The manifest of a lab's own fixture; `origin` says in words where the image comes from."""
    return _text([origin], {"firmware": firmware, "image": image})


def _text(story: list[str], tables: Mapping[str, Keys]) -> str:
    comment = [fill(line, width=100, initial_indent="# ", subsequent_indent="# ") or "#" for line in story]
    lines = [*comment, 'schema = "rig.fixture/1"']
    for name, keys in tables.items():
        rows = [f"{key} = {_value(key, value)}" for key, value in keys.items() if value is not None]
        lines += ["", f"[{name}]", *rows]
    return "\n".join(lines) + "\n"


_HEX_DIGITS = {"file_version": 8, "manufacturer_code": 4, "image_type": 4}


def _value(key: str, value: str | int) -> str:
    if isinstance(value, int):
        return f"0x{value:0{_HEX_DIGITS[key]}X}" if key in _HEX_DIGITS else str(value)
    return json.dumps(value, ensure_ascii=False)  # of text that prints; that is a TOML string too


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
