"""pymodbus's own server as a process of its own: prints its port, then serves until it is ended.

Registers as in the profile `synthetic-esme`: who it is, version 3.2.1, image status 3 (verified), up-time 65,541 s.
"""

from __future__ import annotations

import asyncio
import struct

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer

FIRST = 100


def registers() -> list[int]:
    texts = b"".join(text.ljust(16, b"\0") for text in (b"Another Maker", b"Model 7", b"S-1"))
    words = list(struct.unpack(f">{len(texts) // 2}H", texts)) + [0] * 160
    words[130 - FIRST : 133 - FIRST] = [3, 2, 1]
    words[140 - FIRST] = 3
    words[142 - FIRST : 144 - FIRST] = [1, 5]
    return words


async def serve() -> None:
    block = ModbusSequentialDataBlock(FIRST + 1, registers())
    context = ModbusServerContext(devices={1: ModbusDeviceContext(hr=block)}, single=False)
    server = ModbusTcpServer(context, address=("127.0.0.1", 0))
    await server.listen()
    print(server.transport.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
