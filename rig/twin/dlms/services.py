"""GET, SET and ACTION of the twin's meter (IEC 62056-53): APDUs to objects and back, with block transfer each way.

Knows no links, no associations and no ciphering. One `Services` for each association: a transfer in blocks has a state.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum

from rig.meters.dlms.axdr import NoData, Source, Tag, Value, decode, length, octets
from rig.twin.dlms.objects import Objects
from rig.twin.dlms.results import Refused, Result

GET, SET, ACTION = 0xC0, 0xC1, 0xC3
"""The requests' tags; an answer's is four more."""
_ANSWER = 4
_MOST_COLLECTED = 65_536
"""Bytes of one service that comes in blocks: no object here takes more."""
_BLOCK_HEAD = 16


class Code(IntEnum):
    """Service-error of an exception response."""

    OPERATION_NOT_POSSIBLE = 1
    SERVICE_NOT_SUPPORTED = 2
    OTHER_REASON = 3
    DECIPHERING = 5
    INVOCATION_COUNTER = 6


def exception(state: int, code: Code, counter: int | None = None) -> bytes:
    """An exception response: state error 1 not allowed, 2 unknown."""
    return bytes([0xD8, state, code]) + (b"" if counter is None else struct.pack(">I", counter))


Handle = Callable[[int, Source], bytes]


class Services:
    """`longest`: bytes of an APDU that the client takes; 0 for any. `reply_to_hls` does method 1 of the association."""

    def __init__(self, objects: Objects, longest: int, reply_to_hls: Callable[[bytes], bytes | None]) -> None:
        self._objects = objects
        self._longest = longest or 0xFFFF
        self._reply_to_hls = reply_to_hls
        self._sending = b""
        self._sent = 0
        self._collected: bytes | None = None
        self._target: tuple[int, bytes, int] = (0, b"", 0)
        self._expected = 1

    def answer(self, apdu: bytes) -> bytes:
        handlers: dict[tuple[int, int], Handle] = {
            (GET, 1): self._get,
            (GET, 2): self._get_next,
            (SET, 1): self._set,
            (SET, 2): self._set_first,
            (SET, 3): self._set_more,
            (ACTION, 1): self._act,
            (ACTION, 4): self._act_first,
            (ACTION, 6): self._act_more,
        }
        try:
            source = Source(apdu)
            handler = handlers.get((source.byte(), source.byte()))
            if handler is None:
                return exception(2, Code.SERVICE_NOT_SUPPORTED)
            return handler(source.byte(), source)
        except NoData:
            return exception(1, Code.OTHER_REASON)

    # -- GET ---------------------------------------------------------------------------------------

    def _get(self, invoke: int, source: Source) -> bytes:
        class_id, logical_name, attribute = _target(source)
        head = bytes([GET + _ANSWER, 1, invoke])
        selected = bool(source.left and source.byte())
        try:
            data = self._read(class_id, logical_name, attribute, selected).encode()
        except Refused as refused:
            return head + bytes([1, refused.result])
        if len(head) + 1 + len(data) <= self._longest:
            return head + b"\0" + data
        self._sending, self._sent = data, 0
        return self._next_part(invoke)

    def _read(self, class_id: int, logical_name: bytes, attribute: int, selected: bool) -> Value:
        if selected:
            raise Refused(Result.SCOPE_VIOLATED)
        if attribute == 1:
            self._objects.find(class_id, logical_name)
            return octets(logical_name)
        found = self._objects.find(class_id, logical_name).attributes.get(attribute)
        if found is None:
            raise Refused(Result.OBJECT_UNDEFINED)
        return found()

    def _get_next(self, invoke: int, source: Source) -> bytes:
        number = _long(source)
        if not self._sending or number != self._sent:
            return bytes([GET + _ANSWER, 1, invoke, 1, Result.BLOCK_UNAVAILABLE])
        return self._next_part(invoke)

    def _next_part(self, invoke: int) -> bytes:
        room = max(1, self._longest - _BLOCK_HEAD)
        part, self._sending = self._sending[:room], self._sending[room:]
        self._sent += 1
        head = bytes([GET + _ANSWER, 2, invoke, not self._sending]) + struct.pack(">I", self._sent)
        return head + b"\0" + length(len(part)) + part

    # -- SET ---------------------------------------------------------------------------------------

    def _set(self, invoke: int, source: Source) -> bytes:
        target = _target(source)
        self._no_selection(source)
        return bytes([SET + _ANSWER, 1, invoke, self._write(target, source.rest())])

    def _set_first(self, invoke: int, source: Source) -> bytes:
        self._target = _target(source)
        self._no_selection(source)
        self._collected, self._expected = b"", 1
        return self._set_more(invoke, source)

    def _set_more(self, invoke: int, source: Source) -> bytes:
        last, number, whole = self._collect(source)
        if whole is None:
            return bytes([SET + _ANSWER, 3, invoke, Result.BLOCK_UNAVAILABLE]) + struct.pack(">I", number)
        if not last:
            return bytes([SET + _ANSWER, 2, invoke]) + struct.pack(">I", number)
        return bytes([SET + _ANSWER, 3, invoke, self._write(self._target, whole)]) + struct.pack(">I", number)

    def _no_selection(self, source: Source) -> None:
        if source.byte():
            raise NoData("no selective access here")

    def _write(self, target: tuple[int, bytes, int], data: bytes) -> Result:
        class_id, logical_name, attribute = target
        try:
            do = self._objects.find(class_id, logical_name).sets.get(attribute)
            if do is None:
                return Result.READ_WRITE_DENIED
            do(decode(data))
        except Refused as refused:
            return refused.result
        return Result.SUCCESS

    # -- ACTION ------------------------------------------------------------------------------------

    def _act(self, invoke: int, source: Source) -> bytes:
        target = _target(source)
        return self._done(invoke, target, source.rest() if source.left and source.byte() else b"")

    def _act_first(self, invoke: int, source: Source) -> bytes:
        self._target = _target(source)
        self._collected, self._expected = b"", 1
        return self._act_more(invoke, source)

    def _act_more(self, invoke: int, source: Source) -> bytes:
        last, number, whole = self._collect(source)
        if whole is None:
            return bytes([ACTION + _ANSWER, 1, invoke, Result.BLOCK_UNAVAILABLE, 0])
        if not last:
            return bytes([ACTION + _ANSWER, 4, invoke]) + struct.pack(">I", number)
        return self._done(invoke, self._target, whole)

    def _done(self, invoke: int, target: tuple[int, bytes, int], data: bytes) -> bytes:
        class_id, logical_name, method = target
        head = bytes([ACTION + _ANSWER, 1, invoke])
        try:
            value = decode(data) if data else Value(Tag.NULL)
            if class_id == 15 and method == 1:
                reply = self._reply_to_hls(value.data)
                return head + (
                    bytes([Result.OTHER_REASON, 0]) if reply is None else b"\0\x01\0" + octets(reply).encode()
                )
            do = self._objects.find(class_id, logical_name).methods.get(method)
            if do is None:
                return head + bytes([Result.OBJECT_UNDEFINED, 0])
            do(value)
        except Refused as refused:
            return head + bytes([refused.result, 0])
        return head + bytes([Result.SUCCESS, 0])

    # -- blocks that come --------------------------------------------------------------------------

    def _collect(self, source: Source) -> tuple[bool, int, bytes | None]:
        """Whether this was the last block, its number, and all so far; None when it is not the one that is due."""
        last, number = bool(source.byte()), _long(source)
        part = source.take(source.length())
        if self._collected is None or number != self._expected or len(self._collected) + len(part) > _MOST_COLLECTED:
            self._collected = None
            return last, number, None
        self._collected += part
        self._expected += 1
        whole = self._collected
        if last:
            self._collected = None
        return last, number, whole


def _target(source: Source) -> tuple[int, bytes, int]:
    """Class, logical name, and the number of an attribute or a method."""
    return int.from_bytes(source.take(2), "big"), source.take(6), source.byte()


def _long(source: Source) -> int:
    return int.from_bytes(source.take(4), "big")
