"""`rig firmware inspect | verify | make | list`: parses, calls, prints. Exit codes: 0 good, 2 anything wrong.

A firmware file is input: what is wrong with it is bad input (2), never a verdict (1). `inspect` shows what is there and
says what is wrong with it: that is an answer (0), and only a file that is no upgrade file at all is refused (2).
"""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.cli.options import add_json
from rig.errors import ExitCode, InputError, Where

if TYPE_CHECKING:
    from rig.firmware import Fixture
    from rig.firmware.inspection import Inspection

_EPILOG = "exit codes: 0 good, 2 bad input, or anything wrong with a file"


def add_options(verb: argparse.ArgumentParser) -> None:
    """The verbs of this verb, and their options."""
    verbs = verb.add_subparsers(title="verbs", metavar="VERB", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        words = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=_EPILOG)
        add_json(words, f"rig.firmware.{name}/1")
        return words

    words = add("inspect", "show every field of an OTA upgrade file, its parts, their SHA-256, and what is wrong")
    words.add_argument("file", metavar="FILE|FIXTURE", help="an upgrade file, a fixture's name, or its folder")
    words.epilog = "exit codes: 0 shown, whatever is wrong with it, 2 bad input, or no OTA upgrade file at all"
    words.set_defaults(verb=inspect)

    words = add("verify", "check strictly: the container, a fixture's manifest against it, and the way back")
    words.add_argument("files", nargs="+", metavar="FILE|FIXTURE", help="upgrade files, fixtures' names, or folders")
    words.add_argument("--sha256", metavar="HEX", help="what the file, or its manufacturer image, must have")
    words.add_argument("--hardware-version", type=_number, metavar="N", help="the meter's: the image must be for it")
    words.set_defaults(verb=verify)

    words = add("make", "make the rig's fixtures, the same bytes every time, or one of your own (with --from)")
    _add_make(words)
    words.set_defaults(verb=make)

    words = add("list", "list fixtures: versions, expected verdict, the way back, SHA-256")
    words.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="a folder of fixtures (default: the rig's)")
    words.set_defaults(verb=list_fixtures)


def _add_make(words: argparse.ArgumentParser) -> None:
    words.add_argument("names", nargs="*", metavar="NAME", help="which (default: all); with --from, the new one's name")
    words.add_argument(
        "--out", type=Path, default=Path("firmware_fixtures"), metavar="DIR", help="where (default: firmware_fixtures)"
    )
    words.add_argument("--force", action="store_true", help="replace what is there with another content")
    own = words.add_argument_group("one of your own")
    own.add_argument("--from", dest="version_from", metavar="V", help="the version that the meter runs before")
    own.add_argument("--to", dest="version_to", metavar="V", help="the version that it runs after")
    own.add_argument("--maker", metavar="TEXT", help="who makes the meter")
    own.add_argument("--hardware", metavar="TEXT", help="the meter's model")
    own.add_argument("--hardware-version", type=_number, metavar="N", help="the meter's: the image must be for it")
    own.add_argument("--back", metavar="NAME", help="the fixture beside it that leads back")
    own.add_argument("--image", type=Path, metavar="FILE", help="an OTA upgrade file, taken as it is")
    own.add_argument("--payload", type=Path, metavar="FILE", help="the firmware itself, put into a container with:")
    own.add_argument("--manufacturer-code", "--manufacturer", type=_number, metavar="N", help="0 to 0xFFFF")
    own.add_argument("--image-type", type=_number, metavar="N", help="0 to 0xFFFF")
    own.add_argument("--file-version", type=_number, metavar="N", help="(default: from --to; 1.2.3 is 0x01020300)")
    own.add_argument("--hardware-versions", nargs=2, type=_number, metavar=("MIN", "MAX"), help="GB images have them")
    own.add_argument("--header-string", metavar="TEXT", help="at most 32 bytes")


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a whole number: {text!r}") from None


def inspect(options: Namespace) -> int:
    """Show what is there."""
    from rig.firmware.inspection import inspect as look

    inspection = look(options.file)
    if options.json:
        _print_json(inspection.to_json())
    else:
        from rig.cli.firmware_words import lines_of

        _print(lines_of(inspection))
    return ExitCode.PASS


def verify(options: Namespace) -> int:
    """Check each; all of them are looked at, whatever is wrong with one."""
    from rig.firmware.inspection import Wanted
    from rig.firmware.inspection import verify as check

    sha256 = None if options.sha256 is None else _sha256(options.sha256)
    if sha256 is not None and len(options.files) > 1:
        raise InputError("one SHA-256 is of one file", Where(key="--sha256", found=f"{len(options.files)} files"))
    wanted = Wanted(sha256, options.hardware_version)
    rows: list[dict[str, Any]] = []
    wrong: list[InputError] = []
    for file in options.files:
        try:
            inspection, fixture = check(file, wanted)
        except InputError as error:
            wrong.append(error)
            rows.append({"file": file, "good": False, "error": error.to_json()})
            _tell(error, options)
            continue
        rows.append({"file": file, "good": True, "sha256": inspection.sha256, **_facts(inspection, fixture)})
        if not options.json:
            _print([_good_line(file, inspection, fixture)])
    return _finish("rig.firmware.verify/1", {"files": rows}, wrong, options)


def make(options: Namespace) -> int:
    """Make fixtures."""
    from rig.firmware.make import own_draft, packaged_drafts, write

    given = [name for name in _OWN if getattr(options, name) is not None]
    if options.version_from is not None:
        drafts = [own_draft(_own(options))]
    elif given:
        raise InputError("this is for a fixture of your own: --from is missing", Where(key=_option(given[0])))
    else:
        drafts = packaged_drafts(options.names)
    states = write(drafts, options.out, force=options.force)
    rows = [
        {"name": draft.name, "folder": str(options.out / draft.name), "state": state}
        for draft, state in zip(drafts, states, strict=True)
    ]
    if not options.json:
        _print(f"{row['state']}: {row['folder']}" for row in rows)
    return _finish("rig.firmware.make/1", {"fixtures": rows}, [], options)


_OWN = (
    "version_to",
    "maker",
    "hardware",
    "hardware_version",
    "back",
    "image",
    "payload",
    "manufacturer_code",
    "image_type",
    "file_version",
    "hardware_versions",
    "header_string",
)


def _option(name: str) -> str:
    return "--to" if name == "version_to" else "--" + name.replace("_", "-")


def _own(options: Namespace) -> Any:
    from rig.firmware.make import Numbers, Own

    if len(options.names) != 1:
        raise InputError("a fixture of your own needs one NAME", Where(found=" ".join(options.names) or "none"))
    for name in ("version_to", "maker", "hardware"):
        if getattr(options, name) is None:
            raise InputError("missing", Where(key=_option(name), expected="a text"))
    versions = options.hardware_versions
    return Own(
        name=options.names[0],
        version_from=options.version_from,
        version_to=options.version_to,
        maker=options.maker,
        hardware=options.hardware,
        hardware_version=options.hardware_version,
        back=options.back,
        payload=options.payload,
        image=options.image,
        numbers=Numbers(
            manufacturer_code=options.manufacturer_code,
            image_type=options.image_type,
            file_version=options.file_version,
            hardware_versions=None if versions is None else (versions[0], versions[1]),
            header_string=options.header_string,
        ),
    )


def list_fixtures(options: Namespace) -> int:
    """List fixtures; one that is wrong is told, and the others are listed."""
    from rig.firmware.fixture import folders, load_back, load_folder, packaged

    place = packaged() if options.folder is None else options.folder
    if not place.is_dir():
        raise InputError("no such folder", Where(file=str(place)))
    found = folders(place)
    if not found:
        raise InputError("no fixture in this folder", Where(file=str(place), expected="NAME/manifest.toml"))
    rows: list[dict[str, Any]] = []
    wrong: list[InputError] = []
    good: list[Fixture] = []
    for folder in found:
        try:
            fixture = load_folder(folder)
            if fixture.back is not None:
                load_back(fixture)
        except InputError as error:
            wrong.append(error)
            rows.append({"name": folder.name, "good": False, "error": error.to_json()})
            _tell(error, options)
            continue
        good.append(fixture)
        rows.append({"name": fixture.name, "good": True, **_fixture_facts(fixture)})
    if not options.json and good:
        from rig.cli.firmware_words import table_of

        _print(table_of(good))
    return _finish("rig.firmware.list/1", {"folder": str(place), "fixtures": rows}, wrong, options)


def _facts(inspection: Inspection, fixture: Fixture | None) -> dict[str, Any]:
    header = inspection.container.header
    return {
        "size": inspection.container.size,
        "file_version": header.file_version,
        "manufacturer_code": header.manufacturer_code,
        "image_type": header.image_type,
        "layout": inspection.layout,
        "fixture": None if fixture is None else _fixture_facts(fixture),
    }


def _fixture_facts(fixture: Fixture) -> dict[str, Any]:
    expected = fixture.expected
    return {
        "folder": str(fixture.folder),
        "maker": fixture.maker,
        "hardware": fixture.hardware,
        "version_from": fixture.version_from,
        "version_to": fixture.version_to,
        "back": fixture.back,
        "expected": None if expected is None else {"verdict": expected.verdict, "reason": expected.reason},
        "synthetic": fixture.synthetic,
        "sha256": fixture.sha256,
        "size": fixture.header.total_image_size,
    }


def _good_line(file: str, inspection: Inspection, fixture: Fixture | None) -> str:
    what = f"file version 0x{inspection.container.header.file_version:08X}"
    if fixture is not None:
        what = f"{fixture.maker} {fixture.hardware}, {fixture.version_from} to {fixture.version_to}"
        what += f", back by {fixture.back}" if fixture.back else ""
    return f"{file}: good: {what}, {inspection.layout}, {inspection.container.size} bytes, sha256 {inspection.sha256}"


def _sha256(text: str) -> str:
    if len(text) != 64 or any(letter not in "0123456789abcdefABCDEF" for letter in text):
        raise InputError("not a SHA-256", Where(key="--sha256", found=ascii(text), expected="64 hex digits"))
    return text.lower()


def _tell(error: InputError, options: Namespace) -> None:
    if not options.json:
        print(f"rig: {error.one_line()}", file=sys.stderr)  # noqa: T201


def _finish(schema: str, body: dict[str, Any], wrong: list[InputError], options: Namespace) -> int:
    """With `--json`, print the object; where something was wrong it is the first `rig.error/1`, and holds the rest."""
    if options.json:
        _print_json({**(wrong[0].to_json() if wrong else {"schema": schema}), **body})
    return ExitCode.BAD_INPUT if wrong else ExitCode.PASS


def _print_json(body: dict[str, Any]) -> None:
    import json

    print(json.dumps(body, ensure_ascii=False, indent=2))  # noqa: T201


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)  # noqa: T201
