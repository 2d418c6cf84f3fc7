"""The guardian as a process: it owns the relay lines, hears the controller's requests and beats, and acts without it.

It is started by the controller, which hands it two sockets (requests; beats and notices), the bench's locks, and its
charge over standard input. Ctrl-C is nothing to it; SIGTERM makes the bench safe, and it ends when the controller has.
Messages are JSON objects, one a packet: {id, do, ...} is answered by {id, ok | refused | failed}.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rig.clock.system import SystemClock
from rig.errors import BenchError, InputError, Refused, RigError
from rig.guardian import keeper
from rig.guardian.charge import Charge
from rig.guardian.core import Core, Trip, Why
from rig.guardian.emergency import Controller, Emergency
from rig.guardian.hands import Watchdog, open_relays, placed, stop_reader
from rig.guardian.journal import FILE, Journal
from rig.guardian.plain_supply import reach
from rig.guardian.strict import from_json, to_json
from rig.instruments.relays import load_gpio

PACKET = 1 << 16
BEAT = b"."


def main(words: list[str]) -> int:
    """`controller requests beats [lock ...]`: its process id and the inherited descriptors.

    Returns the exit code: 0, or 4 when it could not start.
    """
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(ignored, signal.SIG_IGN)
    controller, requests, beats, *locks = (int(word) for word in words)
    channel, pulse = socket.socket(fileno=requests), socket.socket(fileno=beats)
    try:
        charge = from_json(Charge, json.loads(sys.stdin.buffer.read()))
        guardian = Process(charge, Controller(controller), channel, pulse, tuple(locks))
    except (RigError, ValueError, OSError) as error:
        where = asdict(error.where) if isinstance(error, RigError) else {}
        _send(channel, {"failed": str(error), "where": where})
        return 4
    guardian.run()
    return 0


class Process:
    """One guardian at work."""

    def __init__(
        self,
        charge: Charge,
        controller: Controller,
        channel: socket.socket,
        pulse: socket.socket,
        locks: tuple[int, ...],
    ) -> None:
        self._charge = charge
        self._locks = locks
        self._controller = controller
        self._channel = channel
        self._pulse = pulse
        self._told_to_stop = False
        self._done = False
        self._notified: Trip | None = None
        clock = SystemClock()
        now = clock.now
        os.makedirs(charge.state_folder, exist_ok=True)  # noqa: PTH103
        state_file = os.path.join(charge.state_folder, FILE)  # noqa: PTH118
        self._journal = Journal(now, state_file, _utc, bench=charge.bench, controller=controller.pid)
        for number, supply in enumerate(charge.supplies):
            with placed(f"supply[{number}].address"):
                reach(supply)
        lines = keeper.pins(charge.relays)
        if lines:
            load_gpio()  # before the lines are taken over, so that they are nobody's for a shorter time
        keeper.take(charge.state_folder, lines)
        relays = open_relays(charge.relays, clock)
        pressed = stop_reader(charge.stop) if charge.stop else None
        self._core = Core(charge.rules, relays, now, pressed)
        self._watchdog = Watchdog(charge.watchdog, now) if charge.watchdog else None
        self._emergency = Emergency(charge, self._core, self._journal, now, locks)
        self._wakeup = _wakeup(signal.SIGTERM)
        _send(channel, {"ok": os.getpid()})

    def run(self) -> None:
        """Until the controller says goodbye, or is gone. After a fault of its own the relays are safe."""
        try:
            self._lead()
        except Exception as error:
            safe = self._core.make_safe()
            self._journal.tell("fault", message=f"{type(error).__name__}: {error}", safe=safe)
            self._leave()
            raise
        self._leave()

    def _leave(self) -> None:
        """Give the relays back, or leave their lines to a keeper."""
        kept = {spec.role for spec in self._charge.relays if spec.gpio is not None and self._charge.keeps_lines}
        for relay_error in self._core.close(kept):
            self._journal.tell("failed", message=relay_error.one_line())
        if not kept:
            return
        ends = (self._channel.fileno(), self._pulse.fileno(), self._controller.fileno(), *self._locks)
        try:
            keeper.stay(self._charge.state_folder, keeper.pins(self._charge.relays), ends)
        except OSError as error:
            self._journal.tell("failed", message=f"nobody keeps the relay lines: {error}")

    def _lead(self) -> None:
        poll = select.poll()
        for readable in (self._pulse, self._channel, self._controller, self._wakeup):
            if readable.fileno() >= 0:
                poll.register(readable, select.POLLIN)
        while not self._done:
            ready = {fd for fd, _ in poll.poll(self._wait_ms())}
            if self._wakeup.fileno() in ready:
                self._wakeup.recv(PACKET)
                self._told_to_stop = True
            alive = self._hear_beats()  # before anything is found to be over: beats may have waited
            self._core.tick()
            if self._channel.fileno() in ready:
                alive = self._serve() and alive
            if self._told_to_stop and self._core.tripped is None:
                self._core.trip(Why.TOLD, f"the guardian was {Why.TOLD.value} (SIGTERM)")
            self._look(alive and not self._controller.gone())

    def _wait_ms(self) -> float:
        due = [self._core.due_ns(), self._watchdog.due_ns if self._watchdog and not self._core.tripped else None]
        soonest = min((at for at in due if at is not None), default=None)
        return -1 if soonest is None else max(0, math.ceil((soonest - time.monotonic_ns()) / 1e6))

    def _look(self, alive: bool) -> None:
        """After everything that was heard: what must be done, and told?"""
        trip = self._core.tripped
        if self._done:
            return
        if not alive or (trip is not None and trip.why is Why.SILENT):
            why = trip.text if trip is not None else "the controller is gone"
            self._emergency.act(why, self._controller)
            self._done = True
        elif trip is not None and self._notified is None:
            self._notified = trip
            self._journal.tell("trip", text=trip.text, safe=dict(trip.safe))
            _send(self._pulse, {"tripped": trip.text})
        elif trip is None and self._watchdog is not None:
            self._feed(self._watchdog)

    def _feed(self, watchdog: Watchdog) -> None:
        try:
            watchdog.feed()
        except BenchError as error:
            self._core.trip(Why.TOLD, error.one_line())

    # -- what the controller says ----------------------------------------------------------------------------------

    def _hear_beats(self) -> bool:
        """All beats that wait are answered; whether the controller still holds the other end."""
        while (packet := _receive(self._pulse)) is not None:
            if packet == b"":
                return False
            self._core.beat()
            with contextlib.suppress(OSError):
                self._pulse.send(BEAT, socket.MSG_DONTWAIT)
        return True

    def _serve(self) -> bool:
        """One request; whether the controller still holds the other end."""
        packet = _receive(self._channel)
        if packet is None:
            return True
        if packet == b"":
            return False
        request: dict[str, Any] = {}
        try:
            request = json.loads(packet)
            answer: dict[str, Any] = {"ok": self._answer(request)}
        except Refused as refusal:
            self._journal.note("refused", request=request, message=refusal.message)
            answer = {"refused": refusal.message}
        except (RigError, ValueError, TypeError, KeyError, AttributeError) as error:
            text = error.one_line() if isinstance(error, RigError) else f"not understood: {packet[:80]!r}"
            answer = {"failed": text}
        number = request.get("id") if isinstance(request, dict) else None
        _send(self._channel, {"id": number, **answer})
        return True

    def _answer(self, request: dict[str, Any]) -> Any:
        calls: dict[str, Callable[[dict[str, Any]], Any]] = {
            "arm": lambda _: self._core.arm(),
            "set": self._set,
            "closed": lambda r: self._core.closed(r["role"]),
            "make_safe": lambda _: self._core.make_safe(),
            "stand_down": self._stand_down,
            "journal": lambda r: self._journal.follow(r["folder"], r["zero_ns"]),
            "bye": self._bye,
        }
        if request["do"] not in calls:
            raise InputError(f"no such request: {request['do']!r}")
        result = calls[request["do"]](request)
        if request["do"] not in ("set", "closed"):
            self._journal.note(request["do"], result=result)
        return result

    def _set(self, request: dict[str, Any]) -> Any:
        role, closed = request["role"], request["closed"]
        if not isinstance(closed, bool):
            raise InputError(f"a relay is closed or not: {closed!r}")
        moved = self._core.moved
        move = self._core.set(role, closed)
        if self._core.moved > moved:
            self._journal.note("move", role=role, closed=closed, took_s=(move.after_ns - move.before_ns) / 1e9)
        return to_json(move)

    def _stand_down(self, _: dict[str, Any]) -> None:
        self._core.stand_down()
        self._journal.note("stand_down")
        self._journal.leave()

    def _bye(self, _: dict[str, Any]) -> Any:
        """The controller ends. Where it did not prove the bench safe, the guardian does what it can."""
        self._done = True
        if self._core.armed:
            return to_json(self._emergency.act("the controller could not prove the bench safe", None))
        return []


def _receive(link: socket.socket) -> bytes | None:
    """One packet; empty when the other end is closed, None when nothing waits."""
    try:
        return link.recv(PACKET, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _send(link: socket.socket, body: dict[str, Any]) -> None:
    """To a controller that may be gone, or stopped: never waits."""
    with contextlib.suppress(OSError):
        link.send(json.dumps(body, ensure_ascii=False).encode(), socket.MSG_DONTWAIT)


def _wakeup(*numbers: int) -> socket.socket:
    """Readable after one of these signals; they do nothing else."""
    read, write = socket.socketpair()
    write.setblocking(False)
    signal.set_wakeup_fd(write.detach())
    for number in numbers:
        signal.signal(number, lambda *_: None)
    return read


def _utc() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + "Z"
