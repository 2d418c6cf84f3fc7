"""What a run leaves behind: its record, its captures, its report, and the folder that holds them.

Knows files. Knows no bench and no procedure.
"""

from importlib.resources import files

from rig.errors import InputError, Where

__all__ = ["schema_text"]


def schema_text(name: str = "rig.run/1") -> str:
    """The published JSON Schema (2020-12) of the object `name`, as text. Raises `InputError` for an unknown name."""
    folder = files("rig.records") / "schemas"
    known = {
        entry.name.removesuffix(".json").replace("-", "/"): entry
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    }
    if name not in known:
        raise InputError("no such schema", Where(key="schema", found=name, expected=" or ".join(sorted(known))))
    return known[name].read_text(encoding="utf-8")
