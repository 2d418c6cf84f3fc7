"""Time: one injected clock, virtual on the twin and real on a bench.

Knows activities, waiting and time-outs. Knows nothing of instruments, the rail or the twin.
"""

from rig.clock.base import NS, Abortable, Activity, Cancelled, Clock, Flag, Readable, to_ns, utc_label

__all__ = ["NS", "Abortable", "Activity", "Cancelled", "Clock", "Flag", "Readable", "to_ns", "utc_label"]
