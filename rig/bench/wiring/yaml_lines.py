"""A YAML file that people write, with the line of every value. Knows no schema.

Only what `yaml.safe_load` builds: scalars, lists and mappings. A key that stands twice, a merge key and a file that
unfolds without end (aliases of aliases) are refused: `safe_load` takes the first in silence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rig.errors import InputError, Where
from rig.toml_file import Key, dotted, read_text

_MOST_VALUES = 50_000
_DEEPEST = 40


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[Key, int]]:
    """The content of the file, and the line (from 1) of every value by its key. Raises InputError."""
    import yaml

    text = read_text(path)
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # in C: ten times as fast
        reader = _Reader(str(path), yaml.SafeLoader(""))
        data = reader.value(node, (), 0) if node is not None else None
    except RecursionError as error:
        raise InputError("nested too deeply", Where(file=str(path))) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or a number that is none
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(
            f"not valid YAML: {reason}", Where(file=str(path), line=mark.line + 1 if mark else None)
        ) from error
    if not isinstance(data, dict):
        raise InputError("not a WireViz file", Where(file=str(path), expected="connectors, cables, connections"))
    return data, reader.lines


class _Reader:
    def __init__(self, file: str, loader: Any) -> None:
        self.lines: dict[Key, int] = {}
        self._file = file
        self._loader = loader
        self._count = 0

    def value(self, node: Any, key: Key, depth: int) -> Any:
        import yaml

        self._count += 1
        if self._count > _MOST_VALUES or depth > _DEEPEST:
            raise InputError("too large, or it refers to itself", Where(self._file, dotted(key), _line(node)))
        self.lines[key] = _line(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*key, index), depth + 1) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key, depth)
        return self._loader.construct_object(node)

    def _mapping(self, node: Any, key: Key, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for name_node, value_node in node.value:
            merges = name_node.tag.endswith(":merge")
            name = None if merges else self._loader.construct_object(name_node, deep=True)
            if not isinstance(name, str | int) or isinstance(name, bool):
                where = Where(
                    self._file, dotted(key) or None, _line(name_node), repr(name_node.value), "a name in quotes"
                )
                raise InputError("not a key", where)
            if name in found:
                raise InputError("a key stands twice", Where(self._file, dotted((*key, name)), _line(name_node)))
            found[name] = self.value(value_node, (*key, name), depth + 1)
            self.lines[*key, name] = _line(name_node)
        return found


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1
