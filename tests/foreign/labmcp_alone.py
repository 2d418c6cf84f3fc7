"""labmcp without its server for language models, which is not installed here: only what its modules name is there."""

import sys
import types


class _Nothing(Exception):
    """Whatever the server would be made of."""


for _module, _names in (
    ("fastmcp", ("FastMCP", "Client")),
    ("fastmcp.exceptions", ("ToolError",)),
    ("mcp", ()),
    ("mcp.types", ("ToolAnnotations",)),
):
    _made = types.ModuleType(_module)
    for _name in _names:
        setattr(_made, _name, type(_name, (_Nothing,), {"__init__": lambda *_words, **_named: None}))
    sys.modules[_module] = _made
