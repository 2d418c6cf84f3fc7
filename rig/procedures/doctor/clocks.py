"""The clocks: whether the wall clock is synchronised (for labels), and how fast the monotonic clock is slewed.

Formats: `chronyc -c tracking` prints reference identifier, name, stratum, reference time, offset of the system clock,
last and RMS offset, frequency, residual frequency, skew, root delay, root dispersion, update interval and leap status,
with commas between; `timedatectl show` prints KEY=VALUE lines.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.clock import NS, Clock, to_ns
from rig.procedures.doctor.machine import COMMAND_S, Machine
from rig.records.doctor import Check, Desk

_DESK = Desk("clock")
_SYNC = "clock synchronisation"
_SYNC_FILE = "/run/systemd/timesync/synchronized"
_LOCAL_REFERENCE = "7F7F0101"
_TRACKING_FIELDS = 14
_TRIES = 9


def synchronisation(machine: Machine) -> Check:
    """Whether UTC labels can be trusted. Never a failure: no duration comes from the wall clock."""
    chrony = machine.run(("chronyc", "-c", "tracking"), COMMAND_S)
    if chrony.problem is None:
        return _chrony(chrony.out)
    systemd = machine.run(("timedatectl", "show"), COMMAND_S)
    says = dict(line.partition("=")[::2] for line in systemd.out.splitlines()) if systemd.problem is None else {}
    if says.get("NTPSynchronized") == "yes" or machine.exists(_SYNC_FILE):
        return _DESK.ok(_SYNC, "synchronised (timesyncd or another service that systemd knows)")
    if says.get("NTP") == "no":
        return _DESK.warning(_SYNC, "switched off", "sudo timedatectl set-ntp true (or install chrony)")
    if says.get("NTPSynchronized") == "no":
        to_do = "wait a minute after boot; is the time server reachable? see: timedatectl timesync-status"
        return _DESK.warning(_SYNC, "on, but not synchronised", to_do)
    why = f"{chrony.problem}; {systemd.problem or 'timedatectl says nothing of it'}"
    return _DESK.warning(_SYNC, f"not known: {why}", "sudo apt install chrony")


def _chrony(out: str) -> Check:
    fields = out.strip().split(",")
    try:
        stratum, offset_s, frequency_ppm = int(fields[2]), float(fields[4]), float(fields[7])
    except (ValueError, IndexError):
        fields = []
    if len(fields) != _TRACKING_FIELDS:
        return _DESK.warning(_SYNC, f"not known: chronyc said {out.strip()[:60]!r}", "see: chronyc tracking")
    if stratum == 0 or fields[-1] == "Not synchronised" or fields[0] == _LOCAL_REFERENCE:
        to_do = "is a time server reachable? see: chronyc sources"
        return _DESK.warning(_SYNC, f"chrony: not synchronised ({fields[-1]})", to_do)
    name = fields[1] or fields[0]
    found = f"chrony: {name}, stratum {stratum}, {offset_s:+.6f} s off, frequency {frequency_ppm:+.3f} ppm"
    return _DESK.ok(_SYNC, found)


@dataclass(frozen=True)
class _Pair:
    """CLOCK_MONOTONIC is within `half_ns` of `at_ns` when CLOCK_MONOTONIC_RAW is `raw_ns`."""

    at_ns: int
    raw_ns: int
    half_ns: int


class Slew:
    """CLOCK_MONOTONIC against CLOCK_MONOTONIC_RAW, from now until `check`, and over `least_s` at least."""

    def __init__(self, clock: Clock, least_s: float) -> None:
        self._clock = clock
        self._least_ns = to_ns(least_s)
        self._first = _pair(clock)

    def check(self, what: str, limit_ppm: float, *, needed: bool) -> Check:
        left_ns = self._first.at_ns + self._least_ns - self._clock.now()
        if left_ns > 0:
            self._clock.sleep(left_ns / NS)
        return _rate(what, self._first, _pair(self._clock), limit_ppm, needed)


def _rate(what: str, first: _Pair, last: _Pair, limit_ppm: float, needed: bool) -> Check:
    raw_ns = last.raw_ns - first.raw_ns
    ppm = ((last.at_ns - first.at_ns) / raw_ns - 1) * 1e6
    unsure_ppm = (first.half_ns + last.half_ns) / raw_ns * 1e6
    found = f"{ppm:+.1f} ppm ± {unsure_ppm:.1f} over {raw_ns / NS:.1f} s (at most {limit_ppm:g} can be judged)"
    if abs(ppm) > limit_ppm:
        to_do = "wait until the time service has caught up (chronyc tracking), and let it step at boot, not slew"
        return _DESK.bad(needed, what, found, to_do)
    return _DESK.ok(what, found)


def _pair(clock: Clock) -> _Pair:
    """The tightest of several: whoever is interrupted between the readings is no measure of the clock."""
    best: _Pair | None = None
    for _ in range(_TRIES):
        before, raw, after = clock.now(), clock.now_raw(), clock.now()
        half = (after - before + 1) // 2
        if best is None or half < best.half_ns:
            best = _Pair(before + half, raw, half)
    assert best is not None  # noqa: S101 - there is at least one try
    return best
