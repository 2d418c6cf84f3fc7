"""Which twin was asked for: its bench, and behind commas the instruments that it has in place of its usual ones.

`twin,supply=rigol-dp800,oscilloscope=rigol-ds1000z`. The bench file of a twin then names them. Opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NoReturn

from rig.errors import InputError, Where
from rig.toml_file import did_you_mean
from rig.twin.faces import OSCILLOSCOPES, SUPPLIES, ScopeFace, SupplyFace
from rig.twin.meters import METERS, with_meter

METER, PEAK = "meter", "peak_detect"
TABLES: dict[str, dict[str, SupplyFace | ScopeFace]] = {
    "supply": {str(name): face for name, face in SUPPLIES.items()},
    "oscilloscope": {str(name): face for name, face in OSCILLOSCOPES.items()},
}
"""The options: the table of the bench file that each is about, and what may stand there. A meter is no instrument: its
table is another one for each (`rig.twin.meters`)."""


_KNOWN = {**{table: list(faces) for table, faces in TABLES.items()}, PEAK: ["true", "false"], METER: list(METERS)}


def split(asked: str) -> tuple[str, dict[str, str]]:
    """The bench's name, which is not looked at here, and the options. Raises InputError, one line, for wrong ones."""
    name, *words = asked.split(",")
    options: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            _refuse("not an option of a twin", word, f"KEY=VALUE, with KEY one of: {', '.join(_KNOWN)}")
        if key not in _KNOWN:
            _refuse(f"no option '{key}' of a twin{did_you_mean(key, list(_KNOWN))}", word, ", ".join(_KNOWN))
        if key in options:
            _refuse(f"'{key}' is said twice", word, f"one {key}")
        if value not in _KNOWN[key]:
            known = _KNOWN[key]
            _refuse(f"the twin has no {key} '{value}'{did_you_mean(value, known)}", word, ", ".join(known))
        options[key] = value
    return name, options


def chosen(text: str, options: Mapping[str, str]) -> str:
    """The bench file `text` of a twin with these instruments."""
    if METER in options:
        text = with_meter(text, options[METER])
    if PEAK in options:
        text = "".join(_with_keys(text.splitlines(keepends=True), "oscilloscope", {PEAK: options[PEAK]}))
    for table, driver in options.items():
        if table not in TABLES:
            continue
        keys = {"driver": f'"{driver}"', **TABLES[table][driver].keys}
        text = "".join(_with_keys(text.splitlines(keepends=True), table, keys))
    return text


def _with_keys(lines: list[str], table: str, keys: Mapping[str, str]) -> Iterable[str]:
    """Lines of TOML, in which the first table `[[table]]` has these values. A key that it had not comes last."""
    start = lines.index(f"[[{table}]]\n")
    end = next((n for n in range(start + 1, len(lines)) if lines[n].strip() == "" or lines[n][0] == "["), len(lines))
    body, missing = lines[start:end], dict(keys)
    for number, line in enumerate(body):
        key = line.partition("=")[0].strip()
        if key in keys:
            body[number] = f"{key} = {missing.pop(key)}\n"
    return [*lines[:start], *body, *(f"{key} = {value}\n" for key, value in missing.items()), *lines[end:]]


def _refuse(message: str, found: str, expected: str) -> NoReturn:
    raise InputError(message, Where(key="--bench", found=repr(found), expected=expected))
