"""dlms-cosem's client and a DLMS meter: reads it, or sends an image and activates it. Run by tests in a process.

`tcp HOST:PORT` or `hdlc DEVICE`, then NAME=VALUE: client, password (low-level security), key and auth_key (GMAC, with
ciphering), image (a file) with identifier (hexadecimal). Prints one line of JSON.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

import structlog
from dlms_cosem import cosem, dlms_data, security, utils
from dlms_cosem.client import ActionError, DlmsClient
from dlms_cosem.enumerations import CosemInterface
from dlms_cosem.io import BlockingTcpIO, HdlcTransport, SerialIO, TcpTransport

IMAGE = cosem.Obis.from_string("0.0.44.0.0.255")
_WAIT_S = 20.0
_VERIFIED = 3


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    kind, place, *words = sys.argv[1:]
    said = dict(word.split("=", 1) for word in words)
    with _client(kind, place, said).session() as client:
        found: dict[str, object] = {
            "version": _read(client, 1, "1.0.0.2.0.255").decode("ascii"),
            "serial": _read(client, 1, "0.0.96.1.0.255"),
            "objects": len(_read(client, 15, "0.0.40.0.0.255")),
        }
        if "image" in said:
            found["image"] = _image(client, Path(said["image"]).read_bytes(), bytes.fromhex(said["identifier"]))
    print(json.dumps(found), flush=True)


def _client(kind: str, place: str, said: dict[str, str]) -> DlmsClient:
    addresses = {"client_logical_address": int(said.get("client", "1")), "server_logical_address": 1}
    if kind == "tcp":
        host, _, port = place.rpartition(":")
        transport = TcpTransport(**addresses, io=BlockingTcpIO(host, int(port)))
    else:
        transport = HdlcTransport(**addresses, io=SerialIO(place, int(said["baud"])))
    if "password" in said:
        return DlmsClient(transport, security.LowLevelSecurityAuthentication(said["password"].encode("ascii")))
    if "key" in said:
        return DlmsClient(
            transport,
            security.HighLevelSecurityGmacAuthentication(),
            encryption_key=bytes.fromhex(said["key"]),
            authentication_key=bytes.fromhex(said["auth_key"]),
            client_system_title=b"COSEMTST",
            client_initial_invocation_counter=1,
        )
    return DlmsClient(transport, security.NoSecurityAuthentication())


def _read(client: DlmsClient, class_id: int, name: str, attribute: int = 2) -> object:
    place = cosem.CosemAttribute(CosemInterface(class_id), cosem.Obis.from_string(name), attribute)
    return utils.parse_as_dlms_data(client.get(place))


def _image(client: DlmsClient, image: bytes, identifier: bytes) -> list[str]:
    """What became of each step."""
    size = _read(client, 18, "0.0.44.0.0.255")
    told = [_act(client, 1, _structure(dlms_data.OctetStringData(identifier), _long(len(image))))]
    for number in range(-(-len(image) // size)):
        block = dlms_data.OctetStringData(image[number * size : (number + 1) * size])
        told.append(_act(client, 2, _structure(_long(number), block)))
    told.append(_act(client, 3, dlms_data.IntegerData(0)))
    deadline = time.monotonic() + _WAIT_S
    while _read(client, 18, "0.0.44.0.0.255", 6) != _VERIFIED:
        if time.monotonic() > deadline:
            raise TimeoutError("the meter does not verify")
    return [*told, _act(client, 4, dlms_data.IntegerData(0))]


def _long(number: int) -> dlms_data.DoubleLongUnsignedData:
    return dlms_data.DoubleLongUnsignedData(number)


def _structure(*members: object) -> dlms_data.DataStructure:
    return dlms_data.DataStructure(list(members))


def _act(client: DlmsClient, method: int, value: object) -> str:
    try:
        client.action(cosem.CosemMethod(CosemInterface.IMAGE_TRANSFER, IMAGE, method), value.to_bytes())
    except ActionError as error:
        return str(error)
    return "done"


if __name__ == "__main__":
    main()
