"""labmcp's simulator of a bench supply on a socket: `rigol`, `siglent` or `tti`, and the model; prints its port."""

import socket
import sys

import labmcp_alone  # noqa: F401 - before labmcp
from labmcp_bench_psu.simulator import make_simulator

simulator = make_simulator(sys.argv[1], sys.argv[2])
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        peer, _ = listener.accept()
        with peer, peer.makefile("rwb") as lines:
            for line in lines:
                reply = simulator.handle(line.decode("ascii").strip())
                for one in [] if reply is None else reply if isinstance(reply, list) else [reply]:
                    lines.write(f"{one}\n".encode("ascii"))
                lines.flush()
