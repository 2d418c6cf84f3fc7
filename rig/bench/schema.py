"""The published JSON Schema (2020-12) of the bench file, for editors and other people's programs. Opens nothing.

It is generated from the model in `rig.bench.config`: `python -m rig.bench.schema` writes the committed file anew. What
no single key shows (`rig.bench.checks`) cannot be said in it.
"""

from __future__ import annotations

from pathlib import Path

from rig.toml_model import schema_of

SCHEMA_FILE = Path(__file__).with_name("schemas") / "rig.bench-1.json"


def schema_text() -> str:
    """The schema as it must stand in `SCHEMA_FILE`."""
    from rig.bench.config import BenchConfig

    return schema_of(BenchConfig, "rig.bench/1")


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
