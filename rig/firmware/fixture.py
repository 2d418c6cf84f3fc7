"""Firmware fixtures: a folder with a manifest and an OTA image, checked to the last byte before a bench is touched.

A fixture names the maker, the hardware and the two versions, and may carry a synthetic behaviour for the twin's meter.
No public measurement of a real activation's outage was found: every behaviour here is synthetic. Knows no meter.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from rig.errors import InputError, Where
from rig.firmware import ota
from rig.toml_file import Key, did_you_mean, dotted, line_of, read_toml, validate

if TYPE_CHECKING:
    from rig.firmware.manifest import Manifest, SyntheticTable

MANIFEST = "manifest.toml"
NOMINAL_V = 12.0
"""What the meter's output gives before the first step of its feed, and during a pulse."""


@dataclass(frozen=True)
class Expected:
    """The verdict that a run must end in, its reason code (None for a PASS), and why."""

    verdict: str
    reason: str | None
    text: str


@dataclass(frozen=True)
class Pulses:
    """A converter in hiccup from `from_s` until `until_s`: 12 V for `on_s` at the start of each period, else 0 V."""

    from_s: float
    until_s: float
    period_s: float
    on_s: float


@dataclass(frozen=True)
class Behaviour:
    """Synthetic: how the twin's meter behaves. Times in seconds from the activation command.

    `feed` holds steps (at_s, volts) of the meter's 12 V output, 0 = off and open; before the first step it gives 12 V.
    `silent` holds stretches (from_s, until_s) without an answer; until_s may be infinite. `version_changes_at_s` is
    when the new version runs, None when it never does. `accepts_image` False: verification says 'rejected'.
    """

    feed: tuple[tuple[float, float], ...] = ()
    pulses: Pulses | None = None
    accepts_image: bool = True
    version_after: Literal["to", "from"] = "to"
    version_changes_at_s: float | None = None
    silent: tuple[tuple[float, float], ...] = ()

    def feed_steps(self) -> tuple[tuple[float, float], ...]:
        """All steps (at_s, volts) of the output, ascending, pulses among them.

        From the start to the end of the pulses, the pulses alone decide; at their end the feed is what `feed` says.
        """
        if self.pulses is None:
            return self.feed
        p = self.pulses
        steps = [step for step in self.feed if not p.from_s <= step[0] <= p.until_s]
        number, start = 0, p.from_s
        while start < p.until_s:
            steps.append((start, NOMINAL_V))
            if start + p.on_s < p.until_s:
                steps.append((start + p.on_s, 0.0))
            number += 1
            start = p.from_s + number * p.period_s
        after = [volts for at_s, volts in self.feed if at_s <= p.until_s]
        steps.append((p.until_s, after[-1] if after else NOMINAL_V))
        return tuple(sorted(steps))

    def is_silent(self, at_s: float) -> bool:
        """Whether the meter does not answer at this time. A stretch begins silent and ends with an answer."""
        return any(start <= at_s < end for start, end in self.silent)


@dataclass(frozen=True)
class Fixture:
    """A firmware image and what is said of it. All of it was checked by `load`. `sha256` is lower-case hex.

    `expected` is None only where nothing is synthetic: nobody knows yet what a real meter does.
    """

    name: str
    folder: Path
    maker: str
    hardware: str
    version_from: str
    version_to: str
    sha256: str
    image: Path
    header: ota.OtaHeader
    expected: Expected | None
    behaviour: Behaviour | None

    @property
    def synthetic(self) -> bool:
        return self.behaviour is not None

    def image_bytes(self) -> bytes:
        """The whole upgrade file. Raises InputError when it is no longer the file that was checked."""
        data = _read_image(self.image)
        found = hashlib.sha256(data).hexdigest()
        if found != self.sha256:
            where = Where(file=str(self.image), found=found, expected=self.sha256)
            raise InputError("the image changed after it was checked", where)
        return data


def packaged() -> Path:
    """The folder of the fixtures that come with the rig: inside an installed package, else beside it in the sources."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "firmware_fixtures"
    return inside if inside.is_dir() else package.parent / "firmware_fixtures"


def names() -> list[str]:
    """The names of the fixtures that come with the rig, sorted."""
    return sorted(manifest.parent.name for manifest in packaged().glob(f"*/{MANIFEST}"))


def load(name_or_dir: str) -> Fixture:
    """The fixture of that name among those that come with the rig, else the one in that folder.

    A name is looked up in the list and never joined to a path. For a folder that has a fixture's name, write `./NAME`.
    Raises InputError (exit 2) for an unknown name, with the nearest known one, and for anything wrong in the fixture.
    """
    known = names()
    if name_or_dir in known:
        return _load(packaged() / name_or_dir)
    if name_or_dir and Path(name_or_dir).is_dir():
        return _load(Path(name_or_dir))
    if "/" in name_or_dir:
        raise InputError("no such folder", Where(file=name_or_dir))
    near = did_you_mean(name_or_dir, known)
    where = Where(expected=None if near else f"a folder, or one of: {', '.join(known)}")
    raise InputError(f"no firmware fixture {name_or_dir!r}{near}", where)


def encode_version(text: str) -> int | None:
    """The u32 file version of a version such as `1.2.3`: one byte a number, 0x01020300. None for any other text.

    This is the scheme of the fixtures that come with the rig; the standard leaves it to the maker.
    """
    match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})", text, re.ASCII)
    numbers = [int(part) for part in match.groups()] if match else []
    if not numbers or max(numbers) > 255:
        return None
    return int.from_bytes(bytes((*numbers, 0)), "big")


def _load(folder: Path) -> Fixture:
    from rig.firmware.manifest import Manifest

    file = folder / MANIFEST
    data, text = read_toml(file)
    manifest = validate(Manifest, data, text, str(file))
    image = folder / manifest.image.file
    content = _read_image(image)
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.image.sha256:
        message = f"{manifest.image.file} does not have this SHA-256"
        raise _wrong(file, text, ("image", "sha256"), message, found, manifest.image.sha256)
    header = ota.parse(content, str(image)).header
    _check_version(manifest, header, file, text)
    return Fixture(
        name=folder.resolve().name,
        folder=folder,
        maker=manifest.firmware.maker,
        hardware=manifest.firmware.hardware,
        version_from=manifest.firmware.version_from,
        version_to=manifest.firmware.version_to,
        sha256=found,
        image=image,
        header=header,
        expected=Expected(**manifest.expected.model_dump()) if manifest.expected else None,
        behaviour=_behaviour(manifest.synthetic) if manifest.synthetic else None,
    )


def _check_version(manifest: Manifest, header: ota.OtaHeader, file: Path, text: str) -> None:
    """The container's file version must be the one that the manifest names: no other image slips in by a wrong name."""
    own_scheme = manifest.image.file_version is not None
    key: Key = ("image", "file_version") if own_scheme else ("firmware", "version_to")
    to = manifest.firmware.version_to
    expected = manifest.image.file_version if own_scheme else encode_version(to)
    if expected is None:
        wanted = "numbers such as 1.2.3 (0 to 255 each), or file_version under [image]"
        raise _wrong(file, text, key, "no file version follows from this text", repr(to), wanted)
    if header.file_version != expected:
        message = f"{manifest.image.file} holds another version"
        named = f"0x{expected:08X}" if own_scheme else f"0x{expected:08X} for {to}"
        raise _wrong(file, text, key, message, f"file version 0x{header.file_version:08X}", named)


def _behaviour(table: SyntheticTable) -> Behaviour:
    def pairs(rows: list[list[float]]) -> tuple[tuple[float, float], ...]:
        return tuple(cast("tuple[float, float]", tuple(row)) for row in rows)

    return Behaviour(
        feed=pairs(table.feed),
        pulses=Pulses(**table.pulses.model_dump()) if table.pulses else None,
        accepts_image=table.accepts_image,
        version_after=table.version_after,
        version_changes_at_s=table.version_changes_at_s,
        silent=pairs(table.silent),
    )


def _read_image(image: Path) -> bytes:
    try:
        return image.read_bytes()
    except FileNotFoundError:
        raise InputError("no such image file", Where(file=str(image))) from None
    except OSError as error:
        raise InputError(f"the image cannot be read: {error.strerror}", Where(file=str(image))) from error


def _wrong(file: Path, text: str, key: Key, message: str, found: str, expected: str) -> InputError:
    return InputError(message, Where(str(file), dotted(key), line_of(text, key), found, expected))
