"""The guardian as a process, seen from the controller: starts it, asks it, beats, and notices when it is gone.

When it is gone, this process ends it for certain, takes the relay lines itself, and makes them safe: that is all that
it does with them. Implements `rig.guardian.port.Guardian`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rig.clock.base import Activity, Clock, Flag
from rig.errors import BenchError, Refused, Where
from rig.guardian.charge import Charge
from rig.guardian.core import MOVES_KEPT, Core, Move
from rig.guardian.hands import open_relays
from rig.guardian.keeper import Kept
from rig.guardian.strict import from_json, to_json

_START_S = 10.0
"""How long it may take to be up: a fifth of a second by itself, and the supply's time to answer."""
_PACKET = 1 << 16
_BEAT = b"."


class GuardianClient:
    """Make with `start`. One activity at a time asks; the beats are an activity of its own."""

    def __init__(
        self,
        charge: Charge,
        clock: Clock,
        process: subprocess.Popen[bytes],
        channel: socket.socket,
        pulse: socket.socket,
        closing: Callable[[str], None],
    ) -> None:
        self._charge = charge
        self._clock = clock
        self._process = process
        self._channel = channel
        self._pulse = pulse
        self._about_to_close = closing
        self._names = {spec.role: spec.name for spec in charge.relays}
        self._number = 0
        self._lost: str | None = None
        self._tripped: str | None = None
        self._own: Core | Kept | None = None
        self._closing: Flag = clock.flag()
        self._beats: Activity | None = None
        self.moves: deque[Move] = deque(maxlen=MOVES_KEPT)

    @classmethod
    def start(
        cls,
        charge: Charge,
        clock: Clock,
        locks: Sequence[int] = (),
        closing: Callable[[str], None] = lambda _: None,
    ) -> GuardianClient:
        """Start the process and hand it its charge. Raises BenchError when it cannot begin, by its own words.

        `locks`: descriptors that it inherits (`Lease.fds`). `closing` is told the name of a relay that is about to be
        asked to close; what it raises keeps it open.
        """
        channel, other_channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pulse, other_pulse = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other_channel, other_pulse:
            fds = [other_channel.fileno(), other_pulse.fileno(), *locks]
            words = [sys.executable, "-S", "-P", "-m", "rig.guardian", str(os.getpid()), *map(str, fds)]
            process = subprocess.Popen(  # noqa: S603 - our own module, by the interpreter that runs us
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(_path())},
                pass_fds=fds,
                start_new_session=True,
            )
        guardian = cls(charge, clock, process, channel, pulse, closing)
        try:
            guardian._begin(json.dumps(to_json(charge)).encode())
        except BaseException:
            guardian._end_process()
            raise
        return guardian

    @property
    def tripped(self) -> str | None:
        return self._tripped

    @property
    def pid(self) -> int:
        return self._process.pid

    def arm(self) -> None:
        self._ask("arm")

    def set(self, role: str, closed: bool) -> Move:
        if closed and not self.closed(role):
            self._about_to_close(self.name(role))
        move = from_json(Move, self._ask("set", role=role, closed=closed))
        if move.after_ns != move.before_ns:
            self.moves.append(move)
        return move

    def closed(self, role: str) -> bool:
        if self._own is not None:
            return self._own.closed(role)
        return bool(self._ask("closed", role=role))

    def name(self, role: str) -> str:
        return self._names[role]

    def make_safe(self) -> dict[str, bool]:
        """See `Guardian`; when the process is gone, this one takes the lines and does it."""
        if self._lost is None:
            try:
                found: dict[str, bool] = self._ask("make_safe", wait_s=self._charge.act_s)
            except BenchError as error:
                self._lose(error.message)
            else:
                return found
        try:
            return self._own_hands().make_safe()
        except BenchError:
            return dict.fromkeys(self._names.values(), False)

    def stand_down(self) -> None:
        if self._own is not None:
            self._own.stand_down()
        else:
            self._ask("stand_down")

    def keep_journal(self, folder: Path, zero_ns: int) -> None:
        self._ask("journal", folder=str(folder.absolute()), zero_ns=zero_ns)

    def close(self) -> None:
        """See `Guardian`. Raises the first BenchError of a line that could not be given back."""
        self._closing.set()
        failed: list[BenchError] = []
        try:
            if self._lost is None:
                self._ask("bye", wait_s=self._charge.act_s)
                self._wait_process()
        except BenchError as error:
            failed.append(error)
        finally:
            self._end_process()
        if self._own is not None:
            failed += self._own.close()
        if failed:
            raise failed[0]

    # -- the process -----------------------------------------------------------------------------------------------

    def _begin(self, charge: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was opened as a pipe
        try:
            with self._process.stdin as pipe:
                pipe.write(charge)
            hello = self._answer(_START_S, None)
        except OSError as error:
            raise BenchError(f"the guardian did not start: {error}") from error
        if "failed" in hello:
            raise BenchError(f"the guardian does not begin: {hello['failed']}", Where(**hello["where"]))
        self._beats = self._clock.spawn("beats", self._beat)

    def _wait_process(self) -> None:
        try:
            self._process.wait(self._charge.answer_s)
        except subprocess.TimeoutExpired:
            raise BenchError("the guardian did not end when it was told to") from None

    def _end_process(self) -> None:
        """It is gone when this returns, whatever it was doing."""
        self._closing.set()
        self._process.kill()
        self._process.wait()
        beats, self._beats = self._beats, None
        if beats is not None:
            with self._clock.shielded():
                beats.join()
        self._channel.close()
        self._pulse.close()

    def _own_hands(self) -> Core | Kept:
        """The relay lines in this process, or in a keeper's; the guardian is ended first: there is one owner."""
        if self._own is None:
            self._process.kill()
            self._process.wait()
            charge = self._charge
            if charge.keeps_lines:
                self._own = Kept(charge.state_folder, charge.relays)
            else:
                self._own = Core(charge.rules, open_relays(charge.relays, self._clock), self._clock.now)
        return self._own

    # -- asking ----------------------------------------------------------------------------------------------------

    def _ask(self, do: str, *, wait_s: float | None = None, **fields: Any) -> Any:
        """One request and its answer. Raises Refused by the guardian's own words, BenchError when it is gone."""
        if self._lost is not None:
            raise BenchError(self._lost)
        self._number += 1
        body = json.dumps({"id": self._number, "do": do, **fields}).encode()
        try:
            self._channel.send(body, socket.MSG_DONTWAIT)
            answer = self._answer(self._charge.answer_s if wait_s is None else wait_s, self._number)
        except OSError as error:
            raise BenchError(self._lose(f"the guardian is gone ({error.strerror or error})")) from error
        if "refused" in answer:
            raise Refused(answer["refused"])
        if "failed" in answer:
            raise BenchError(answer["failed"])
        return answer["ok"]

    def _answer(self, wait_s: float, number: int | None) -> dict[str, Any]:
        """The answer to this request. Not interrupted by Ctrl-C: an unread answer would be taken for the next."""
        with self._clock.shielded():
            if not self._clock.wait(self._channel, wait_s):
                raise TimeoutError(f"no answer within {wait_s:g} s")
        packet = self._channel.recv(_PACKET)
        if not packet:
            raise ConnectionResetError("it ended")
        answer: dict[str, Any] = json.loads(packet)
        if answer.get("id") != number:
            raise ConnectionResetError("it answered what was not asked")
        return answer

    def _lose(self, why: str) -> str:
        """The guardian is gone: the run must stop. Said once."""
        if self._lost is None:
            self._lost = why
            self._trip(why)
        return self._lost

    def _trip(self, why: str) -> None:
        self._tripped = why
        self._clock.cancel(why)

    # -- the beats -------------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        """A beat, its echo, a pause; until the guardian is gone, or this is closed."""
        with self._clock.shielded():
            while not self._closing.is_set():
                try:
                    self._pulse.send(_BEAT, socket.MSG_DONTWAIT)
                    self._hear(self._charge.answer_s, "it is silent")
                    self._hear(self._charge.beat_s, None)
                except OSError as error:
                    if not self._closing.is_set():
                        self._lose(f"the guardian is gone ({error.strerror or error})")
                    return

    def _hear(self, wait_s: float, silence: str | None) -> None:
        """What the guardian says within the time: an echo, or a notice that it tripped."""
        if not self._clock.wait(self._pulse, wait_s):
            if silence is not None:
                raise TimeoutError(silence)
            return
        packet = self._pulse.recv(_PACKET)
        if not packet:
            raise ConnectionResetError("it ended")
        if packet != _BEAT:
            self._trip(json.loads(packet)["tripped"])


def _path() -> list[str]:
    """Where this process finds its modules: the guardian runs without `site`, which costs time."""
    own = str(Path(__file__).absolute().parents[2])
    return [own, *(str(Path(entry).absolute()) for entry in sys.path if entry)]
