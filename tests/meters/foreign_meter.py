"""A meter that nobody here wrote, in a process of its own: Debian's libmodbus, or pymodbus's simulator.

`libmodbus|simulator` `tcp|rtu` and, for rtu, the DEVICE. Prints its port or its device, then serves until it is ended.
What it holds is `HOLDING`, `INPUT` and eight coils, each from 0.
"""

from __future__ import annotations

import asyncio
import ctypes
import socket
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.instruments.libmodbus_server import library

BAUD = 19_200
HOLDING = [
    *(0x4F74, 0x6865, 0x7220, 0x4D61, 0x6B65, 0x7200),  # 0: "Other Maker"
    *(3, 20, 100),  # 6: version 3.20.100
    *(5, 1),  # 9: up-time 65541 s, low word first
    3,  # 11: image status
    *[0] * 20,
]
"""Holding registers; those from 12 on are written by the tests."""
INPUT = [0x1234, 0x42C8, 0x0000]
"""Input registers: a serial number in BCD, and 100.0 as a float."""
COILS = 8
_LONGEST = 260


class Mapping(ctypes.Structure):
    """modbus_mapping_t (modbus.h, libmodbus 3.1)."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("nb_bits", "start_bits", "nb_input_bits", "start_input_bits")),
        *((name, ctypes.c_int) for name in ("nb_input_registers", "start_input_registers")),
        *((name, ctypes.c_int) for name in ("nb_registers", "start_registers")),
        *((name, ctypes.POINTER(ctypes.c_uint8)) for name in ("tab_bits", "tab_input_bits")),
        *((name, ctypes.POINTER(ctypes.c_uint16)) for name in ("tab_input_registers", "tab_registers")),
    )


def libmodbus(wire: str, device: str) -> None:
    lib = library()
    lib.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
    tables = lib.modbus_mapping_new(COILS, 0, len(HOLDING), len(INPUT))
    for index, word in enumerate(HOLDING):
        tables.contents.tab_registers[index] = word
    for index, word in enumerate(INPUT):
        tables.contents.tab_input_registers[index] = word
    listener = ctypes.c_int(-1)
    if wire == "tcp":
        context = ctypes.c_void_p(lib.modbus_new_tcp(b"127.0.0.1", 0))
        listener = ctypes.c_int(lib.modbus_tcp_listen(context, 1))
        with socket.socket(fileno=listener.value) as bound:
            print(bound.getsockname()[1], flush=True)
            bound.detach()
    else:
        context = ctypes.c_void_p(lib.modbus_new_rtu(device.encode(), BAUD, ctypes.c_char(b"N"), 8, 2))
        lib.modbus_set_slave(context, 1)
        assert lib.modbus_connect(context) == 0
        print(device, flush=True)
    request = (ctypes.c_uint8 * _LONGEST)()
    while True:
        if wire == "tcp":
            lib.modbus_tcp_accept(context, ctypes.byref(listener))
        while (count := lib.modbus_receive(context, request)) >= 0:
            if count > 0:  # 0: a request to another unit
                lib.modbus_reply(context, request, count, tables)
        if wire == "tcp":
            lib.modbus_close(context)


async def simulator(wire: str, device: str) -> None:
    from pymodbus import FramerType
    from pymodbus.server import ModbusSerialServer, ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    def block(values: Any, kind: DataType) -> list[SimData]:
        return [SimData(0, values=values, datatype=kind)]

    bits = block([False] * COILS, DataType.BITS)
    registers = DataType.REGISTERS
    meter = SimDevice(1, (bits, bits, block(HOLDING, registers), block(INPUT, registers)))
    if wire == "tcp":
        server = ModbusTcpServer(meter, address=("127.0.0.1", 0))
        await server.listen()
        print(server.transport.sockets[0].getsockname()[1], flush=True)
    else:
        serial = ModbusSerialServer(meter, framer=FramerType.RTU, port=device, baudrate=BAUD, parity="N", stopbits=2)
        await serial.listen()
        print(device, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    maker, wire, device = [*sys.argv[1:], ""][:3]
    if maker == "libmodbus":
        libmodbus(wire, device)
    else:
        asyncio.run(simulator(wire, device))
