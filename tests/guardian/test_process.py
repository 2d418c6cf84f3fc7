"""The guardian as a real process: what it answers, what it ignores, and what it does when nobody leads it any more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rig.clock import Cancelled
from rig.clock.system import SystemClock
from rig.errors import BenchError, Refused
from rig.guardian.charge import StopSpec, SupplySpec, WatchdogSpec
from rig.guardian.client import GuardianClient
from rig.guardian.lease import Lease
from rig.guardian.strict import to_json
from tests.guardian.peers import FAKE_GPIO, PATIENCE_S, PINS, Lines, Supply, charge, gone

START = Callable[..., GuardianClient]


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    folder = tmp_path / "gpio"
    folder.mkdir()
    monkeypatch.setenv("RIG_FAKE_GPIO", str(folder))
    monkeypatch.syspath_prepend(str(FAKE_GPIO))
    found = Lines(folder)
    yield found
    found.close()
    gpio = sys.modules.pop("RPi.GPIO", None)  # this process took the lines over
    sys.modules.pop("RPi", None)
    if gpio is not None:
        gpio._TOLD.close()


@pytest.fixture
def supply() -> Iterator[Supply]:
    found = Supply()
    yield found
    found.server.close()


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def start(tmp_path: Path, lines: Lines, supply: Supply, clock: SystemClock) -> Iterator[START]:
    del lines
    begun: list[GuardianClient] = []

    def begin(locks: tuple[int, ...] = (), **how: object) -> GuardianClient:
        begun.append(GuardianClient.start(charge(tmp_path / "state", supply, **how), clock, locks))  # type: ignore[arg-type]
        return begun[-1]

    yield begin
    for client in begun:
        client._end_process()


def journal(tmp_path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (tmp_path / "state" / "guardian.jsonl").read_text().splitlines()]


# -- led ---------------------------------------------------------------------------------------------------------------


def test_it_moves_what_it_is_asked_to_and_gives_the_lines_back(start: START, lines: Lines, supply: Supply) -> None:
    client = start()
    assert client.name("meter-feed") == "K2"
    client.arm()
    move = client.set("meter-feed", True)
    assert (move.role, move.closed) == ("meter-feed", True)
    assert client.closed("meter-feed")
    assert lines.closed() == {"mains": False, "meter-feed": True, "supply-feed": False}
    assert client.make_safe() == {"K1": True, "K2": True, "K3": True}
    client.stand_down()
    assert lines.closed() == {"mains": False, "meter-feed": False, "supply-feed": False}
    client.close()
    assert client.moves == [move]
    assert supply.on, "what was proven safe is left alone"
    assert supply.heard == [":OUTP? CH1"]


def test_a_refusal_comes_back_by_name(start: START) -> None:
    client = start()
    with pytest.raises(Refused, match="K2 stays open: the bench is not armed"):
        client.set("meter-feed", True)
    client.arm()
    client.set("supply-feed", True)
    with pytest.raises(Refused, match="K2 stays open: K3 is closed, and both never are"):
        client.set("meter-feed", True)
    with pytest.raises(Refused, match="does not stand down: relay K3 is closed"):
        client.stand_down()
    client.set("supply-feed", False)
    client.stand_down()
    client.close()


def test_a_line_that_does_not_follow_is_an_error_and_not_a_refusal(start: START, lines: Lines) -> None:
    client = start()
    client.arm()
    lines.stick(PINS["meter-feed"])
    with pytest.raises(BenchError, match="K2: GPIO 27 does not follow") as caught:
        client.set("meter-feed", True)
    assert not isinstance(caught.value, Refused)
    client.stand_down()
    client.close()


def test_whatever_nonsense_it_is_told_it_answers_and_goes_on(start: START) -> None:
    client = start()
    for do, fields in (
        ("fly", {}),
        ("set", {}),
        ("set", {"role": "meter-feed", "closed": 1}),
        ("set", {"role": ["meter-feed"], "closed": True}),
        ("closed", {"role": None}),
        ("journal", {"folder": 3, "zero_ns": 0}),
    ):
        with pytest.raises(BenchError):
            client._ask(do, **fields)  # type: ignore[arg-type]
    client._channel.send(b"\xff\xfe no JSON")
    assert "not understood" in client._answer(PATIENCE_S, None)["failed"]
    client.arm()
    client.stand_down()
    client.close()


def test_ctrl_c_and_a_closed_terminal_are_nothing_to_it(start: START) -> None:
    client = start()
    client.arm()
    client.set("meter-feed", True)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        os.kill(client.pid, number)
    assert client.closed("meter-feed")
    assert os.getsid(client.pid) == client.pid, "a terminal's Ctrl-C does not even reach it"
    client.make_safe()
    client.stand_down()
    client.close()


def test_what_it_does_is_in_the_runs_folder_until_it_stands_down(start: START, tmp_path: Path) -> None:
    client = start()
    folder = tmp_path / "run"
    folder.mkdir()
    client.keep_journal(folder, SystemClock().now())
    client.arm()
    client.set("meter-feed", True)
    with pytest.raises(Refused):
        client.set("supply-feed", True)
    client.make_safe()
    client.stand_down()
    whole = (folder / "guardian.jsonl").read_bytes()
    rows = [json.loads(line) for line in whole.splitlines()]
    assert [row["event"] for row in rows] == ["journal", "arm", "move", "refused", "make_safe", "stand_down"]
    assert [row["t_s"] for row in rows] == sorted(row["t_s"] for row in rows)
    assert 0 <= rows[-1]["t_s"] < PATIENCE_S
    client.arm()
    client.stand_down()
    assert (folder / "guardian.jsonl").read_bytes() == whole, "the folder is closed: its checksums are made"
    client.close()


# -- the start ---------------------------------------------------------------------------------------------------------


def test_a_guardian_that_cannot_reach_the_supply_does_not_begin(start: START, supply: Supply, lines: Lines) -> None:
    supply.server.close()
    with pytest.raises(BenchError, match=r"the guardian does not begin: supply psu cannot be reached at 127\.0\.0\.1:"):
        start()
    assert lines.closed() == dict.fromkeys(PINS, False)


def test_a_line_that_is_taken_is_told(start: START, lines: Lines) -> None:
    (lines.folder / "27").mkdir()
    with pytest.raises(BenchError, match="does not begin: relay K2: GPIO 27 cannot be set up"):
        start()


def test_a_charge_that_is_not_one_is_told(start: START, tmp_path: Path, supply: Supply, clock: SystemClock) -> None:
    bad = charge(tmp_path, supply)
    (psu,) = bad.supplies
    object.__setattr__(psu, "port", 0)  # past the checks of this side
    assert isinstance(psu, SupplySpec)
    with pytest.raises(BenchError, match="does not begin: supplies"):
        GuardianClient.start(bad, clock)


def test_it_is_up_in_a_moment_and_small(start: START) -> None:
    """Small: resident memory below 40 MB, and nothing heavy loaded. How fast it is up is measured by `make bench`."""
    client = start()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{client.pid}/status").read_text().splitlines())
    assert int(status["VmRSS"].split()[0]) < 40_000
    mapped = Path(f"/proc/{client.pid}/maps").read_text()
    assert not [heavy for heavy in ("numpy", "pydantic", "h5py", "gpiod", "pymodbus", "asyncio") if heavy in mapped]


# -- nobody leads ------------------------------------------------------------------------------------------------------

CONTROLLER = """
import json, os, sys, time
from pathlib import Path
from rig.clock.system import SystemClock
from rig.guardian.charge import Charge
from rig.guardian.client import GuardianClient
from rig.guardian.strict import from_json
client = GuardianClient.start(from_json(Charge, json.loads(sys.argv[1])), SystemClock())
client.arm()
client.set("mains", True)
client.set("meter-feed", True)
print(client.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def controller(
    tmp_path: Path, lines: Lines, supply: Supply
) -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    del lines
    begun: list[subprocess.Popen[str]] = []

    def begin(**how: object) -> tuple[subprocess.Popen[str], int]:
        """A controller that feeds the hub and waits; it, and its guardian's process id."""
        words = json.dumps(to_json(charge(tmp_path / "state", supply, **how)))  # type: ignore[arg-type]
        process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        begun.append(process)
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    yield begin
    for process in begun:
        process.kill()
        with process:  # closes its pipes, and waits for it
            pass


def test_a_killed_controller_leaves_a_safe_bench(
    controller: Callable[..., tuple[subprocess.Popen[str], int]], lines: Lines, supply: Supply, tmp_path: Path
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


def test_a_controller_that_hangs_is_ended_and_leaves_a_safe_bench(
    controller: Callable[..., tuple[subprocess.Popen[str], int]], lines: Lines, supply: Supply, tmp_path: Path
) -> None:
    process, guardian = controller(silent_s=0.5)
    process.send_signal(signal.SIGSTOP)
    assert gone(guardian)
    assert process.wait(PATIENCE_S) == -signal.SIGKILL
    assert lines.closed() == {"mains": True, "meter-feed": False, "supply-feed": False}
    assert not supply.on
    assert journal(tmp_path)[0]["why"] == "the controller is silent for 0.5 s"


def test_a_controller_that_ends_without_a_goodbye_leaves_a_safe_bench(
    controller: Callable[..., tuple[subprocess.Popen[str], int]], lines: Lines, supply: Supply
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
    controller: Callable[..., tuple[subprocess.Popen[str], int]],
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


def test_a_supply_that_comes_back_is_tried_again(
    controller: Callable[..., tuple[subprocess.Popen[str], int]], supply: Supply, tmp_path: Path
) -> None:
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
    controller: Callable[..., tuple[subprocess.Popen[str], int]], lines: Lines, supply: Supply, tmp_path: Path
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
    client = start(silent_s=0.5)
    client.arm()
    client.set("mains", True)
    client.set("meter-feed", True)
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
