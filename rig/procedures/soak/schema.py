"""The published JSON Schema (2020-12) of a soak's plan, for editors and other people's programs. Opens nothing.

It is generated from the model in `rig.procedures.soak.plan_file`: `python -m rig.procedures.soak.schema` writes the
committed file anew. That a fixture is there and leads back cannot be said in it.
"""

from __future__ import annotations

from pathlib import Path

from rig.toml_model import schema_of

SCHEMA_FILE = Path(__file__).with_name("schemas") / "rig.plan-1.json"


def schema_text() -> str:
    """The schema as it must stand in `SCHEMA_FILE`."""
    from rig.procedures.soak.plan_file import PlanFile

    return schema_of(PlanFile, "rig.plan/1")


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
