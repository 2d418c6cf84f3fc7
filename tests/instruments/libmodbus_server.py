"""Debian's libmodbus as a relay board of sixteen coils, in a process of its own: on TCP, or on a serial line.

`tcp` prints its port; `rtu DEVICE` prints the device. Then it serves one client after the other until it is ended.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import socket
import sys
from typing import Any

COILS = 16
_LONGEST = 260


def library() -> Any:
    """libmodbus with the types of what is used, or None where it is not installed."""
    name = ctypes.util.find_library("modbus")
    if name is None:
        return None
    lib = ctypes.CDLL(name, use_errno=True)
    for call in ("modbus_new_tcp", "modbus_new_rtu", "modbus_mapping_new"):
        getattr(lib, call).restype = ctypes.c_void_p
    return lib


def main() -> None:
    lib = library()
    tables = ctypes.c_void_p(lib.modbus_mapping_new(COILS, 0, 0, 0))
    listener = ctypes.c_int(-1)
    if sys.argv[1] == "tcp":
        context = ctypes.c_void_p(lib.modbus_new_tcp(b"127.0.0.1", 0))
        listener = ctypes.c_int(lib.modbus_tcp_listen(context, 1))
        with socket.socket(fileno=listener.value) as bound:
            print(bound.getsockname()[1], flush=True)
            bound.detach()
    else:
        context = ctypes.c_void_p(lib.modbus_new_rtu(sys.argv[2].encode(), 9600, ctypes.c_char(b"N"), 8, 1))
        lib.modbus_set_slave(context, 1)
        assert lib.modbus_connect(context) == 0
        print(sys.argv[2], flush=True)
    request = (ctypes.c_uint8 * _LONGEST)()
    while True:
        if sys.argv[1] == "tcp":
            lib.modbus_tcp_accept(context, ctypes.byref(listener))
        while (count := lib.modbus_receive(context, request)) >= 0:
            if count > 0:  # 0: a request to another unit
                lib.modbus_reply(context, request, count, tables)
        if sys.argv[1] == "tcp":
            lib.modbus_close(context)


if __name__ == "__main__":
    main()
