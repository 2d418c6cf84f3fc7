"""Modbus exchanges with one unit through pymodbus's sync client, here over TCP. Nothing is repeated.

pymodbus returns errors instead of raising them, and converts what an error left empty without a word: every reply is
checked here. Its own time-out runs on the wall clock, so each exchange is guarded by the injected clock. After silence
or a broken exchange the link is closed, so that a late reply is never read as the answer to another question. Knows no
register's meaning.
"""

from __future__ import annotations

import logging
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rig.clock import Clock
from rig.errors import LinkError, LinkTimeout, RigError
from rig.meters.modbus_frames import Expected, check_tcp, read_reply, record_reply, write_reply
from rig.meters.port import MeterRefused, Sending
from rig.recording import Tap

if TYPE_CHECKING:
    from pymodbus.client.base import ModbusBaseSyncClient

ACKNOWLEDGE = 5
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    ACKNOWLEDGE: "acknowledge",
    6: "busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target failed to respond",
}
"""Modbus Application Protocol V1.1b3, 7."""


class ExceptionReply(MeterRefused):
    """The meter answered with an exception: the exchange itself was sound."""

    def __init__(self, message: str, exception_code: int) -> None:
        super().__init__(message)
        self.exception_code = exception_code


class ModbusLink(ABC):
    """One unit's exchanges. Every call raises `LinkError`, `LinkTimeout` or `ExceptionReply`, and names what it did."""

    def __init__(self, name: str, unit: int, clock: Clock, timeout_s: float) -> None:
        self.name = name
        self._sent: Sending | None = None
        self._unit = unit
        self._clock = clock
        self._timeout_s = timeout_s
        self._client: Any = None
        self.tap: Tap | None = None
        """Who hears what is said on this link."""
        self._came = b""
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # silence is told by our own errors

    @property
    def sent(self) -> Sending | None:
        """When the last request left; None when none did since `forget_sent`."""
        return self._sent

    def forget_sent(self) -> None:
        self._sent = None

    def read(self, register: int, count: int, function: int) -> list[int]:
        """`count` registers by function 3 or 4."""
        method = "read_holding_registers" if function == 3 else "read_input_registers"

        def call(client: Any) -> Any:
            return getattr(client, method)(register, count=count, device_id=self._unit)

        reply = self._exchange(f"read register {register}", read_reply(function, count), call)
        values = list(reply.registers)
        if len(values) != count:
            raise LinkError(f"{self.name}: asked for {count} registers from {register}, got {len(values)}")
        return values

    def write(self, function: int, address: int, values: Sequence[int]) -> None:
        """By function 5 or 15 (coils; 0 and 1) or 6 or 16 (registers). No value is ever part of a message."""
        calls: dict[int, Callable[[Any], Any]] = {
            5: lambda c: c.write_coil(address, bool(values[0]), device_id=self._unit),
            6: lambda c: c.write_register(address, values[0], device_id=self._unit),
            15: lambda c: c.write_coils(address, [bool(v) for v in values], device_id=self._unit),
            16: lambda c: c.write_registers(address, list(values), device_id=self._unit),
        }
        what = f"write {'register' if function in (6, 16) else 'coil'} {address}"
        reply = self._exchange(what, write_reply(function), calls[function])
        if function in (15, 16):
            if (reply.address, reply.count) != (address, len(values)):
                raise LinkError(f"{self.name}: {what}: the reply names {reply.count} registers from {reply.address}")
            return
        echo = [int(v) for v in (reply.bits[:1] if function == 5 else reply.registers)]
        if reply.address != address or echo != [int(values[0])]:
            raise LinkError(f"{self.name}: {what}: the reply is no echo of it")

    def write_record(self, file: int, record: int, data: bytes) -> None:
        """One record of a file by function 21 (6.15); `data` has an even length."""
        from pymodbus.pdu.file_message import FileRecord

        records = [FileRecord(file, record, record_data=data)]

        def call(client: Any) -> Any:
            return client.write_file_record(records, device_id=self._unit)

        reply = self._exchange("send the image", record_reply(len(data)), call)
        echo = [(r.file_number, r.record_number, r.record_data) for r in reply.records]
        if echo != [(file, record, data)]:
            raise LinkError(
                f"{self.name}: send the image: the reply to record {record} of file {file} is no echo of it"
            )

    @abstractmethod
    def abort(self) -> None:
        """See `rig.clock.Abortable`: wakes a read that is blocked."""

    def close(self) -> None:
        """Close; the next exchange opens again."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
            if self.tap is not None:
                self.tap.closed()

    # -- one exchange --------------------------------------------------------------------------------------------

    @abstractmethod
    def _open(self, timeout_s: float) -> ModbusBaseSyncClient:
        """A new client, not yet connected."""

    @abstractmethod
    def _problem(self, error: Exception) -> str | None:
        """What was wrong with what came, in words, when the library does not say; None when nothing came."""

    def _before(self, expected: Expected) -> None:
        """What must be done before a request of this shape, outside of any exchange."""
        self._expected = expected

    def _connect(self) -> Any:
        if self._client is None:
            client: Any = self._open(self._clock.real_timeout_s(self._timeout_s))
            if not client.connect():
                raise LinkError(f"{self.name}: cannot connect to the {self._place} in the bench file")
            self._client = client
            if self.tap is not None:
                self.tap.opened(self.where)
        return self._client

    _place = "address"

    @property
    @abstractmethod
    def where(self) -> str:
        """Where the meter is reached."""

    def _trace(self, sending: bool, data: bytes) -> None:
        """What goes over the wire; what comes is the whole of it so far, each time."""
        if sending:
            self._came = b""
            if self.tap is not None:
                self.tap.sent(data)
        else:
            self._came = data

    def _tell_came(self) -> None:
        came, self._came = self._came, b""
        if self.tap is not None:
            self.tap.received(came)

    def _note_sent(self, before_ns: int, after_ns: int) -> None:
        self._sent = Sending(before_ns, after_ns)

    def _exchange(self, what: str, expected: Expected, call: Callable[[Any], Any]) -> Any:
        self._before(expected)
        try:
            with self._clock.io(self, self._timeout_s):
                reply = call(self._connect())
        except BaseException as error:
            self._tell_came()
            self.close()
            self._failed(expected)
            if not isinstance(error, Exception):
                raise
            raise self._named(what, error) from None  # the library's words hold ports, bytes and real durations
        self._tell_came()
        if reply.isError():
            code = int(getattr(reply, "exception_code", 0))
            text = f"{self.name}: {what}: Modbus exception {code} ({_EXCEPTIONS.get(code, 'unknown')})"
            raise ExceptionReply(text, code)
        return reply

    def _named(self, what: str, error: Exception) -> Exception:
        problem = self._problem(error)
        if problem is not None:
            return LinkError(f"{self.name}: {what}: {problem}")
        if isinstance(error, LinkTimeout):
            return LinkTimeout(f"{self.name}: {what}: no answer within {self._timeout_s:g} s")
        if isinstance(error, RigError):
            return error
        return LinkError(f"{self.name}: {what}: the link broke ({type(error).__name__})")

    def _failed(self, expected: Expected) -> None:  # noqa: B027 - only RTU has to remember it
        """An exchange of this shape was not answered."""


class TcpLink(ModbusLink):
    """Modbus TCP. Replies carry the number of their request: a late one is skipped."""

    def __init__(self, name: str, host: str, port: int, unit: int, clock: Clock, timeout_s: float) -> None:
        super().__init__(name, unit, clock, timeout_s)
        self._host, self._port = host, port
        self._wrong: str | None = None

    @property
    def where(self) -> str:
        return f"{self._host}:{self._port}"

    def abort(self) -> None:
        sock = self._client.socket if self._client is not None else None
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it was closed meanwhile: nothing is blocked any more

    def _before(self, expected: Expected) -> None:
        super()._before(expected)
        self._wrong = None

    def _problem(self, error: Exception) -> str | None:
        del error
        return self._wrong

    def _hear(self, client: Any, data: bytes) -> None:
        try:
            check_tcp(data, client.transaction.request_transaction_id, self._unit, self._expected)
        except LinkError as error:
            self._wrong = error.message
            raise

    def _open(self, timeout_s: float) -> ModbusBaseSyncClient:
        from pymodbus.client import ModbusTcpClient

        link, clock = self, self._clock

        class Client(ModbusTcpClient):
            """Tells between which two instants each request was handed to the system, whole or not at all."""

            def send(self, request: bytes, addr: tuple[object, ...] | None = None) -> int:
                before = clock.now()
                count = int(super().send(request, addr))
                link._note_sent(before, clock.now())
                if count != len(request):
                    raise ConnectionError(f"{count} of {len(request)} bytes were sent")
                return count

        def heard(sending: bool, data: bytes) -> bytes:
            link._trace(sending, data)
            if not sending:
                link._hear(client, data)
            return data

        client = Client(self._host, port=self._port, timeout=timeout_s, retries=0, trace_packet=heard)
        return client
