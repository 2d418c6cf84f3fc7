"""The published JSON Schema (2020-12) of a fixture's manifest, for editors and other people's programs. Opens nothing.

It is generated from the model in `rig.firmware.manifest`: `python -m rig.firmware.schema` writes the committed file
anew. What no single key shows, and that the image is as the manifest says, cannot be said in it.
"""

from __future__ import annotations

import json
from pathlib import Path

SCHEMA_FILE = Path(__file__).with_name("schemas") / "rig.fixture-1.json"


def schema_text() -> str:
    """The schema as it must stand in `SCHEMA_FILE`."""
    from pydantic.json_schema import GenerateJsonSchema

    from rig.firmware.manifest import Manifest

    body = Manifest.model_json_schema(by_alias=True)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": "urn:ichis-rig:rig.fixture:1"}
    return json.dumps({**head, **body, "title": "rig.fixture/1"}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.parent.mkdir(exist_ok=True)
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
