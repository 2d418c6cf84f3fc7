"""Makes fixtures: those that come with the rig, the same bytes every time, and a lab's own. Knows files, no meter."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

from rig.errors import InputError, Where
from rig.firmware import ota, recipes
from rig.firmware.container import survey
from rig.firmware.files import opened, write_folders
from rig.firmware.fixture import MANIFEST, MOST_IMAGE_BYTES, encode_version
from rig.firmware.manifest_text import own_text, packaged_text
from rig.toml_file import did_you_mean

IMAGE = "image.ota"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_CHARACTERS = 500


@dataclass(frozen=True)
class Draft:
    """A fixture not yet on disk: its name, and its two files."""

    name: str
    image: bytes
    manifest: str

    def files(self) -> dict[str, bytes]:
        """The image first: the manifest, which has its hash, seals it."""
        return {IMAGE: self.image, MANIFEST: self.manifest.encode()}


@dataclass(frozen=True)
class Numbers:
    """What the header of a container says, for one that is built here. None: not given."""

    manufacturer_code: int | None = None
    image_type: int | None = None
    file_version: int | None = None
    hardware_versions: tuple[int, int] | None = None
    header_string: str | None = None


@dataclass(frozen=True)
class Own:
    """What a lab says of a fixture of its own. Exactly one of `payload` and `image` is a file.

    `payload` is wrapped in a container, for which `numbers` are; `image` is a container already and brings them.
    """

    name: str
    version_from: str
    version_to: str
    maker: str
    hardware: str
    hardware_version: int | None = None
    back: str | None = None
    payload: Path | None = None
    image: Path | None = None
    numbers: Numbers = Numbers()


def packaged_drafts(names: list[str]) -> list[Draft]:
    """The fixtures of these names that come with the rig, each with its way back; all when none is named."""
    known = {recipe.name: recipe for recipe in recipes.recipes()}
    for name in names:
        if name not in known:
            near = did_you_mean(name, list(known))
            expected = None if near else f"one of: {', '.join(known)}; or --from and the rest, for one of your own"
            raise InputError(f"no recipe {name!r}{near}", Where(expected=expected))
    wanted = [name for first in names for name in (first, known[first].back) if name is not None]
    drafts = []
    for name in dict.fromkeys(wanted or known):
        image = recipes.image_of(known[name])
        keys = {"file": IMAGE, "sha256": hashlib.sha256(image).hexdigest()}
        drafts.append(Draft(name, image, packaged_text(known[name], keys)))
    return drafts


def own_draft(own: Own) -> Draft:
    """A fixture of a lab's own. It states no verdict and no behaviour: nobody knows yet what this meter does.

    Raises InputError for a name that is not one, for text that does not print, for a file that is no image, and for
    numbers that are missing, that do not fit or that are the image's own to say.
    """
    if not _NAME.fullmatch(own.name):
        expected = "letters, digits, '.', '_' and '-', 64 at most, a letter or digit first"
        raise InputError("not a name for a fixture", Where(found=repr(own.name), expected=expected))
    texts = {"--from": own.version_from, "--to": own.version_to, "--maker": own.maker, "--hardware": own.hardware}
    for option, text in texts.items():
        if not (text and text.isprintable() and len(text) <= _MOST_CHARACTERS):
            expected = f"1 to {_MOST_CHARACTERS} characters that print"
            raise InputError("not a text", Where(key=option, found=ascii(text)[:60], expected=expected))
    if own.back is not None and not _NAME.fullmatch(own.back):
        raise InputError("not a name of a fixture", Where(key="--back", found=ascii(own.back)[:60]))
    image, header = _image(own)
    if own.hardware_version is not None and not header.fits(own.hardware_version):
        expected = f"0x{own.hardware_version:04X} among them"
        where = Where(key="--hardware-version", found=header.hardware_range, expected=expected)
        raise InputError("the image is for other hardware", where)
    origin = own.payload or own.image or Path()
    return Draft(
        own.name,
        image,
        own_text(
            f"Made by `rig firmware make` from {origin.name!a}.",
            {
                "maker": own.maker,
                "hardware": own.hardware,
                "hardware_version": own.hardware_version,
                "version_from": own.version_from,
                "version_to": own.version_to,
                "back": own.back,
            },
            {
                "file": IMAGE,
                "sha256": hashlib.sha256(image).hexdigest(),
                "file_version": header.file_version,
                "manufacturer_code": header.manufacturer_code,
                "image_type": header.image_type,
            },
        ),
    )


def write(drafts: list[Draft], place: Path, *, force: bool = False) -> list[str]:
    """Write each into a folder of its name in `place`; returns what became of each, as `write_folders` does."""
    return write_folders({place / draft.name: draft.files() for draft in drafts}, force=force)


def _image(own: Own) -> tuple[bytes, ota.OtaHeader]:
    if (own.payload is None) == (own.image is None):
        raise InputError("a fixture needs one file", Where(expected="either --payload FILE or --image FILE"))
    if own.image is not None:
        if own.numbers != Numbers():
            message = "an image brings its own header: the options for one are for a payload only"
            raise InputError(message, Where(key="--image"))
        with opened(own.image) as source:
            container = survey(source, str(own.image))
            container.check()
            return _whole(own.image), container.header
    image = _wrapped(_whole(own.payload or Path()), own)
    return image, survey(io.BytesIO(image), own.name).header


def _wrapped(payload: bytes, own: Own) -> bytes:
    numbers = own.numbers
    if not payload:
        raise InputError("an empty file", Where(file=str(own.payload)))
    version = encode_version(own.version_to) if numbers.file_version is None else numbers.file_version
    if version is None:
        where = Where(key="--file-version", expected=f"a number, as none follows from --to {own.version_to!r}")
        raise InputError("missing", where)
    if numbers.manufacturer_code is None:
        raise InputError("missing", Where(key="--manufacturer-code", expected="the maker's number at the alliance"))
    if numbers.image_type is None:
        raise InputError("missing", Where(key="--image-type", expected="the maker's number for this kind of image"))
    lowest, highest = numbers.hardware_versions or (0, 0)
    if lowest > highest:
        where = Where(key="--hardware-versions", found=f"{lowest} {highest}", expected="the lower one first")
        raise InputError("out of order", where)
    return ota.build(
        manufacturer_code=numbers.manufacturer_code,
        image_type=numbers.image_type,
        file_version=version,
        elements=[ota.OtaElement(ota.TAG_UPGRADE_IMAGE, payload)],
        header_string=(numbers.header_string or "").encode("utf-8", "surrogateescape"),
        hardware_versions=numbers.hardware_versions,
    )


def _whole(path: Path) -> bytes:
    with opened(path) as source:
        data = source.read(MOST_IMAGE_BYTES + 1)
    if len(data) > MOST_IMAGE_BYTES:
        expected = f"at most {MOST_IMAGE_BYTES} bytes"
        raise InputError("too large for a meter's firmware", Where(file=str(path), expected=expected))
    return data
