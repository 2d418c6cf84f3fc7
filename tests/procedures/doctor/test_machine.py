"""This machine as it is: files, commands with time-outs, and lists that may be empty."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from rig.procedures.doctor import machine as this
from rig.procedures.doctor.machine import Machine, Ran, run_command


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_a_command_says_what_it_prints() -> None:
    assert run_command(python("print('hello')"), 60.0) == Ran("hello\n")


def test_a_command_has_no_input_and_speaks_english() -> None:
    ran = run_command(python("import os, sys; print(sys.stdin.read() + os.environ['LC_ALL'])"), 60.0)
    assert ran == Ran("C\n")


def test_a_command_that_is_not_installed_is_not_here() -> None:
    ran = run_command(("no-such-tool-anywhere", "--now"), 1.0)
    assert (ran.here, ran.problem) == (False, "no-such-tool-anywhere is not here")


def test_a_command_that_fails_says_its_last_line() -> None:
    ran = run_command(python("import sys; sys.exit('first\\nno bus')"), 60.0)
    assert ran.here
    assert ran.problem == f"{sys.executable}: no bus"
    assert (run_command(python("raise SystemExit(3)"), 60.0).problem or "").endswith("exit code 3")


def test_a_command_that_does_not_end_is_ended() -> None:
    ran = run_command(python("import signal; signal.pause()"), 0.0)
    assert ran.problem == f"{sys.executable} did not end within 0 s"


def test_a_file_that_may_not_be_run_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("")
    ran = run_command((str(tmp_path / "tool"),), 1.0)
    assert ran.problem is not None


def test_files_are_read_without_what_stands_around_them(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"Raspberry Pi 4\0")
    machine = Machine(root=tmp_path)
    assert machine.read("/model") == "Raspberry Pi 4"
    assert machine.read("/none") is None
    assert machine.read("/") is None
    assert machine.glob("/mod*") == ["/model"]
    assert (machine.exists("/model"), machine.exists("/none")) == (True, False)


def test_a_link_is_followed_within_the_machine(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("a")
    assert Machine(root=tmp_path).real("/b/c") == "/a/c"
    assert Machine().real("/") == "/"


def test_this_machines_own_parts_answer() -> None:
    machine = Machine()
    assert machine.user().uid == os.geteuid()
    assert machine.free_bytes(Path("/")) > 0
    assert machine.version_of("numpy")
    assert machine.version_of("no-such-distribution") is None
    assert machine.has_module("numpy")
    assert not machine.has_module("no_such_module")
    assert all(port.device for port in machine.serial_ports())
    assert machine.usable("/dev/null")


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 4_000_000)
    assert this.this_user().name == "4000000"
