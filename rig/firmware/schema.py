"""The published JSON Schema (2020-12) of a fixture's manifest, for editors and other people's programs. Opens nothing.

It is generated from the model in `rig.firmware.manifest`: `python -m rig.firmware.schema` writes the committed file
anew. What no single key shows, and that the image is as the manifest says, cannot be said in it.
"""

from __future__ import annotations

from pathlib import Path

from rig.toml_model import schema_of

SCHEMA_FILE = Path(__file__).with_name("schemas") / "rig.fixture-1.json"


def schema_text() -> str:
    """The schema as it must stand in `SCHEMA_FILE`."""
    from rig.firmware.manifest import Manifest

    return schema_of(Manifest, "rig.fixture/1")


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
