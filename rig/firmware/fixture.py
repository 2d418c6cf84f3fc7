"""Firmware fixtures: a folder with a manifest and an OTA image, checked to the last byte before a bench is touched.

A fixture names the maker, the hardware and the two versions, and may carry a synthetic behaviour for the twin's meter.
No public measurement of a real activation's outage was found: every behaviour here is synthetic. Knows no meter.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from rig.errors import InputError, Where
from rig.firmware import ota
from rig.firmware.container import Container, survey
from rig.firmware.files import opened, sha256_of
from rig.shipped import shipped
from rig.toml_file import Key, did_you_mean, dotted, line_of, read_toml, validate

if TYPE_CHECKING:
    from rig.firmware.manifest import Manifest, SyntheticTable

MANIFEST = "manifest.toml"
MOST_IMAGE_BYTES = 64 << 20
"""An image is held in memory while it is sent. Meters have less flash than this."""
_MOST_MANIFEST_BYTES = 1 << 20
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
    back: str | None = None
    """The name of the fixture beside this one that takes the meter back: `load_back` loads it."""

    @property
    def synthetic(self) -> bool:
        return self.behaviour is not None

    def image_bytes(self) -> bytes:
        """The whole upgrade file. Raises InputError when it is no longer the file that was checked."""
        with opened(self.image) as source:
            data = source.read(MOST_IMAGE_BYTES + 1)
        found = hashlib.sha256(data).hexdigest()
        if found != self.sha256:
            where = Where(file=str(self.image), found=found, expected=self.sha256)
            raise InputError("the image changed after it was checked", where)
        return data


def packaged() -> Path:
    """The folder of the fixtures that come with the rig."""
    return shipped("firmware_fixtures")


def names() -> list[str]:
    """The names of the fixtures that come with the rig, sorted."""
    return [folder.name for folder in folders(packaged())]


def folders(place: Path) -> list[Path]:
    """The folders of fixtures in a folder, sorted by name; hidden ones are left out: they are half-written."""
    found = (manifest.parent for manifest in place.glob(f"*/{MANIFEST}"))
    return sorted(folder for folder in found if not folder.name.startswith("."))


def load(name_or_dir: str) -> Fixture:
    """The fixture of that name among those that come with the rig, else the one in that folder.

    A name is looked up in the list and never joined to a path. For a folder that has a fixture's name, write `./NAME`.
    Raises InputError (exit 2) for an unknown name, with the nearest known one, and for anything wrong in the fixture.
    """
    return load_folder(find(name_or_dir))


def find(name_or_dir: str) -> Path:
    """The folder of the fixture that `load` means. Raises InputError for an unknown name, with the nearest one."""
    known = names()
    if name_or_dir in known:
        return packaged() / name_or_dir
    if name_or_dir and Path(name_or_dir).is_dir():
        return Path(name_or_dir)
    if "/" in name_or_dir:
        raise InputError("no such folder", Where(file=name_or_dir))
    near = did_you_mean(name_or_dir, known)
    where = Where(expected=None if near else f"a folder, or one of: {', '.join(known)}")
    raise InputError(f"no firmware fixture {name_or_dir!r}{near}", where)


def load_back(there: Fixture) -> Fixture:
    """The fixture that takes the meter back to where `there` found it, checked.

    Raises InputError where `there` names none, where that one is wrong in itself, or where the two are no pair: another
    maker or hardware, another kind of image, the same image, or versions that do not lead back.
    """
    claimed = Claimed(there.folder)
    key = ("firmware", "back")
    if there.back is None:
        raise claimed.wrong(("firmware",), "no way back from this firmware", "no key 'back'", "the name of a fixture")
    folder = there.folder.resolve().parent / there.back
    if not (folder / MANIFEST).is_file():
        raise claimed.wrong(key, "no such fixture beside this one", repr(there.back), f"a folder {folder}")
    back = load_folder(folder)
    pairs = (
        ("version_from", back.version_from, there.version_to),
        ("version_to", back.version_to, there.version_from),
        ("maker", back.maker, there.maker),
        ("hardware", back.hardware, there.hardware),
        ("manufacturer code", f"0x{back.header.manufacturer_code:04X}", f"0x{there.header.manufacturer_code:04X}"),
        ("image type", f"0x{back.header.image_type:04X}", f"0x{there.header.image_type:04X}"),
    )
    for what, found, expected in pairs:
        if found != expected:
            raise claimed.wrong(key, f"{there.back} does not lead back: its {what} is another", found, expected)
    if back.sha256 == there.sha256:
        raise claimed.wrong(key, f"{there.back} does not lead back", "the same image", "another image")
    return back


def encode_version(text: str) -> int | None:
    """The u32 file version of a version such as `1.2.3`: one byte a number, 0x01020300. None for any other text.

    This is the scheme of the fixtures that come with the rig; the standard leaves it to the maker.
    """
    match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})", text, re.ASCII)
    numbers = [int(part) for part in match.groups()] if match else []
    if not numbers or max(numbers) > 255:
        return None
    return int.from_bytes(bytes((*numbers, 0)), "big")


class Claimed:
    """A manifest, checked in itself, and the image file that it names, not yet looked at."""

    def __init__(self, folder: Path) -> None:
        from rig.firmware.manifest import Manifest

        self.folder = folder
        self.file = folder / MANIFEST
        with opened(self.file) as source:
            size = source.seek(0, os.SEEK_END)
        if size > _MOST_MANIFEST_BYTES:
            where = Where(file=str(self.file), found=f"{size} bytes", expected=f"at most {_MOST_MANIFEST_BYTES}")
            raise InputError("too large for a manifest", where)
        data, self._text = read_toml(self.file)
        self.manifest: Manifest = validate(Manifest, data, self._text, str(self.file))
        self.image = folder / self.manifest.image.file

    def wrong(self, key: Key, message: str, found: str, expected: str) -> InputError:
        """Something wrong at a key of the manifest."""
        return InputError(message, Where(str(self.file), dotted(key), line_of(self._text, key), found, expected))

    def contradictions(self, header: ota.OtaHeader, sha256: str) -> Iterator[InputError]:
        """Where the image is not what the manifest says of it: no other image slips in by a wrong name."""
        firmware, image = self.manifest.firmware, self.manifest.image
        if sha256 != image.sha256:
            yield self.wrong(("image", "sha256"), f"{image.file} does not have this SHA-256", sha256, image.sha256)
        yield from self._version(header)
        for name in ("manufacturer_code", "image_type"):
            stated, found = getattr(image, name), getattr(header, name)
            if stated is not None and stated != found:
                message = f"{image.file} has another {name.replace('_', ' ')}"
                yield self.wrong(("image", name), message, f"0x{found:04X}", f"0x{stated:04X}")
        hardware = firmware.hardware_version
        if hardware is not None and not header.fits(hardware):
            message, expected = f"{image.file} is for other hardware", f"0x{hardware:04X} among them"
            yield self.wrong(("firmware", "hardware_version"), message, header.hardware_range, expected)

    def _version(self, header: ota.OtaHeader) -> Iterator[InputError]:
        own_scheme = self.manifest.image.file_version is not None
        key: Key = ("image", "file_version") if own_scheme else ("firmware", "version_to")
        to = self.manifest.firmware.version_to
        expected = self.manifest.image.file_version if own_scheme else encode_version(to)
        if expected is None:
            wanted = "numbers such as 1.2.3 (0 to 255 each), or file_version under [image]"
            yield self.wrong(key, "no file version follows from this text", repr(to), wanted)
        elif header.file_version != expected:
            message = f"{self.manifest.image.file} holds another version"
            named = f"0x{expected:08X}" if own_scheme else f"0x{expected:08X} for {to}"
            yield self.wrong(key, message, f"file version 0x{header.file_version:08X}", named)


def load_folder(folder: Path) -> Fixture:
    """The fixture in that folder, whatever its name. Raises InputError for anything wrong in it."""
    claimed = Claimed(folder)
    container, sha256 = _checked_image(claimed.image)
    for contradiction in claimed.contradictions(container.header, sha256):
        raise contradiction
    manifest = claimed.manifest
    return Fixture(
        name=claimed.folder.resolve().name,
        folder=claimed.folder,
        maker=manifest.firmware.maker,
        hardware=manifest.firmware.hardware,
        version_from=manifest.firmware.version_from,
        version_to=manifest.firmware.version_to,
        sha256=sha256,
        image=claimed.image,
        header=container.header,
        expected=Expected(**manifest.expected.model_dump()) if manifest.expected else None,
        behaviour=_behaviour(manifest.synthetic) if manifest.synthetic else None,
        back=manifest.firmware.back,
    )


def _checked_image(image: Path) -> tuple[Container, str]:
    """The container, without a fault, and its SHA-256. A file that cannot be an image is not read to its end."""
    with opened(image) as source:
        container = survey(source, str(image))
        container.check()
        if container.size > MOST_IMAGE_BYTES:
            where = Where(str(image), found=f"{container.size} bytes", expected=f"at most {MOST_IMAGE_BYTES}")
            raise InputError("too large for a meter's firmware", where)
        return container, sha256_of(source, [(0, container.size)])[0]


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
