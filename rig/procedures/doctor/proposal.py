"""A first bench file, `rig.bench/1`, from what was found. What was not found is a marked placeholder that is refused.

Three kinds of values: found; `CHECK`, which is a usual value that nobody measured here; `FILL IN`, which was not found:
`load_bench` refuses the file until it is filled in. Never overwrites a file; the file is whole or not there.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.errors import InputError, Where
from rig.instruments.catalogue import OSCILLOSCOPES, SUPPLIES, Driver, Facts
from rig.instruments.guards import Guard
from rig.procedures.doctor.access import ChipSeen
from rig.procedures.doctor.discovery import Candidate
from rig.records.doctor import Gap, Proposal
from rig.whole_file import write_synced

PLACEHOLDER = "FILL IN"
_HEADER_CHIPS = ("pinctrl-bcm2", "pinctrl-rp1")
"""Labels of the chip behind a Raspberry Pi's 40-pin header: models up to 4 (bcm2835, bcm2711), and 5 (rp1)."""


@dataclass(frozen=True)
class MeterSeen:
    """A meter that answered: host:port, and the profile that it answered to."""

    address: str
    profile: str
    name: str


@dataclass(frozen=True)
class Findings:
    """What a bench file can be made from: the first supply, oscilloscope and header chip. The rest is told in it."""

    instruments: tuple[Candidate, ...]
    meter: MeterSeen | None
    chips: tuple[ChipSeen, ...]
    serial_ports: tuple[str, ...]
    bench_chip: str | None = None
    """The chip of a bench that was looked at and has its lines."""


def check_free(path: Path) -> None:
    """Raise InputError where the file could not be written, before anything is asked."""
    if path.exists() or path.is_symlink():
        raise InputError("there is already a file; nothing is overwritten", Where(str(path), expected="a new name"))
    if not path.absolute().parent.is_dir():
        raise InputError("no such folder", Where(str(path.parent), expected="a folder for the bench file"))


def write(path: Path, findings: Findings) -> Proposal:
    """Write it. Raises InputError where it cannot be written; then there is no file."""
    text = bench_file(findings)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        try:
            write_synced(partial, text.encode())
            os.link(partial, path)  # unlike a rename, this never replaces a file that came meanwhile
        finally:
            with suppress(FileNotFoundError):
                partial.unlink()
    except OSError as error:
        why = "there is already a file; nothing is overwritten" if error.errno == errno.EEXIST else "cannot be written"
        raise InputError(why, Where(str(path), found=error.strerror, expected="a new file")) from error
    gaps = tuple(_gaps(text))
    return Proposal(str(path), complete=not gaps, to_fill_in=gaps)


def bench_file(findings: Findings) -> str:
    """Its text."""
    return "\n".join(_lines(findings)) + "\n"


def _gaps(text: str) -> Iterator[Gap]:
    """The keys whose value is the placeholder."""
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("["):
            table = line.strip("[] ")
        elif line.partition("#")[0].rstrip().endswith(f'"{PLACEHOLDER}"'):
            yield Gap(f"{table}.{line.partition('=')[0].strip()}", number)


def _lines(found: Findings) -> Iterator[str]:
    supply = next((c for c in found.instruments if c.driver in SUPPLIES), None)
    scope = next((c for c in found.instruments if c.driver in OSCILLOSCOPES), None)
    header = next((c for c in found.chips if c.label.startswith(_HEADER_CHIPS)), None)
    chip = found.bench_chip or (header.path if header else None)
    yield from _head(found, supply, scope)
    yield from _instrument("supply", "psu", SUPPLIES, supply, "channel = 1   # CHECK: which channel is wired to K3")
    yield from _instrument(
        "oscilloscope", "scope", OSCILLOSCOPES, scope,
        "channel = 1   # CHECK: which channel looks at the hub's pins",
        "probe = 10.0  # CHECK: the probe's attenuation",
    )  # fmt: skip
    yield from _relays()
    yield from _sense(chip)
    yield from _meter(found.meter)


def _head(found: Findings, supply: Candidate | None, scope: Candidate | None) -> Iterator[str]:
    yield "# A first bench file, proposed by 'rig doctor --propose' from what answered."
    yield f'# "{PLACEHOLDER}": not found. The file is refused, with the line, until a person fills it in.'
    yield "# CHECK: a usual value that nobody measured on this bench."
    yield "# Found:"
    seen = [f"{_told(c)} at {c.address}" for c in found.instruments]
    seen += [f"meter {found.meter.name} at {found.meter.address}"] if found.meter else []
    seen += [f"GPIO chip {chip.path} [{chip.label}], {chip.lines} lines" for chip in found.chips]
    seen += [f"serial port {port}" for port in found.serial_ports]
    for text in seen or ["nothing"]:
        yield f"#   {_plain(text)}"
    unused = [c for c in found.instruments if c not in (supply, scope)]
    if unused:
        yield f"# Not used here: {_plain('; '.join(_told(c) for c in unused))}"
    yield 'schema = "rig.bench/1"'
    yield from ("", "[bench]", 'name = "bench"')
    yield from (
        "",
        "[hub]",
        "commissioned = true   # CHECK: the careful answer; false only for a hub that is not on live DCC",
    )
    yield from ("", "[rail]", "nominal_v = 12.0", "down_below_v = 6.0    # CHECK: from the ICHIS document")
    yield "up_above_v = 10.0     # CHECK: from the ICHIS document"


def _instrument(
    table: str, name: str, drivers: Mapping[Any, Facts], found: Candidate | None, *more: str
) -> Iterator[str]:
    yield from ("", f"[[{table}]]", f'name = "{name}"')
    if found is None:
        yield f'driver = "{PLACEHOLDER}"    # one of: {", ".join(drivers)}'
        yield f'address = "{PLACEHOLDER}"   # TCPIP::HOST::PORT::SOCKET; Rigol listens at port 5555'
    else:
        yield f'driver = "{found.driver}"'
        yield from _guards(found.driver)
        yield f"address = {_quoted(found.address)}"
        yield f"model = {_quoted(found.identity.model)}"
        yield f"serial = {_quoted(found.identity.serial)}"
    yield "# calibration_due = 2027-03-31   # the day on its label"
    yield from more


def _guards(driver: Driver | None) -> Iterator[str]:
    """What a supply without levels of its own has in their place."""
    if driver not in SUPPLIES:
        return
    facts = SUPPLIES[driver]
    for key, has in (("over_voltage_v", facts.over_voltage), ("over_current_a", facts.over_current)):
        if Guard.LEVEL not in has:
            yield f'{key} = "{has[0].value}"   # it has no level of its own'


def _relays() -> Iterator[str]:
    for name, role, pin, safe in (
        ("K1", "mains", 17, "as-is"),
        ("K2", "meter-feed", 27, "open"),
        ("K3", "supply-feed", 22, "open"),
    ):
        yield from ("", "[[relay]]", f'name = "{name}"', f'role = "{role}"', 'driver = "rpi-gpio"')
        yield f"pin = {pin}   # CHECK: as in wiring/"
        yield from ('active = "high"', f'safe = "{safe}"')


def _sense(chip: str | None) -> Iterator[str]:
    for role, line, more in (
        ("rail_up", 5, "band_v = [10.2, 10.8]   # CHECK: the comparator's whole band, with tolerances"),
        ("rail_down", 6, "band_v = [4.6, 5.4]     # CHECK: the comparator's whole band, with tolerances"),
        ("mains", 12, "latency_s = 0.03        # CHECK: the detector's delay"),
    ):
        yield from ("", "[[sense]]", f'name = "{role}"', f'role = "{role}"', 'driver = "gpiod"')
        yield f'chip = "{PLACEHOLDER}"   # see gpiodetect' if chip is None else f"chip = {_quoted(chip)}"
        yield f"line = {line}   # CHECK: as in wiring/"
        yield more


def _meter(found: MeterSeen | None) -> Iterator[str]:
    yield from ("", "[meter]", 'driver = "modbus-tcp"')
    if found is None:
        yield f'address = "{PLACEHOLDER}"   # HOST:PORT; Modbus TCP listens at port 502'
        yield f'profile = "{PLACEHOLDER}"   # a profile by name, or the path of one (.toml)'
    else:
        yield from (f"address = {_quoted(found.address)}", f"profile = {_quoted(found.profile)}")
    yield "unit = 1   # CHECK: the meter's Modbus unit"


def _told(found: Candidate) -> str:
    who = found.identity
    return f"{who.maker} {who.model}, serial {who.serial}, firmware {who.version}"


def _quoted(text: str) -> str:
    """A TOML basic string. JSON's escapes are among its own, but for surrogate pairs; and TOML escapes DEL as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    """What may stand in a comment: a device's words must not become lines of the file."""
    return "".join(c if c.isprintable() else "?" for c in text)
