"""pydlms-client's simulated meter, for our driver: run by the foreign environment's python, ended by its input's end.

Prints one line of JSON with its address. `wrapper` and `hdlc` are TCP servers, `optical` a pseudo-terminal where HDLC
begins by a sign-on (IEC 62056-21, mode E), which is written here: the simulator has only what comes after it.
The image object and its faults are the simulator's own; arguments: kind, then NAME=VALUE for them.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import tty

from pydlms.cosem.data import DlmsData
from pydlms.security.hls import Mechanism
from pydlms.simulator import ClientProfile, HdlcServer, ImageTransferTarget, MeterSimulator, example_meter, serve

KEYS = {"encryption_key": bytes(range(16)), "authentication_key": bytes(range(0xD0, 0xE0))}
SECRET = b"hallo-meter"


def main() -> None:
    kind, *words = sys.argv[1:]
    said = dict(word.split("=", 1) for word in words)
    mechanism = Mechanism(int(said.pop("mechanism", "0")))
    secured = mechanism is Mechanism.HLS_GMAC
    meter = example_meter(**(KEYS if secured else {}))
    meter.clients[1] = ClientProfile(mechanism, secret=SECRET, ciphered=secured)
    image = ImageTransferTarget(**{name: _value(value) for name, value in said.items()}).install(meter)
    meter.add_object(1, "1.0.0.2.0.255", {2: lambda: _version(image)})
    if kind == "optical":
        address = _optical(meter)
    else:
        server = serve(meter, hdlc=kind == "hdlc", hdlc_window=3)
        address = f"127.0.0.1:{server.server_address[1]}"
    print(json.dumps({"address": address}), flush=True)
    for line in sys.stdin:  # a question: what it holds
        print(json.dumps(_held(image, line.strip())), flush=True)


def _value(text: str) -> object:
    return json.loads(text)


def _version(image: ImageTransferTarget) -> DlmsData:
    return DlmsData.octet_string(b"1.1.0" if image.activated else b"1.0.0")


def _held(image: ImageTransferTarget, _: str) -> dict[str, object]:
    whole = image.image()
    return {"image": None if whole is None else whole.hex(), "received": image.received, "status": int(image.status)}


# -- mode E before HDLC --------------------------------------------------------------------------------------


class Line:
    """What the simulator's HDLC server writes to."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def sendall(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.fd, data) :]


def _even(text: bytes) -> bytes:
    return bytes(b | (0x80 if b.bit_count() % 2 else 0) for b in text)


def _optical(meter: MeterSimulator) -> str:
    master, slave = os.openpty()
    tty.setraw(slave)
    threading.Thread(target=_head, args=(meter, master), daemon=True).start()
    return os.ttyname(slave)


def _head(meter: MeterSimulator, fd: int) -> None:
    hdlc: HdlcServer | None = None
    data = b""
    while True:
        select.select([fd], [], [])
        data += os.read(fd, 4096)
        if _even(b"/?!\r\n") in data:
            Line(fd).sendall(_even(b"/PYd5\\2SIM\r\n"))
            data, hdlc = b"", None
        elif _even(b"\x06252\r\n") in data:
            Line(fd).sendall(_even(b"\x06252\r\n"))
            data, hdlc = b"", HdlcServer(meter, Line(fd))
        elif hdlc is not None:
            hdlc.feed(data)
            data = b""


if __name__ == "__main__":
    main()
