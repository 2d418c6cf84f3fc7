"""Python, the operating system, and which libraries and extras are installed. Imports none of them."""

from __future__ import annotations

import re

from rig.procedures.doctor.machine import Machine
from rig.records.doctor import Check, Desk

_DESK = Desk("software")
_EXTRA = re.compile(r"""^([A-Za-z0-9._-]+).*;.*\bextra\s*==\s*['"]([A-Za-z0-9._-]+)['"]""")
_FOR_PEOPLE_WHO_DEVELOP = "dev"
_RPI_GPIO, _RPI_LGPIO = "RPi.GPIO", "rpi-lgpio"
_NO_WHEELS = (3, 13)
"""From this Python on there is no wheel of lgpio: it comes from Debian."""


def system(machine: Machine) -> Check:
    """What this is, for a report of a fault."""
    names = dict(line.partition("=")[::2] for line in (machine.read("/etc/os-release") or "").splitlines())
    pretty = names.get("PRETTY_NAME", "").strip('"') or "an unknown system"
    board = f" on a {machine.model()}" if machine.model() else ""
    python = ".".join(str(part) for part in machine.python)
    return _DESK.ok("Python and system", f"Python {python}, {pretty}{board}")


def gpio_library(machine: Machine, needed: bool) -> Check:
    """The library behind the relays: `RPi.GPIO` by one of two distributions, never both, nor the old one on a Pi 5."""
    what = "relay library (extra pi)"
    old, new = machine.version_of(_RPI_GPIO), machine.version_of(_RPI_LGPIO)
    install = "pip install 'ichis-rig[pi]'"
    if old and new:
        found = f"{_RPI_GPIO} {old} and {_RPI_LGPIO} {new} overwrite each other's files"
        to_do = f"pip uninstall {_RPI_GPIO} {_RPI_LGPIO}, then {install}"
        return _DESK.bad(needed, what, found, to_do)
    if old and "Raspberry Pi 5" in (machine.model() or ""):
        found = f"{_RPI_GPIO} {old} does not run on a Raspberry Pi 5"
        return _DESK.bad(needed, what, found, f"pip uninstall {_RPI_GPIO}, then {install}")
    if new and not machine.has_module("lgpio"):
        return _DESK.bad(needed, what, f"{_RPI_LGPIO} {new} without lgpio", _lgpio(machine))
    if old or new:
        return _DESK.ok(what, f"{_RPI_LGPIO} {new}" if new else f"{_RPI_GPIO} {old}")
    if not needed and not machine.is_pi():
        return _DESK.not_here(what, "not installed; no Raspberry Pi")
    return _DESK.bad(
        needed, what, "not installed", f"{_lgpio(machine)}; {install}" if _from_debian(machine) else install
    )


def _from_debian(machine: Machine) -> bool:
    return machine.python[:2] >= _NO_WHEELS and not machine.has_module("lgpio")


def _lgpio(machine: Machine) -> str:
    if _from_debian(machine):
        return "sudo apt install python3-lgpio, and make the environment with python3 -m venv --system-site-packages"
    return "pip install lgpio"


def extras(machine: Machine) -> list[Check]:
    """The other extras of this package, as its own metadata names them: what is not installed is told, and no fault."""
    wanted: dict[str, list[str]] = {}
    for requirement in machine.own_requirements():
        if match := _EXTRA.match(requirement):
            wanted.setdefault(match[2], []).append(match[1])
    rows = []
    for extra, names in sorted(wanted.items()):
        if extra in (_FOR_PEOPLE_WHO_DEVELOP, "pi"):
            continue
        missing = [name for name in names if machine.version_of(name) is None]
        what = f"extra {extra}"
        if missing:
            found = f"{', '.join(missing)} not installed; to have it: pip install 'ichis-rig[{extra}]'"
            rows.append(_DESK.not_here(what, found))
        else:
            rows.append(_DESK.ok(what, ", ".join(f"{name} {machine.version_of(name)}" for name in names)))
    return rows
