"""Checks beside each other: none that hangs or stumbles keeps the others."""

from __future__ import annotations

import pytest

from rig.clock.virtual import VirtualClock
from rig.errors import HarnessError
from rig.procedures.doctor.jobs import Job
from rig.records.doctor import Check, Desk

DESK = Desk("instruments")


def test_a_check_that_hangs_is_left_at_its_limit_and_the_others_are_told() -> None:
    clock = VirtualClock()

    def hangs() -> list[Check]:
        clock.sleep(1000.0)
        return [DESK.ok("psu", "after all")]

    jobs = [Job(clock, "instruments", "psu", hangs, limit_s=5.0), Job(clock, "instruments", "scope", lambda: [good])]
    good = DESK.ok("scope: identity", "here")
    start = clock.now()
    (stuck,), (other,) = (job.checks() for job in jobs)
    assert clock.now() - start == 5_000_000_000
    assert (stuck.what, stuck.status) == ("psu", "failed")
    assert stuck.found == "no end after 5 s, beyond every time-out of its own"
    assert other == good


def test_a_check_that_stumbles_is_a_failed_check() -> None:
    def stumbles() -> list[Check]:
        raise KeyError("nothing")

    (check,) = Job(VirtualClock(), "access", "ports", stumbles).checks()
    assert (check.status, check.found) == ("failed", "the check itself failed: KeyError: 'nothing'")


def test_a_harness_that_failed_makes_no_check() -> None:
    def fails() -> list[Check]:
        raise HarnessError("the machine is too slow")

    with pytest.raises(HarnessError, match="too slow"):
        Job(VirtualClock(), "instruments", "psu", fails).checks()
