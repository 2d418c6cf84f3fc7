"""Knowledge of the rail: what is surely up, what is surely down, and what follows for the longest outage.

Pure (numpy only): it serves a file as well as a live bench. Knows nothing of instruments, limits or verdicts.
"""

from rig.rail.estimate import Estimate, budget
from rig.rail.intervals import Intervals
from rig.rail.lines import LineTracker
from rig.rail.merge import Knowledge, merge
from rig.rail.outages import Outage, RailHistory, RailSettings, longest_bounds, outages
from rig.rail.source import Contradiction, Crossing, Crossings, Source, Span

__all__ = [
    "Contradiction",
    "Crossing",
    "Crossings",
    "Estimate",
    "Intervals",
    "Knowledge",
    "LineTracker",
    "Outage",
    "RailHistory",
    "RailSettings",
    "Source",
    "Span",
    "budget",
    "longest_bounds",
    "merge",
    "outages",
]
