"""How a supply protects what it feeds: said by a bench file, known of each family. Light, for who loads no driver."""

from __future__ import annotations

from enum import Enum


class Guard(Enum):
    """Against too many volts, or too many amperes."""

    LEVEL = "level"  # it trips at a level of its own, which is set
    AT_LIMIT = "at-limit"  # it trips when its current limit acts
    NONE = "none"  # it has no such protection that could be proven
