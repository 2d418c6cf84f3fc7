"""Plans for tests: a good one, and what is made of it."""

from __future__ import annotations

from pathlib import Path

GOOD = """\
schema = "rig.plan/1"

[plan]
name = "tonight"
order = "in-turn"

[[firmware]]
fixture = "cut-45s"

[[firmware]]
fixture = "double-reboot"

[end]
cycles = 4
"""


def written(folder: Path, text: str = GOOD, name: str = "plan.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
