"""The guardian inside the twin's own process: the same core, on the virtual clock, and a run that it stops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.clock import Cancelled
from rig.clock.virtual import VirtualClock
from rig.errors import BenchError, Refused
from rig.guardian.core import Core
from rig.guardian.local import LocalGuardian
from tests.guardian.coils import DEAD_NS, ENERGISED_NS, NAMES, ROLES, RULES, Coil


def guardian(clock: VirtualClock) -> tuple[LocalGuardian, dict[str, Coil]]:
    coils = {role: Coil(NAMES[role], stays=role == "mains") for role in ROLES}
    rules = RULES.__class__(RULES.forbidden, RULES.feeds, DEAD_NS, ENERGISED_NS, RULES.dwell_ns)
    found = LocalGuardian(Core(rules, coils, clock.now), clock)
    clock.sleep(DEAD_NS / 1e9)
    return found, coils


def test_what_is_energised_too_long_is_opened_at_its_time_and_stops_the_run() -> None:
    clock = VirtualClock()
    local, coils = guardian(clock)
    local.arm()
    local.set("meter-feed", True)
    closed = clock.now()
    with pytest.raises(Cancelled, match="relay K2 was energised too long"):
        clock.sleep(1.0)
    assert clock.now() == closed + ENERGISED_NS
    assert not coils["meter-feed"].closed
    assert local.tripped is not None
    with clock.shielded():
        with pytest.raises(Refused, match="energised too long"):
            local.set("meter-feed", True)
        local.stand_down()
        local.close()


def test_a_feed_that_is_opened_in_time_stops_nothing() -> None:
    clock = VirtualClock()
    local, _ = guardian(clock)
    local.arm()
    for _ in range(3):
        local.set("meter-feed", True)
        clock.sleep((ENERGISED_NS - 1) / 1e9)
        local.set("meter-feed", False)
        clock.sleep(ENERGISED_NS / 1e9)
    local.stand_down()
    clock.sleep(1.0)
    assert local.tripped is None
    local.arm()
    local.stand_down()
    local.close()


def test_closing_while_armed_makes_safe_first() -> None:
    clock = VirtualClock()
    local, coils = guardian(clock)
    local.arm()
    local.set("meter-feed", True)
    local.close()
    assert not coils["meter-feed"].closed
    assert all(coil.returned for coil in coils.values())


def test_a_line_that_cannot_be_given_back_is_told_and_the_others_are() -> None:
    clock = VirtualClock()
    local, coils = guardian(clock)
    coils["meter-feed"].fails = ("close",)
    with pytest.raises(BenchError, match="K2: close"):
        local.close()
    assert all(coil.returned for coil in coils.values())


def test_what_is_about_to_close_is_told_before_and_may_be_kept_open() -> None:
    clock = VirtualClock()
    coils = {role: Coil(NAMES[role], stays=role == "mains") for role in ROLES}
    told: list[str] = []

    def count(name: str) -> None:
        if name == "K3":
            raise BenchError("cannot be counted")
        told.append(name)

    local = LocalGuardian(Core(RULES, coils, clock.now), clock, count)
    clock.sleep(1e-6)
    local.set("mains", True)
    local.set("mains", True)
    local.arm()
    with pytest.raises(BenchError, match="cannot be counted"):
        local.set("supply-feed", True)
    assert told == ["K1"]
    assert not coils["supply-feed"].closed
    local.stand_down()
    local.close()


def test_its_journal_is_the_runs_until_it_stands_down(tmp_path: Path) -> None:
    clock = VirtualClock()
    local, _ = guardian(clock)
    local.keep_journal(tmp_path, clock.now())
    local.arm()
    clock.sleep(1e-6)
    local.set("meter-feed", True)
    local.set("meter-feed", True)
    with pytest.raises(Refused):
        local.set("supply-feed", True)
    local.make_safe()
    local.stand_down()
    local.make_safe()
    rows = [json.loads(line) for line in (tmp_path / "guardian.jsonl").read_text().splitlines()]
    assert [(row["t_s"], row["event"]) for row in rows] == [
        (0.0, "arm"),
        (1e-6, "move"),
        (1e-6, "refused"),
        (1e-6, "make_safe"),
        (1e-6, "stand_down"),
    ]
    local.close()
