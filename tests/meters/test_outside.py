"""An activation that is started outside: a person, a command, a contact; and where the version comes from then."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import socket
import sys
import termios
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.clock import NS, to_ns
from rig.clock.system import SystemClock
from rig.clock.virtual import VirtualClock
from rig.errors import InputError, LinkError, LinkTimeout
from rig.instruments.sense import GpiodSenseLines, SenseLine
from rig.meters.desk import Desk, socket_path, tell
from rig.meters.outside import CommandTrigger, ContactTrigger, OutsideMeter, PersonTrigger, Reads
from rig.meters.port import ImageState, MeterIdentity
from rig.twin.devices import Signal
from rig.twin.gpio import TwinChip
from tests.meters.device import lab, profile

HASH, SIZE = bytes(32), 100
NOBODY = MeterIdentity("Maker", "M-1", "7")
ANSWER_S = 300.0
BENCH = "bench-1"


@pytest.fixture(autouse=True)
def _own_folder(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))


# -- a contact -------------------------------------------------------------------------------------------------------


class Contact:
    """A contact on a line of the twin's chip."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.signal = Signal(False)
        chip = TwinChip("/dev/gpiochip0", self.clock, {4: self.signal})
        line = (SenseLine("contact", 4, True),)
        self.lines = GpiodSenseLines("/dev/gpiochip0", line, chip.request_lines)  # type: ignore[arg-type]
        trigger = ContactTrigger(self.lines, self.clock, 0.05, 3600.0)
        self.meter = OutsideMeter("meter", trigger, Reads(NOBODY, None, None, None), self.clock, ANSWER_S)

    def at(self, seconds: float, level: bool) -> None:
        self.clock.schedule(self.clock.now() + to_ns(seconds), lambda: self.signal.set(level))


def test_time_zero_is_just_before_the_kernels_stamp_of_the_contact() -> None:
    it, told = Contact(), []
    it.meter.tell = told.append
    it.at(1234.5, True)
    began = it.clock.now()
    sent = it.meter.activate(HASH, SIZE)
    assert sent.after_ns == began + to_ns(1234.5)
    assert sent.before_ns == sent.after_ns - to_ns(0.05)
    assert any("waiting for the contact" in text for text in told)
    it.meter.close()


def test_an_edge_from_before_nobody_waited_for_is_not_the_trigger() -> None:
    it = Contact()
    it.signal.set(True)
    it.signal.set(False)
    it.at(10.0, True)
    assert it.meter.activate(HASH, SIZE).after_ns == it.clock.now()
    it.meter.close()


def test_a_contact_that_is_active_already_is_an_error() -> None:
    it = Contact()
    it.signal.set(True)
    with pytest.raises(LinkError, match="meter: the trigger's contact is active before the activation is started"):
        it.meter.activate(HASH, SIZE)
    it.meter.close()


def test_a_contact_that_never_closes_is_a_time_out_and_no_activation() -> None:
    it = Contact()
    began = it.clock.now()
    with pytest.raises(LinkTimeout, match="did not close within 3600 s"):
        it.meter.activate(HASH, SIZE)
    assert it.clock.now() - began == 3600 * NS
    it.meter.close()


# -- a command -------------------------------------------------------------------------------------------------------


def commanded(code: str, timeout_s: float = 60.0) -> OutsideMeter:
    clock = SystemClock()
    trigger = CommandTrigger((sys.executable, "-c", code), clock, timeout_s)
    return OutsideMeter("meter", trigger, Reads(NOBODY, None, None, None), clock, ANSWER_S)


def test_time_zero_lies_between_the_start_and_the_end_of_the_command(tmp_path: Path) -> None:
    note = tmp_path / "sent"
    code = f"import time; open({str(note)!r}, 'w').write(str(time.monotonic_ns()))"
    sent = commanded(code).activate(HASH, SIZE)
    assert sent.before_ns <= int(note.read_text()) <= sent.after_ns
    assert sent.problem is None


def test_a_command_that_ends_with_another_exit_code_sent_nothing() -> None:
    with pytest.raises(LinkError, match="meter: the command that starts the activation ended with exit code 3"):
        commanded("raise SystemExit(3)").activate(HASH, SIZE)


def test_a_command_that_somebody_kills_may_have_sent_it_and_that_is_told() -> None:
    sent = commanded("import os, signal; os.kill(os.getpid(), signal.SIGKILL)").activate(HASH, SIZE)
    assert sent.problem == "the command that starts the activation was ended by signal 9"


def test_a_command_that_does_not_end_may_have_sent_it_and_that_is_told() -> None:
    sent = commanded("import time; time.sleep(600)", timeout_s=0.05).activate(HASH, SIZE)
    assert sent.problem == "the command that starts the activation did not end within 0.05 s"
    assert sent.after_ns - sent.before_ns >= to_ns(0.05)


# -- a person --------------------------------------------------------------------------------------------------------


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """(where a person types, what the rig reads)."""
    person, rig = pty.openpty()
    yield person, rig
    os.close(person)
    os.close(rig)


def at_the_terminal(clock: VirtualClock, terminal: int | None) -> OutsideMeter:
    desk = Desk(BENCH, clock, terminal)
    return OutsideMeter(
        "meter", PersonTrigger(desk, clock, 3.0, 600.0), Reads(NOBODY, None, None, desk), clock, ANSWER_S
    )


def test_time_zero_lies_around_the_moment_at_which_a_person_says_so(terminal: tuple[int, int]) -> None:
    clock, told = VirtualClock(), []
    meter = at_the_terminal(clock, terminal[1])
    meter.tell = told.append
    spoke = clock.now() + to_ns(77.0)
    clock.schedule(spoke, lambda: typed(terminal, b"\n"))
    sent = meter.activate(HASH, SIZE)
    assert (sent.before_ns, sent.after_ns) == (spoke - to_ns(3.0), spoke + to_ns(3.0))
    assert "press Enter here, or say in another terminal: rig trigger" in told[0]
    assert "when the meter runs a new version" in told[1]
    meter.close()
    assert not socket_path(BENCH).exists()


def typed(terminal: tuple[int, int], data: bytes) -> None:
    """Type, and wait until the kernel has brought all of it to the other end."""
    os.write(terminal[0], data)
    there = array("i", [0])
    while there[0] < len(data):
        assert select.select([terminal[1]], [], [], 60)[0]
        fcntl.ioctl(terminal[1], termios.FIONREAD, there)


def test_what_was_typed_before_nobody_waited_for_is_not_the_trigger(terminal: tuple[int, int]) -> None:
    clock = VirtualClock()
    meter = at_the_terminal(clock, terminal[1])
    typed(terminal, b"\n")
    began = clock.now()
    with pytest.raises(LinkTimeout, match="meter: nobody started the activation within 600 s"):
        meter.activate(HASH, SIZE)
    assert clock.now() - began == 600 * NS
    meter.close()


def test_a_person_types_the_version_before_and_after_and_until_then_the_meter_is_silent(
    terminal: tuple[int, int],
) -> None:
    clock, told = VirtualClock(), []
    meter = at_the_terminal(clock, terminal[1])
    meter.tell = told.append
    clock.schedule(clock.now() + to_ns(9.0), lambda: typed(terminal, b" 1.0.0 \n"))
    assert meter.version() == "1.0.0"
    assert "which version does the meter run" in told[0]
    clock.schedule(clock.now() + to_ns(9.0), lambda: typed(terminal, b"\n"))
    meter.activate(HASH, SIZE)
    began = clock.now()
    for _ in range(3):
        with pytest.raises(LinkTimeout, match="nobody told its version yet"):
            meter.version()
    assert clock.now() == began, "a poll does not wait"
    typed(terminal, b"\n\x07\n1.1.0\n")
    assert [meter_says(meter) for _ in range(3)][-1] == "1.1.0"
    assert meter.version() == "1.1.0"
    meter.close()


def meter_says(meter: OutsideMeter) -> str | None:
    try:
        return meter.version()
    except LinkTimeout:
        return None


def test_a_terminal_that_goes_away_leaves_the_socket(terminal: tuple[int, int]) -> None:
    clock = VirtualClock()
    read, write = os.pipe()
    meter = at_the_terminal(clock, read)
    os.close(write)
    spoke: list[socket.socket] = []
    clock.schedule(clock.now() + to_ns(5.0), lambda: spoke.append(said({"say": "trigger"})))
    began = clock.now()
    assert meter.activate(HASH, SIZE).before_ns == began + to_ns(2.0)
    assert heard(spoke[0]) == {"heard": True}
    meter.close()
    os.close(read)


def said(body: object, bench: str = BENCH) -> socket.socket:
    """What `rig trigger` sends, without waiting for the answer: an event of the twin's clock must not wait."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.connect(str(socket_path(bench)))
    link.sendall(body if isinstance(body, bytes) else json.dumps(body).encode() + b"\n")
    return link


def heard(link: socket.socket) -> object:
    with link:
        link.settimeout(60)
        return json.loads(link.recv(4096))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"say": "version", "version": "1.1.0"}, "the run waits for the start of the activation now"),
        ({"say": "nothing"}, "not understood"),
        ([1], "not understood"),
        (b"nonsense\n", "not understood"),
        (b"\xff" * 9000, "not understood"),
    ],
)
def test_what_does_not_fit_is_answered_so_and_starts_nothing(body: object, why: str) -> None:
    clock = VirtualClock()
    meter = at_the_terminal(clock, None)
    spoke: list[socket.socket] = []
    clock.schedule(clock.now() + to_ns(5.0), lambda: spoke.append(said(body)))
    clock.schedule(clock.now() + to_ns(20.0), lambda: spoke.append(said({"say": "trigger"})))
    began = clock.now()
    assert meter.activate(HASH, SIZE).before_ns == began + to_ns(17.0)
    assert heard(spoke[0]) == {"heard": False, "why": why}
    assert heard(spoke[1]) == {"heard": True}
    meter.close()


def test_a_word_from_before_the_run_waits_is_turned_away() -> None:
    clock = VirtualClock()
    meter = at_the_terminal(clock, None)
    early = said({"say": "trigger"})
    with pytest.raises(LinkTimeout):
        meter.activate(HASH, SIZE)
    assert heard(early) == {"heard": False, "why": "the run did not wait for this yet: say it again"}
    meter.close()


def test_another_process_says_it_and_is_answered() -> None:
    clock = SystemClock()
    meter = at_the_terminal(clock, None)  # type: ignore[arg-type]
    told = threading.Event()
    meter.tell = lambda _: told.set()

    def other_terminal() -> None:
        told.wait(60)
        tell(BENCH, None)

    thread = threading.Thread(target=other_terminal)
    thread.start()
    before = clock.now()
    sent = meter.activate(HASH, SIZE)
    assert before - to_ns(3.0) <= sent.before_ns < sent.after_ns <= clock.now() + to_ns(3.0)
    thread.join()
    meter.close()


def test_nobody_listens_two_listen_and_the_only_one_is_found() -> None:
    with pytest.raises(InputError, match="no run waits for a word"):
        tell(None, None)
    with pytest.raises(InputError, match="no run on this bench waits"):
        tell(BENCH, None)
    desk = Desk(BENCH, VirtualClock())
    with pytest.raises(InputError, match="another run listens for this bench"):
        Desk(BENCH, VirtualClock())
    other = Desk("bench-2", VirtualClock())
    with pytest.raises(InputError, match="several runs wait for a word") as caught:
        tell(None, None)
    assert caught.value.where.found == "bench-1, bench-2"
    other.close()
    desk.close()
    desk.close()


def test_a_socket_that_a_dead_run_left_is_taken_over_and_nobody_else_enters_its_folder() -> None:
    path = socket_path(BENCH)
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))
    desk = Desk(BENCH, VirtualClock())
    assert path.stat().st_mode & 0o777 == 0o600
    desk.close()


def test_a_path_too_long_for_a_socket_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
    with pytest.raises(InputError, match="set XDG_RUNTIME_DIR to a shorter folder"):
        Desk(BENCH, VirtualClock())


# -- where the version comes from ------------------------------------------------------------------------------------


def versioned(code: str) -> OutsideMeter:
    clock = SystemClock()
    words = (sys.executable, "-c", code)
    return OutsideMeter(
        "meter", CommandTrigger(words, clock, 60.0), Reads(NOBODY, None, (words, 60.0), None), clock, 60.0
    )


def test_a_command_prints_the_version() -> None:
    meter = versioned("print('  1.2.3  ')")
    assert meter.version() == "1.2.3"
    assert meter.identity() == NOBODY
    assert meter.image_state() is None
    assert not meter.abilities.transfer


@pytest.mark.parametrize("code", ["print('a'); print('b')", "print('')", "print('x' * 65)", "print(chr(7))"])
def test_what_is_no_version_is_an_error(code: str) -> None:
    with pytest.raises(LinkError, match="printed no version") as caught:
        versioned(code).version()
    assert not isinstance(caught.value, LinkTimeout)


def test_a_command_that_fails_is_a_meter_that_is_silent() -> None:
    with pytest.raises(LinkTimeout, match="ended with exit code 9"):
        versioned("raise SystemExit(9)").version()


def test_a_meter_that_is_only_read_tells_version_status_up_time_and_log() -> None:
    reading = profile(
        '[status]\nvalue = { register = 2 }\n[status.states]\n"activated" = 6\n'
        '[uptime]\nregister = 4\ntype = "uint32"\nscale = 0.004\n'
    )
    with lab(reading) as it:
        it.device.put(1, 7, 6)
        it.device.put(4, 0, 500)
        trigger = CommandTrigger((sys.executable,), it.clock, 60.0)
        meter = OutsideMeter("meter", trigger, Reads(NOBODY, it.meter, None, None), it.clock, 60.0)
        assert meter.version() == "7"
        assert meter.image_state() is ImageState.ACTIVATED
        assert meter.uptime_s() == 2.0
        assert meter.uptime_step_s() == 0.004
        assert meter.events() == ()
        assert meter.identity() == MeterIdentity("", "", "")
