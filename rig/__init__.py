"""ichis-rig: proves, meter by meter and firmware by firmware, whether an activation keeps the hub powered.

The Python face: `rig.run_activation(bench, firmware, out=..., seed=...) -> RunRecord`. It is loaded when it is first
used: importing `rig` imports nothing else, so that the command line starts fast on a Raspberry Pi.
`rig.analyse(paths, ...) -> Analysis` judges oscilloscope files; `rig.seconds(60)` is what tests compare bounds with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rig.api import analyse as analyse
    from rig.api import run_activation as run_activation
    from rig.records.bounds import seconds as seconds

__version__ = "0.1.0"
__all__ = ["__version__", "analyse", "run_activation", "seconds"]


def __getattr__(name: str) -> Any:
    if name in ("analyse", "run_activation"):
        from rig import api

        return getattr(api, name)
    if name == "seconds":
        from rig.records.bounds import seconds as found

        return found
    raise AttributeError(f"module 'rig' has no attribute {name!r}")
