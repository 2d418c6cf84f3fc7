"""The rail as a picture in a file: SVG drawn here, PNG rendered from it. Decides nothing."""

from __future__ import annotations

import contextlib
from pathlib import Path

from rig.errors import InputError, Where
from rig.records.report_svg import standalone_svg
from rig.records.run import Picture, Shown

_PNG_WIDTH = 1800


def save_plot(path: Path, record: Shown, picture: Picture) -> None:
    """Write `path` (.svg or .png) whole, or not at all. Raises InputError naming it when that is not possible."""
    svg = standalone_svg(record, picture)
    data = svg.encode("utf-8") if path.suffix.lower() == ".svg" else _png(svg, path)
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise InputError("the picture cannot be written", Where(str(path), found=error.strerror)) from error


def _png(svg: str, path: Path) -> bytes:
    try:
        import resvg_py
    except ImportError as error:
        raise InputError("this machine has no PNG renderer (resvg-py)", Where(str(path), expected="a .svg")) from error
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=_PNG_WIDTH))
