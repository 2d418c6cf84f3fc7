"""The guardian as a real process when nobody leads it any more, when something is over, and when it is gone itself."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rig.clock import Cancelled, to_ns
from rig.clock.system import SystemClock
from rig.errors import BenchError, Refused
from rig.guardian.charge import StopSpec, WatchdogSpec
from rig.guardian.client import GuardianClient
from rig.guardian.lease import Lease
from tests.guardian.peers import PATIENCE_S, PINS, EndedEarly, Lines, Supply, gone

START = Callable[..., GuardianClient]
CONTROLLER = Callable[..., tuple[subprocess.Popen[str], int]]


def journal(tmp_path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (tmp_path / "state" / "guardian.jsonl").read_text().splitlines()]


# -- nobody leads ------------------------------------------------------------------------------------------------------


def test_a_killed_controller_leaves_a_safe_bench(
    controller: CONTROLLER, lines: Lines, supply: Supply, tmp_path: Path
) -> None:
    process, guardian = controller()
    assert lines.closed() == {"mains": True, "meter-feed": True, "supply-feed": False}
    process.kill()
    assert gone(guardian)
    assert lines.closed() == {"mains": True, "meter-feed": False, "supply-feed": False}
    assert not supply.on
    rows = journal(tmp_path)
    assert [row["event"] for row in rows] == ["emergency", "safe", "safe", "safe", "safe", "ended"]
    assert rows[0]["why"] == "the controller is gone"
    assert rows[0]["controller_ended"] is True
    assert rows[-1]["safe"] is True
    assert all(row["utc"] and row["controller"] == process.pid for row in rows)


def one_in_time(controller: CONTROLLER, supply: Supply) -> tuple[float, subprocess.Popen[str], int]:
    """The shortest silence after which a controller is ended and still comes to say a word; it; its guardian."""
    for silent_s in (0.5, 2.0, 8.0, PATIENCE_S):
        supply.on = True
        with contextlib.suppress(EndedEarly):
            return silent_s, *controller(silent_s=silent_s)
    raise AssertionError("no controller lived")


def test_a_controller_that_hangs_is_ended_and_leaves_a_safe_bench(
    controller: CONTROLLER, lines: Lines, supply: Supply, tmp_path: Path
) -> None:
    silent_s, process, guardian = one_in_time(controller, supply)
    process.send_signal(signal.SIGSTOP)
    assert gone(guardian)
    assert process.wait(PATIENCE_S) == -signal.SIGKILL
    assert lines.closed() == {"mains": True, "meter-feed": False, "supply-feed": False}
    assert not supply.on
    emergencies = [row["why"] for row in journal(tmp_path) if row["event"] == "emergency"]
    assert emergencies[-1] == f"the controller is silent for {silent_s:g} s"


def test_a_controller_that_ends_without_a_goodbye_leaves_a_safe_bench(
    controller: CONTROLLER, lines: Lines, supply: Supply
) -> None:
    process, guardian = controller()
    assert process.stdin is not None
    process.stdin.close()
    assert gone(guardian)
    assert not lines.closed()["meter-feed"]
    assert not supply.on


@pytest.mark.parametrize("how", ["silent", "hangs up", "deaf"])
def test_a_supply_that_cannot_be_proven_off_keeps_no_relay_closed_and_is_told(
    how: str,
    controller: CONTROLLER,
    lines: Lines,
    supply: Supply,
    tmp_path: Path,
) -> None:
    process, guardian = controller(supply_timeout_s=0.2)
    supply.how = how
    process.kill()
    assert gone(guardian)
    assert not lines.closed()["meter-feed"]
    rows = journal(tmp_path)
    assert rows[-1]["safe"] is False
    assert [row["what"] for row in rows if row.get("proven") is False] == ["supply psu off"]


def test_a_supply_that_comes_back_is_tried_again(controller: CONTROLLER, supply: Supply, tmp_path: Path) -> None:
    process, guardian = controller(retry_s=PATIENCE_S)
    supply.how = "hangs up"
    heard = len(supply.heard)
    process.kill()
    while len(supply.heard) == heard:  # the first try
        os.sched_yield()
    supply.how = "good"
    assert gone(guardian)
    assert not supply.on
    rows = journal(tmp_path)
    assert rows[-1]["safe"] is True
    assert [row["proven"] for row in rows if row.get("what") == "supply psu off"] == [False, True]


def test_a_relay_that_does_not_open_is_told_and_the_rest_is_made_safe(
    controller: CONTROLLER, lines: Lines, supply: Supply, tmp_path: Path
) -> None:
    process, guardian = controller()
    lines.stick(PINS["meter-feed"])
    process.kill()
    assert gone(guardian)
    assert not supply.on
    rows = journal(tmp_path)
    assert rows[-1]["safe"] is False
    assert [row["what"] for row in rows if row.get("proven") is False] == ["relay K2"]


def test_what_could_not_be_proven_marks_the_bench(
    start: START, supply: Supply, tmp_path: Path, clock: SystemClock
) -> None:
    lease = Lease.take(tmp_path / "state", "test", ["supply psu"], "now")
    client = start(lease.fds, supply_timeout_s=0.2)
    client.arm()
    supply.how = "deaf"
    client.close()  # without standing down
    lease.release()
    with pytest.raises(BenchError, match=r"not to be used: the guardian could not prove it safe \(supply psu off: "):
        Lease.take(tmp_path / "state", "test", ["supply psu"], "now")
    assert clock.cancelled() is None


def test_a_goodbye_without_a_proof_makes_the_bench_safe(start: START, lines: Lines, supply: Supply) -> None:
    client = start()
    client.arm()
    client.set("supply-feed", True)
    client.close()
    assert lines.closed() == dict.fromkeys(PINS, False)
    assert not supply.on


# -- what is over ------------------------------------------------------------------------------------------------------


def interrupted(clock: SystemClock) -> str:
    """Why the run is stopped, waiting for it."""
    with pytest.raises(Cancelled) as caught:
        clock.sleep(PATIENCE_S)
    return caught.value.reason


def test_the_controller_is_told_at_once_when_something_was_energised_too_long(
    start: START, lines: Lines, clock: SystemClock
) -> None:
    client = start(energised_s=0.3)
    client.arm()
    client.set("meter-feed", True)
    assert interrupted(clock) == "relay K2 was energised too long: 0.3 s"
    assert client.tripped == "relay K2 was energised too long: 0.3 s"
    assert lines.closed() == dict.fromkeys(PINS, False)
    with clock.shielded():
        with pytest.raises(Refused, match="K2 stays open: relay K2 was energised too long"):
            client.set("meter-feed", True)
        assert client.make_safe() == {"K1": True, "K2": True, "K3": True}
        client.stand_down()
        client.close()


def test_sigterm_makes_it_safe_and_it_ends_with_its_controller(start: START, lines: Lines, clock: SystemClock) -> None:
    client = start()
    client.arm()
    client.set("meter-feed", True)
    os.kill(client.pid, signal.SIGTERM)
    assert interrupted(clock) == "the guardian was told to stop (SIGTERM)"
    assert not lines.closed()["meter-feed"]
    with clock.shielded():
        client.make_safe()
        client.stand_down()
        client.close()
    assert gone(client.pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_when_the_guardian_is_gone_the_controller_is_told_and_makes_safe_itself(
    number: signal.Signals, start: START, lines: Lines, clock: SystemClock
) -> None:
    client = start()
    client.arm()
    client.set("mains", True)
    client.set("meter-feed", True)
    if number is signal.SIGSTOP:  # the controller does not wait so long for an echo as the guardian for a beat
        rules = replace(client._charge.rules, silent_ns=to_ns(0.5))
        client._charge = replace(client._charge, rules=rules)
    os.kill(client.pid, number)
    reason = interrupted(clock)
    assert reason.startswith("the guardian is gone")
    assert client.tripped == reason
    with clock.shielded():
        with pytest.raises(BenchError, match="the guardian is gone"):
            client.set("supply-feed", True)
        assert lines.closed()["meter-feed"], "nobody has opened it yet"
        assert client.make_safe() == {"K1": True, "K2": True, "K3": True}
        assert lines.closed() == {"mains": True, "meter-feed": False, "supply-feed": False}
        assert not client.closed("meter-feed")
        client.stand_down()
        client.close()
    assert gone(client.pid)


def test_when_the_guardian_is_gone_a_relay_that_does_not_open_is_told(
    start: START, lines: Lines, clock: SystemClock
) -> None:
    client = start()
    client.arm()
    client.set("meter-feed", True)
    lines.stick(PINS["meter-feed"])
    os.kill(client.pid, signal.SIGKILL)
    interrupted(clock)
    with clock.shielded():
        assert client.make_safe() == {"K1": True, "K2": False, "K3": True}
        with pytest.raises(Refused):
            client.stand_down()
        client.close()


def test_a_guardian_with_a_fault_of_its_own_leaves_its_relays_safe_and_the_controller_is_told(
    start: START, lines: Lines, clock: SystemClock, tmp_path: Path
) -> None:
    (lines.folder / "broken").touch()
    client = start()
    assert interrupted(clock).startswith("the guardian is gone")
    assert gone(client.pid)
    (row,) = journal(tmp_path)
    assert row["message"] == "ZeroDivisionError: division by zero"
    assert row["safe"] == {"K1": True, "K2": True, "K3": True}
    (lines.folder / "broken").unlink()  # this process takes the lines over
    with clock.shielded():
        assert client.make_safe() == {"K1": True, "K2": True, "K3": True}
        client.close()


def test_the_emergency_stop_opens_everything_and_is_told(start: START, lines: Lines, clock: SystemClock) -> None:
    lines.set(5, 0)
    client = start(stop=StopSpec(5, pressed_high=True))
    client.arm()
    client.set("mains", True)
    client.set("meter-feed", True)
    lines.set(5, 1)
    assert interrupted(clock) == "the emergency stop acts"
    assert lines.closed() == dict.fromkeys(PINS, False)
    with clock.shielded():
        client.make_safe()
        client.stand_down()
        client.close()


def test_an_emergency_stop_whose_wire_is_broken_is_pressed(start: START, lines: Lines, clock: SystemClock) -> None:
    assert not (lines.folder / "5").exists()
    client = start(stop=StopSpec(5, pressed_high=True))
    assert interrupted(clock) == "the emergency stop acts"
    with clock.shielded():
        client.close()


def test_the_watchdog_is_fed_while_all_is_well_and_no_longer(start: START, lines: Lines, clock: SystemClock) -> None:
    client = start(watchdog=WatchdogSpec(4, 0.02))
    assert [lines.next(4) for _ in range(21)] == [n % 2 for n in range(21)]
    os.kill(client.pid, signal.SIGTERM)
    interrupted(clock)
    with clock.shielded():
        lines.told()
        client.make_safe()
        assert set(lines.told()) == {PINS["meter-feed"], PINS["supply-feed"]}
        client.close()
