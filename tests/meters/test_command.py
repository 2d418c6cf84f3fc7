"""Commands of the lab's own, as real processes: how they end, how long they may take, and what becomes of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rig.clock import Cancelled
from rig.clock.system import SystemClock
from rig.clock.virtual import VirtualClock
from rig.errors import InputError, LinkError
from rig.meters.command import checked_command, run_command
from tests.guardian.peers import gone

LONG_S = 60.0


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.mark.parametrize("make", [SystemClock, VirtualClock])
def test_its_exit_code_and_its_output_are_told(make: type[SystemClock | VirtualClock]) -> None:
    ran = run_command(python("print('1.2.3'); raise SystemExit(7)"), make(), LONG_S, keep_output=True)
    assert (ran.exit_code, ran.output) == (7, b"1.2.3\n")
    assert ran.before_ns <= ran.after_ns


def test_it_began_and_ended_between_the_two_instants() -> None:
    code = "import time; print(time.monotonic_ns())"
    ran = run_command(python(code), SystemClock(), LONG_S, keep_output=True)
    assert ran.before_ns <= int(ran.output) <= ran.after_ns


def test_no_shell_sees_its_arguments() -> None:
    words = (*python("import sys; print(sys.argv[1:])"), "$HOME", ";", "*", "`id`")
    ran = run_command(words, SystemClock(), LONG_S, keep_output=True)
    assert ran.output.decode().strip() == str(["$HOME", ";", "*", "`id`"])


def test_it_has_no_standard_input() -> None:
    ran = run_command(python("import sys; print(repr(sys.stdin.read()))"), SystemClock(), LONG_S, keep_output=True)
    assert ran.output == b"''\n"


def test_one_that_does_not_end_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)\n"
    )
    clock = SystemClock()

    class Waits(SystemClock):
        """Its time-out begins when the command has written its note: the test depends on no machine's speed."""

        def wait(self, ready: object, timeout_s: float) -> bool:
            while not note.exists() or not note.read_text().count(" "):
                clock.sleep(0.01)
            return super().wait(ready, 0.05)  # type: ignore[arg-type]

    ran = run_command(python(code), Waits(), 0.05, keep_output=False)
    assert ran.exit_code is None
    for pid in note.read_text().split():
        assert gone(int(pid)), f"{pid} lives"


def test_a_run_that_is_asked_to_stop_does_not_wait_for_it() -> None:
    clock = SystemClock()
    clock.cancel("SIGINT")
    with pytest.raises(Cancelled):
        run_command(python("import time; time.sleep(600)"), clock, LONG_S, keep_output=False)


def test_one_that_cannot_be_started_is_an_error_and_did_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/nowhere/at/all\n")
    broken.chmod(0o700)
    with pytest.raises(LinkError, match="broken cannot be started: No such file"):
        run_command((str(broken),), SystemClock(), LONG_S, keep_output=False)


def test_a_program_that_is_not_there_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such program") as caught:
        checked_command(["no-such-program-here", "x"], "meter.command")
    assert caught.value.where.key == "meter.command[0]"
    plain = tmp_path / "plain"
    plain.write_text("")
    with pytest.raises(InputError, match="no such program"):
        checked_command([str(plain)], "meter.command")
    assert checked_command(["env", "A=1"], "meter.command")[1:] == ("A=1",)
