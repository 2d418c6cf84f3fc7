"""The guardian as a real process that is led: what it answers, refuses and ignores, and how it starts."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.clock.system import SystemClock
from rig.errors import BenchError, Refused
from rig.guardian.charge import SupplySpec
from rig.guardian.client import GuardianClient
from tests.guardian.peers import PATIENCE_S, PINS, Lines, Supply, charge

START = Callable[..., GuardianClient]


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
    assert list(client.moves) == [move]
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
    supply.server.unplug()
    with pytest.raises(BenchError, match=r"the guardian does not begin: supply psu cannot be reached at 127\.0\.0\.1:"):
        start()
    assert lines.closed() == dict.fromkeys(PINS, False)


def test_a_line_that_is_taken_is_told(start: START, lines: Lines) -> None:
    (lines.folder / "27").mkdir()
    with pytest.raises(BenchError, match="does not begin: relay K2: GPIO 27 cannot be set up") as caught:
        start()
    assert caught.value.where.key == "relay[1].pin"


def test_a_charge_that_is_not_one_is_told(start: START, tmp_path: Path, supply: Supply, clock: SystemClock) -> None:
    bad = charge(tmp_path, supply)
    (psu,) = bad.supplies
    object.__setattr__(psu, "timeout_s", 0.0)  # past the checks of this side
    assert isinstance(psu, SupplySpec)
    with pytest.raises(BenchError, match="does not begin: supply psu: timeout_s 0, pause_s 0: out of range") as caught:
        GuardianClient.start(bad, clock)
    assert caught.value.where.key == "supplies[0]"


def test_it_is_up_in_a_moment_and_small(start: START) -> None:
    """Small: resident memory below 40 MB, and nothing heavy loaded. How fast it is up is measured by `make bench`."""
    client = start()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{client.pid}/status").read_text().splitlines())
    assert int(status["VmRSS"].split()[0]) < 40_000
    mapped = Path(f"/proc/{client.pid}/maps").read_text()
    assert not [heavy for heavy in ("numpy", "pydantic", "h5py", "gpiod", "pymodbus", "asyncio") if heavy in mapped]
