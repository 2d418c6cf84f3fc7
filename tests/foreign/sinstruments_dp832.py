"""A DP832 served by sinstruments: `tcp`, or `serial LINK` for a pseudo-terminal. Prints where it is when ready."""

import sys

import gevent
from dp832 import DP832
from sinstruments.simulator import BaseDevice, SerialServer, TCPServer


class Device(BaseDevice):
    def __init__(self, name, **kwargs):
        super().__init__(name, **kwargs)
        self.instrument = DP832()

    def handle_message(self, line):
        reply = self.instrument.answer(line.strip().decode("ascii"))
        return None if reply is None else reply.encode("ascii") + b"\n"


device = Device("psu")


def handler(channel, transport):
    return device.get_protocol(channel, transport)


if sys.argv[1] == "tcp":
    server = TCPServer("psu", handler, url=("127.0.0.1", 0))
    server.start()
    print(server.server_port, flush=True)
else:
    server = SerialServer("psu", handler, url=sys.argv[2], baudrate=9600)
    print(server.original_address, flush=True)
gevent.spawn(server.serve_forever).join()
