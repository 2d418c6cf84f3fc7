"""What a model adds to a TOML file that people write: contradictions, told by their line, and the published schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rig.errors import InputError, Where
from rig.toml_file import Key, dotted, line_of

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class Fault:
    """One contradiction that no single key shows: where it is, what is wrong, what was found and what was expected."""

    key: Key
    message: str
    found: str
    expected: str


def refuse(faults: Iterable[Fault], text: str, file: str) -> None:
    """Raises InputError for the first contradiction in `file`, whose text this is."""
    for fault in faults:
        where = Where(file, dotted(fault.key), line_of(text, fault.key), fault.found, fault.expected)
        raise InputError(fault.message, where)


def schema_of(model: type[BaseModel], name: str) -> str:
    """The JSON Schema (2020-12) that is published for a file that says `schema = "rig.bench/1"` (its `name`)."""
    from pydantic.json_schema import GenerateJsonSchema

    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:ichis-rig:{name.replace('/', ':')}"}
    body = {**head, **model.model_json_schema(by_alias=True), "title": name}
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
