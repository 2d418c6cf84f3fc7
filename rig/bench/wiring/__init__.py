"""Is a bench wired as its bench file says? The harness (a WireViz file) is read, followed wire by wire, and checked.

`checked` is the whole of it: every contradiction, and the table to wire from. Opens no device.
"""

from rig.bench.wiring.report import Report, checked

__all__ = ["Report", "checked"]
