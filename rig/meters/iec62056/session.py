"""One session of mode C: programming mode with its commands, or a readout; signed off in every end. No profile.

A block that came damaged, or that the meter says came damaged (NAK), is asked for again, `REPEATS` times: never where
the command is an action. After an error the session is over: a break is sent, and the next command signs on anew, so
that no late answer is taken for another one.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.clock import to_ns
from rig.errors import LinkError
from rig.meters.iec62056.frames import (
    ACK,
    NAK,
    Block,
    Identification,
    block,
    block_end,
    command_message,
    data_sets,
    error_text,
    readout_sets,
)
from rig.meters.iec62056.sign_on import SignOn, choose, identify, sign_off
from rig.meters.port import MeterRefused
from rig.meters.serial_port import Damaged, SerialPort

REPEATS = 3
"""How often a damaged block is asked for again, and how often a command is repeated that the meter did not get."""
MOST_BLOCKS, MOST_SETS = 64, 4096
LONGEST_READOUT = 32_768
_LONGEST_OPERAND = 256
_QUIET_S = 0.1


class Session:
    """A port, and whether somebody is signed on. `password`: the command and its text, made when it is wanted.

    idle_s: after so long without a word the meter has ended the session by itself (60 to 120 s, 5.4.2).
    """

    def __init__(
        self,
        port: SerialPort,
        how: SignOn,
        password: Callable[[], tuple[str, str]] | None = None,
        idle_s: float = 50.0,
    ) -> None:
        self.port = port
        self._how = how
        self._password = password
        self._idle_s = idle_s
        self._who: Identification | None = None
        self._open = False
        self._used_ns = 0

    @property
    def is_open(self) -> bool:
        """Whether the meter is still in programming mode, as far as is known."""
        return self._open and self.port.clock.now() - self._used_ns < to_ns(self._idle_s)

    def identification(self) -> Identification:
        """What the meter says now, at a sign-on of its own: an old one may be that of another firmware."""
        self.end()
        who = self._who = identify(self.port, self._how)
        sign_off(self.port)
        return who

    def open(self) -> None:
        """Sign on into programming mode, and give the password. Raises LinkError, MeterRefused.

        What comes damaged on the way is tried again from the beginning, `how.attempts` times in all.
        """
        for attempt in range(1, self._how.attempts + 1):
            try:
                self._open_once()
            except Damaged:
                if attempt == self._how.attempts:
                    raise
            else:
                return

    def _open_once(self) -> None:
        self.end()
        who = self._who = identify(self.port, self._how)
        message, rate = choose(self.port, who, self._how, "programming")
        self._open = True
        operand = self._answer(message, _LONGEST_OPERAND, then_baud=rate, retry=True)
        if operand.command != "P0":
            self.end()
            raise LinkError(f"{self.port.name}: sign-on: the meter did not go into programming mode")
        if self._password is not None:
            self._give_password(*self._password())

    def _give_password(self, command: str, text: str) -> None:
        try:
            self.act(command, text, secret=True)
        except MeterRefused:
            self.end()
            raise MeterRefused(f"{self.port.name}: sign-on: the meter refuses the password") from None

    def end(self) -> None:
        """Sign off, if somebody is signed on. Never raises for a broken link; not interrupted by a request to stop."""
        if self._open:
            self._open = False
            with self.port.clock.shielded():
                sign_off(self.port)

    # -- commands ------------------------------------------------------------------------------------------------

    def read(self, command: str, text: str, longest: int) -> list[tuple[str, str]]:
        """The data sets that answer a read command. Raises LinkError, MeterRefused."""
        message = command_message(command, text.encode("ascii"))
        sets: list[tuple[str, str]] = []
        for _ in range(MOST_BLOCKS):
            found = self._answer(message, longest, retry=True)
            if found.text in (ACK, NAK):
                raise MeterRefused(f"{self.port.name}: {command}: the meter does not answer this command")
            sets += self._data(command, found)
            if len(sets) > MOST_SETS:
                raise LinkError(f"{self.port.name}: {command}: more than {MOST_SETS} data sets")
            if not found.more:
                return sets
            message = ACK  # it waits for this before it sends the next part (6.4.4.4)
        raise LinkError(f"{self.port.name}: {command}: more than {MOST_BLOCKS} blocks, and no end")

    def act(self, command: str, text: str, *, repeat: bool = False, secret: bool = False) -> None:
        """A command that is answered ACK. Raises MeterRefused for any other answer, LinkError, LinkTimeout.

        repeat: sending it again changes nothing, so it is, where it or its answer came damaged. secret: nothing of an
        answer is shown.
        """
        message = command_message(command, text.encode("ascii"))
        for attempt in range(REPEATS + 1):
            try:
                found = self._answer(message, _LONGEST_OPERAND, secret=secret)
            except Damaged as error:
                if repeat and attempt < REPEATS:
                    self.open()
                    continue
                text = "what came is no answer" if secret else error.message.removeprefix(f"{self.port.name}: ")
                raise Damaged(f"{self.port.name}: {command}: {text}") from None
            if found.text == ACK and not found.command:
                return
            if not (repeat and found.text == NAK and attempt < REPEATS):
                break
        raise MeterRefused(f"{self.port.name}: {command}: {self._refusal(found, secret)}")

    def readout(self) -> list[tuple[str, str]]:
        """The data sets of a readout: a sign-on of its own, after which the meter ends the session by itself."""
        self.end()
        who = self._who = identify(self.port, self._how)
        if who.mode == "C":
            message, rate = choose(self.port, who, self._how, "readout")
            text = self._answer(message, LONGEST_READOUT, then_baud=rate, retry=True).text
        else:
            if who.mode == "B":
                self.port.set_baud(who.baud(self._how.most_baud)[1])
            text = block(self.port.listen(block_end, first_s=self._how.answer_s, longest=LONGEST_READOUT)).text
        try:
            return readout_sets(text)
        except LinkError as error:
            raise LinkError(f"{self.port.name}: readout: {error.message}") from None

    # -- one exchange --------------------------------------------------------------------------------------------

    def _answer(
        self, message: bytes, longest: int, then_baud: int = 0, retry: bool = False, secret: bool = False
    ) -> Block:
        """The block that answers. `retry`: one that came damaged is asked for again. `secret`: see `SerialPort`."""
        port = self.port
        for attempt in range(REPEATS + 1):
            if self._who is not None:
                port.clock.sleep(self._who.least_reaction_s)
            try:
                data = port.exchange(
                    message,
                    block_end,
                    first_s=self._how.answer_s,
                    longest=longest,
                    then_baud=then_baud,
                    secret=secret,
                )
            except Damaged:
                if not retry or attempt == REPEATS:
                    self.end()
                    raise
                port.drain(_QUIET_S)
                message, then_baud = NAK, 0
                continue
            except BaseException:
                self.end()
                raise
            self._used_ns = port.clock.now()
            return Block("", data) if data in (ACK, NAK) else block(data)
        raise LinkError(f"{port.name}: the block comes damaged each time")

    def _data(self, command: str, found: Block) -> list[tuple[str, str]]:
        if found.command:
            raise MeterRefused(f"{self.port.name}: {command}: the meter breaks off")
        try:
            sets = data_sets(found.text, MOST_SETS)
        except LinkError as error:
            raise LinkError(f"{self.port.name}: {command}: {error.message}") from None
        complaint = error_text(sets)
        if complaint is not None:
            raise MeterRefused(f"{self.port.name}: {command}: the meter says ({complaint})")
        return sets

    def _refusal(self, found: Block, secret: bool) -> str:
        if found.text == NAK:
            return "the meter did not take it (NAK)"
        if found.command:
            return "the meter breaks off"
        try:
            complaint = error_text(data_sets(found.text))
        except LinkError:
            complaint = None
        return "the meter refuses it" if complaint is None or secret else f"the meter says ({complaint})"
