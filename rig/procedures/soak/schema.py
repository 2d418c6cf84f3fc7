"""The published JSON Schema (2020-12) of a soak's plan, for editors and other people's programs. Opens nothing.

It is generated from the model in `rig.procedures.soak.plan_file`: `python -m rig.procedures.soak.schema` writes the
committed file anew. That a fixture is there and leads back cannot be said in it.
"""

from __future__ import annotations

import json
from pathlib import Path

SCHEMA_FILE = Path(__file__).with_name("schemas") / "rig.plan-1.json"


def schema_text() -> str:
    """The schema as it must stand in `SCHEMA_FILE`."""
    from pydantic.json_schema import GenerateJsonSchema

    from rig.procedures.soak.plan_file import PlanFile

    body = PlanFile.model_json_schema(by_alias=True)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": "urn:ichis-rig:rig.plan:1"}
    return json.dumps({**head, **body, "title": "rig.plan/1"}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.parent.mkdir(exist_ok=True)
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
