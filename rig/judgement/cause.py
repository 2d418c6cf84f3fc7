"""Who cut the rail. The bench's own mains detector, relays and supply decide; signals of the devices under test do not.

Pure. AC LO, MT_PR and CH_PR belong to the devices under test (a rebooting meter may float them): they corroborate and
are reported, but they never void an outage alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rig.rail import Intervals, Outage

SLACK_NS = 1_000_000_000
"""What happened up to this long before the rail fell may be its cause: the meter's hold-up, the detector's delay."""


class Cause(StrEnum):
    METER = "meter"
    MAINS = "mains"
    UNPLUGGED = "unplugged"
    SUPPLY = "supply"
    RIG = "rig"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Surroundings:
    """What the bench itself knows while it watches: all as stretches of the common line.

    `mains_present` and `mains_absent` are proven by the bench's detector at the meter's terminals; `path_intact` is
    when the rig had the hub fed as it must be (its relays and the supply read back so) and moved nothing.
    `meter_feeds` False: a hot shoe, where the supply is the hub's feed, and no meter can cut it.
    """

    mains_present: Intervals
    mains_absent: Intervals
    path_intact: Intervals
    meter_feeds: bool = True


def cause_of(outage: Outage, around: Surroundings) -> Cause:
    """The cause of one outage.

    12 V gone while mains was there all the time, the path intact and nothing else acted: the meter. The rail must have
    been watched from before its fall, so an outage that was already there when the window began has an unknown cause.
    Mains lost while the rail was already away also takes it from the meter: nobody knows how long it would have lasted.
    """
    if outage.open in ("start", "both"):
        return Cause.UNKNOWN
    first, last = outage.from_ns - SLACK_NS, outage.to_ns
    if not _covers(around.path_intact, first, last):
        return Cause.RIG
    if not around.meter_feeds:
        return Cause.SUPPLY
    if len(around.mains_absent.clip(first, last)):
        return Cause.MAINS
    if not _covers(around.mains_present, first, last):
        return Cause.UNKNOWN
    return Cause.METER


def _covers(known: Intervals, start_ns: int, end_ns: int) -> bool:
    return len(known.gaps(start_ns, end_ns)) == 0
