"""A meter on Modbus TCP, through pymodbus's sync client, as its profile says. Writes are never repeated.

pymodbus returns errors instead of raising them, and converts what an error left empty without a word: every reply is
checked here. Its own time-out runs on the wall clock, so each exchange is guarded by the injected clock. After silence
or a broken exchange the link is closed, so that a late reply is never read as the answer to another question.
"""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rig.clock import Clock
from rig.errors import LinkError, LinkTimeout, RigError
from rig.meters.port import Activation, ImageState, MeterIdentity
from rig.meters.profile import Profile, Text

if TYPE_CHECKING:
    from pymodbus.client import ModbusTcpClient
    from pymodbus.pdu.file_message import FileRecord

_ACKNOWLEDGE = 5
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    _ACKNOWLEDGE: "acknowledge",
    6: "busy",
}
"""Modbus Application Protocol V1.1b3, 7."""
_VERIFY_POLL_S = 1.0


class _ExceptionReply(LinkError):
    """The meter answered with an exception: the exchange itself was sound."""

    def __init__(self, message: str, exception_code: int) -> None:
        super().__init__(message)
        self.exception_code = exception_code


class ModbusMeter:
    """Implements `rig.meters.port.Meter`. `address` is host:port."""

    def __init__(self, address: str, unit: int, profile: Profile, clock: Clock, timeout_s: float) -> None:
        self.name = "meter"
        host, _, port = address.rpartition(":")
        self._host = host.removeprefix("[").removesuffix("]")  # an IPv6 address stands in brackets
        self._port = int(port)
        self._unit = unit
        self._profile = profile
        self._clock = clock
        self._timeout_s = timeout_s
        self._client: ModbusTcpClient | None = None
        self._sent: list[Activation] = []
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # silence is told by our own errors

    def identity(self) -> MeterIdentity:
        who = self._profile.identity
        return MeterIdentity(self._text(who.maker), self._text(who.model), self._text(who.serial))

    def version(self) -> str:
        where = self._profile.version
        return ".".join(str(word) for word in self._read(where.register_, where.words))

    def transfer(self, image: bytes, progress: Callable[[int, int], None]) -> None:
        from pymodbus.pdu.file_message import FileRecord

        plan = self._profile.image
        words, data = plan.words_a_record, image + b"\0" * (len(image) % 2)
        for at in range(0, len(data) // 2, words):
            in_file = at % plan.registers_a_file
            count = min(words, plan.registers_a_file - in_file, len(data) // 2 - at)
            part = data[2 * at : 2 * (at + count)]
            record = FileRecord(plan.first_file + at // plan.registers_a_file, in_file, record_data=part)
            self._send_record(record)
            progress(min(len(image), 2 * (at + count)), len(image))

    def verify(self, image_hash: bytes, size: int) -> ImageState:
        plan = self._profile.image
        self._write(plan.verify_register, image_hash + struct.pack(">I", size))
        deadline = self._clock.now() + round(plan.verify_s * 1e9)
        while True:
            state = self.image_state()
            if state not in (ImageState.VERIFYING, ImageState.TRANSFERRING):
                return state
            if self._clock.now() >= deadline:
                raise LinkError(f"{self.name}: verification did not end within {plan.verify_s:g} s")
            self._clock.sleep(_VERIFY_POLL_S)

    def activate(self, image_hash: bytes) -> Activation:
        """See `Meter`. Whatever ends the exchange after the command left (silence, a reset by a meter that reboots at
        once, Modbus's 'acknowledge'), it was sent; what ends it before, and any other exception reply, is a LinkError.

        The link is opened anew and asked for the image's status first: a link that died unnoticed would swallow the
        command. TCP itself may repeat a lost segment later; the instant is that at which it left this program.
        """
        self.close()
        self.image_state()
        self._sent.clear()
        try:
            self._write(self._profile.image.activate_register, image_hash)
        except _ExceptionReply as error:
            if error.exception_code != _ACKNOWLEDGE:
                raise
        except LinkError:
            if not self._sent:
                raise
        return self._sent[-1]

    def image_state(self) -> ImageState:
        code = self._read(self._profile.image.state_register, 1)[0]
        state = self._profile.image.state(code)
        if state is None:
            raise LinkError(f"{self.name}: image status {code} is not in the profile '{self._profile.name}'")
        return state

    def uptime_s(self) -> float | None:
        where = self._profile.uptime
        if where is None:
            return None
        high, low = self._read(where.register_, 2)
        return ((high << 16) | low) * where.unit_s

    def abort(self) -> None:
        """See `rig.clock.Abortable`: wakes a read that is blocked."""
        sock = self._client.socket if self._client is not None else None
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it was closed meanwhile: nothing is blocked any more

    def close(self) -> None:
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    def _send_record(self, record: FileRecord) -> None:
        self._exchange("send the image", lambda c: c.write_file_record([record], device_id=self._unit))

    # -- one exchange --------------------------------------------------------------------------------------------

    def _text(self, where: Text) -> str:
        words = self._read(where.register_, where.words)
        raw = struct.pack(f">{len(words)}H", *words).rstrip(b"\0 ")
        if not raw.isascii():
            raise LinkError(f"{self.name}: registers {where.register_} on hold no ASCII text")
        return raw.decode("ascii")

    def _read(self, register: int, words: int) -> list[int]:
        reply = self._exchange(
            f"read register {register}",
            lambda c: c.read_holding_registers(register, count=words, device_id=self._unit),
        )
        values = list(reply.registers)
        if len(values) != words:
            raise LinkError(f"{self.name}: asked for {words} registers from {register}, got {len(values)}")
        return values

    def _write(self, register: int, data: bytes) -> None:
        words = list(struct.unpack(f">{len(data) // 2}H", data))
        what = f"write register {register}"
        reply = self._exchange(what, lambda c: c.write_registers(register, words, device_id=self._unit))
        if (reply.address, reply.count) != (register, len(words)):
            raise LinkError(f"{self.name}: {what}: the reply names {reply.count} registers from {reply.address}")

    def _connect(self) -> ModbusTcpClient:
        """The open client; opens it when it is not. Guarded by who calls."""
        if self._client is None:
            timeout = self._clock.real_timeout_s(self._timeout_s)
            client = _timed_client(self._host, self._port, timeout, self._clock, self._note_sent)
            if not client.connect():  # type: ignore[no-untyped-call]
                raise LinkError(f"{self.name}: cannot connect to the address in the bench file")
            self._client = client
        return self._client

    def _note_sent(self, before_ns: int, after_ns: int) -> None:
        self._sent = [Activation(before_ns, after_ns)]

    def _exchange(self, what: str, call: Callable[[ModbusTcpClient], Any]) -> Any:
        try:
            with self._clock.io(self, self._timeout_s):
                reply = call(self._connect())
        except BaseException as error:
            self.close()
            if isinstance(error, LinkTimeout):
                raise LinkTimeout(f"{self.name}: {what}: no answer within {self._timeout_s:g} s") from None
            if isinstance(error, RigError) or not isinstance(error, Exception):
                raise
            # Whatever the library stumbled over. Its words hold ports and real durations: a record has neither.
            raise LinkError(f"{self.name}: {what}: the link broke ({type(error).__name__})") from error
        if reply.isError():
            code = int(getattr(reply, "exception_code", 0))
            text = f"{self.name}: {what}: Modbus exception {code} ({_EXCEPTIONS.get(code, 'unknown')})"
            raise _ExceptionReply(text, code)
        return reply


def _timed_client(
    host: str, port: int, timeout_s: float, clock: Clock, sent: Callable[[int, int], None]
) -> ModbusTcpClient:
    """A client that tells between which two instants each request was handed to the system, whole or not at all."""
    from pymodbus.client import ModbusTcpClient

    class Client(ModbusTcpClient):
        def send(self, request: bytes, addr: tuple[object, ...] | None = None) -> int:
            before = clock.now()
            count = int(super().send(request, addr))
            sent(before, clock.now())
            if count != len(request):
                raise ConnectionError(f"{count} of {len(request)} bytes were sent")
            return count

    return Client(host, port=port, timeout=timeout_s, retries=0)
