"""A block of 24 MB from an instrument over a loopback socket: our link, pyvisa's own reader, and a plain socket.

References, in the same run: `query_binary_values` of pyvisa with pyvisa-py on the same server (its data has no line
feed, at which that reader stumbles), and the plainest loop that receives as many bytes into a buffer. The same block of
line feeds only, which is what a flat trace may be.
The server is a process of its own, as an instrument is. A short question and its answer, for the cost of one.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable

from rig.clock.system import SystemClock
from rig.instruments.link import VisaLink

SIZE = 24_000_000
SHORT_FLAT = 250_000
ROUNDS = 5
QUESTIONS = 2000

SERVER = """
import socket, sys
size, short = int(sys.argv[1]), int(sys.argv[2])
head = lambda n: b"#9%09d" % n
replies = {
    b"*IDN?": b"MAKER,MODEL,1,2\\n",
    b":NOISE?": head(size) + bytes(11 + i * 7 % 240 for i in range(240)) * (size // 240) + b"\\n",
    b":FLAT?": head(size) + b"\\n" * size + b"\\n",
    b":SHORT:FLAT?": head(short) + b"\\n" * short + b"\\n",
}
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    link, _ = listener.accept()
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with link, link.makefile("rb") as lines:
        for line in lines:
            reply = replies.get(line.strip())
            if reply:
                link.sendall(reply)
"""


def best(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The shortest of a few."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def plain(port: int, command: bytes, size: int) -> float:
    """A plain socket: header, data and end, into one buffer."""
    whole = bytearray(size + 12)
    with socket.create_connection(("127.0.0.1", port)) as link:

        def call() -> None:
            link.sendall(command + b"\n")
            at = 0
            with memoryview(whole) as view:
                while at < len(whole):
                    at += link.recv_into(view[at:])

        return best(call)


def ours(port: int, command: str) -> float:
    link = VisaLink(f"TCPIP::127.0.0.1::{port}::SOCKET", SystemClock(), 30.0, "scope")
    link.query("*IDN?")
    took = best(lambda: link.query_block(command))
    link.close()
    return took


def pyvisas(port: int, command: str, rounds: int = 2) -> float:
    import pyvisa

    manager = pyvisa.ResourceManager("@py")
    resource = manager.open_resource(f"TCPIP::127.0.0.1::{port}::SOCKET", read_termination="\n")
    resource.timeout = 120_000

    def call() -> None:
        resource.query_binary_values(command, datatype="B", container=bytearray)  # type: ignore[attr-defined]

    took = best(call, rounds)
    resource.close()
    return took


def question(port: int) -> float:
    link = VisaLink(f"TCPIP::127.0.0.1::{port}::SOCKET", SystemClock(), 30.0, "scope")
    link.query("*IDN?")
    took = best(lambda: [link.query("*IDN?") for _ in range(QUESTIONS)]) / QUESTIONS
    link.close()
    return took


def main() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(SIZE), str(SHORT_FLAT)], stdout=subprocess.PIPE, text=True
    ) as it:
        assert it.stdout is not None
        port = int(it.stdout.readline())
        try:
            tell(port)
        finally:
            it.kill()


def tell(port: int) -> None:
    socket_s, link_s = plain(port, b":NOISE?", SIZE), ours(port, ":NOISE?")
    flat_s, visa_s = ours(port, ":FLAT?"), pyvisas(port, ":NOISE?")
    short_s, visa_short_s = ours(port, ":SHORT:FLAT?"), pyvisas(port, ":SHORT:FLAT?", 1)
    mb = SIZE / 1e6
    print(f"links: {mb:.0f} MB over a socket: {mb / link_s:.0f} MB/s, a plain socket {mb / socket_s:.0f} MB/s")
    print(f"  {socket_s / link_s:.2f} of a plain socket (budget 0.2)")
    print(f"  {visa_s / link_s:.1f} times pyvisa's query_binary_values, {mb / visa_s:.0f} MB/s (budget 10)")
    print(f"  a flat trace of line feeds: {link_s / flat_s:.2f} of the speed of any other")
    print(
        f"  {SHORT_FLAT / 1000:.0f} kB of line feeds: {short_s * 1e3:.2f} ms, pyvisa's own {visa_short_s * 1e3:.0f} ms"
    )
    print(f"  a question and its answer: {question(port) * 1e6:.0f} us")


if __name__ == "__main__":
    main()
