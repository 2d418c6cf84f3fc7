"""A reader as gurux's own examples have it, against the twin's meter: gurux-dlms makes every frame, on TCP or a line.

Run by the foreign environment's python: `gurux_client.py wrapper HOST:PORT | hdlc PTY` and NAME=VALUE; prints what it
read as one line of JSON. With `image=FILE` it sends, verifies and activates an image too.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from gurux_dlms.enums import Authentication, DataType, InterfaceType, Security
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.GXReplyData import GXReplyData
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSImageTransfer
from gurux_dlms.secure.GXDLMSSecureClient import GXDLMSSecureClient

_WAIT_S = 20.0
_VERIFIED = 3


class Reader:
    """One association."""

    def __init__(self, fd: int, client: GXDLMSSecureClient) -> None:
        self.fd = fd
        self.client = client

    def open(self) -> None:
        snrm = self.client.snrmRequest()
        if snrm:
            self.client.parseUAResponse(self.ask(snrm).data)
        self.client.parseAareResponse(self.ask(self.client.aarqRequest()).data)
        if self.client.authentication > Authentication.LOW:
            answer = self.ask(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(answer.data)

    def close(self) -> None:
        self.ask(self.client.releaseRequest())
        ended = self.client.disconnectRequest()
        if ended:
            self.ask(ended)

    def read(self, thing: object, attribute: int) -> object:
        answer = self.ask(self.client.read(thing, attribute))
        return self.client.updateValue(thing, attribute, answer.value)

    def act(self, thing: GXDLMSImageTransfer, method: int, data: GXByteBuffer | int, kind: DataType) -> int:
        """`client.method` of this version is a class method that misses its client: its own private one is called."""
        made = self.client._GXDLMSClient__method(thing.name, thing.objectType, method, data, kind)
        try:
            return int(self.ask(made).error)
        except GXDLMSException as error:
            return int(error.errorCode)

    def ask(self, requests: object) -> GXReplyData:
        """Send all, each after the last one's answer, and collect an answer's frames and blocks."""
        answer = GXReplyData()
        for request in requests if isinstance(requests, list) else [requests]:
            answer.clear()
            self._one(bytes(request), answer)
            while answer.isMoreData():
                more = self.client.receiverReady(answer)
                self._one(bytes(more), answer)
        return answer

    def _one(self, request: bytes, answer: GXReplyData) -> None:
        while request:
            request = request[os.write(self.fd, request) :]
        heard, deadline = GXByteBuffer(), time.monotonic() + _WAIT_S
        while True:
            if not select.select([self.fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the meter does not answer")
            heard.set(os.read(self.fd, 4096))
            if self.client.getData(heard, answer, None):
                return


def main() -> None:
    kind, place, *words = sys.argv[1:]
    said = dict(word.split("=", 1) for word in words)
    client = _client(kind, said)
    reader = Reader(_opened(kind, place), client)
    version = GXDLMSData("1.0.0.2.0.255")
    found: dict[str, object] = {}
    reader.open()
    found["version"] = bytes(reader.read(version, 2)).decode("ascii")
    found["serial"] = reader.read(GXDLMSData("0.0.96.1.0.255"), 2)
    clock = GXDLMSClock("0.0.1.0.0.255")
    reader.read(clock, 2)
    found["clock"] = clock.time.value.isoformat()
    found["objects"] = len(reader.ask(client.getObjectsRequest()).value)
    if "image" in said:
        found["image"] = _image(reader, Path(said["image"]).read_bytes(), bytes.fromhex(said["identifier"]))
    if said.get("close") != "no":
        reader.close()
    print("\n" + json.dumps(found), flush=True)  # gurux-dlms prints too


def _client(kind: str, said: dict[str, str]) -> GXDLMSSecureClient:
    mechanism = Authentication(int(said.get("mechanism", "0")))
    interface = InterfaceType.WRAPPER if kind == "wrapper" else InterfaceType.HDLC
    client = GXDLMSSecureClient(True, int(said.get("client", "1")), 1, mechanism, said.get("password"), interface)
    if "key" in said:
        client.ciphering.systemTitle = bytearray(b"GURUXTST")
        client.ciphering.blockCipherKey = bytearray.fromhex(said["key"])
        client.ciphering.authenticationKey = bytearray.fromhex(said["auth_key"])
        client.ciphering.security = Security.AUTHENTICATION_ENCRYPTION
    return client


def _opened(kind: str, place: str) -> int:
    if kind == "wrapper":
        host, _, port = place.rpartition(":")
        return socket.create_connection((host, int(port))).detach()
    return os.open(place, os.O_RDWR | os.O_NOCTTY)


def _image(reader: Reader, image: bytes, identifier: bytes) -> list[int]:
    """The status after each step: initiated, all blocks there, verified, activated."""
    thing = GXDLMSImageTransfer("0.0.44.0.0.255")
    size = int(reader.read(thing, 2))
    begin = _structure((DataType.OCTET_STRING, identifier), (DataType.UINT32, len(image)))
    results = [reader.act(thing, 1, begin, DataType.ARRAY)]
    for number in range(-(-len(image) // size)):
        part = image[number * size : (number + 1) * size]
        block = _structure((DataType.UINT32, number), (DataType.OCTET_STRING, part))
        results.append(reader.act(thing, 2, block, DataType.ARRAY))
    results.append(reader.act(thing, 3, 0, DataType.INT8))
    _until(lambda: int(reader.read(thing, 6)) == _VERIFIED)
    results.append(reader.act(thing, 4, 0, DataType.INT8))
    return results


def _structure(*fields: tuple[DataType, object]) -> GXByteBuffer:
    from gurux_dlms.internal._GXCommon import _GXCommon

    data = GXByteBuffer()
    data.setUInt8(DataType.STRUCTURE)
    data.setUInt8(len(fields))
    for kind, value in fields:
        _GXCommon.setData(None, data, kind, value)
    return data


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the meter does not verify")


if __name__ == "__main__":
    main()
