"""pymodbus's own server as a relay board of sixteen coils, in a process of its own: on TCP, or on a serial line.

`tcp` prints its port; `rtu DEVICE` prints the device. Then it serves until it is ended.
"""

from __future__ import annotations

import asyncio
import sys

from pymodbus import FramerType
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusSerialServer, ModbusTcpServer


async def serve() -> None:
    block = ModbusSequentialDataBlock(1, [False] * 16)
    context = ModbusServerContext(devices={1: ModbusDeviceContext(co=block)}, single=False)
    if sys.argv[1] == "tcp":
        server = ModbusTcpServer(context, address=("127.0.0.1", 0))
        await server.listen()
        print(server.transport.sockets[0].getsockname()[1], flush=True)
    else:
        serial = ModbusSerialServer(context, framer=FramerType.RTU, port=sys.argv[2], baudrate=9600)
        await serial.listen()
        print(sys.argv[2], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
