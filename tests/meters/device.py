"""A Modbus device that is nothing but its registers, behind the twin's wires: what reached it, and what it answers."""

from __future__ import annotations

import struct
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rig.clock.virtual import VirtualClock
from rig.meters.credentials import Secret
from rig.meters.modbus import ModbusMeter, probes
from rig.meters.modbus_link import ModbusLink, TcpLink
from rig.meters.modbus_rtu import RtuLink, SerialLine
from rig.meters.profile import Profile, check_profile
from rig.twin.modbus_server import ModbusServer
from rig.twin.serial_wire import LineRate, RtuServer

TIMEOUT_S = 2.0
RATE = LineRate(19_200, 11)


class Device:
    """Holding registers (3), input registers (4), coils, files. `rule` answers instead, where it does not say None."""

    def __init__(self) -> None:
        self.registers: dict[int, dict[int, int]] = {3: {}, 4: {}}
        self.coils: dict[int, bool] = {}
        self.files: dict[tuple[int, int], bytes] = {}
        self.requests: list[bytes] = []
        self.rule: Callable[[bytes], bytes | None] | None = None
        self.silent = False
        self.silent_at: int | None = None
        """The function at which it falls silent, for good."""

    def put(self, register: int, *words: int, function: int = 3) -> None:
        self.registers[function].update({register + i: word for i, word in enumerate(words)})

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        self.requests.append(pdu)
        self.silent = self.silent or pdu[0] == self.silent_at
        if unit != 1 or self.silent:
            return None
        if self.rule is not None and (answer := self.rule(pdu)) is not None:
            return answer
        return self.serve(pdu)

    def serve(self, pdu: bytes) -> bytes:
        function, address = pdu[0], struct.unpack(">H", pdu[1:3])[0]
        if function in (3, 4):
            count = struct.unpack(">H", pdu[3:5])[0]
            have = self.registers[function]
            if any(a not in have for a in range(address, address + count)):
                return bytes([function | 0x80, 2])
            return struct.pack(f">BB{count}H", function, 2 * count, *(have[a] for a in range(address, address + count)))
        if function == 5:
            self.coils[address] = pdu[3] == 0xFF
            return pdu
        if function == 6:
            self.put(address, struct.unpack(">H", pdu[3:5])[0])
            return pdu
        if function == 15:
            count = struct.unpack(">H", pdu[3:5])[0]
            self.coils.update({address + i: bool(pdu[6 + i // 8] >> i % 8 & 1) for i in range(count)})
            return pdu[:5]
        if function == 16:
            self.put(address, *struct.unpack(f">{pdu[5] // 2}H", pdu[6:]))
            return pdu[:5]
        _, file, record, words = struct.unpack(">BHHH", pdu[2:9])
        self.files[file, record] = pdu[9 : 9 + 2 * words]
        return pdu


class Lab:
    """A device behind a wire, and what drives it."""

    def __init__(self, profile: Profile, rtu: bool, secrets: Mapping[str, str] | None = None) -> None:
        self.clock = VirtualClock()
        self.device = Device()
        lock = threading.RLock()
        self.wire: ModbusServer | RtuServer
        link: ModbusLink
        if rtu:
            self.wire = RtuServer(self.device, RATE, self.clock, lock)
            line = SerialLine(self.wire.path, RATE.baud, "none", 2)
            link = RtuLink("meter", line, 1, self.clock, TIMEOUT_S, probes(profile))
        else:
            self.wire = ModbusServer(self.device, self.clock, lock)
            link = TcpLink("meter", self.wire.host, self.wire.port, 1, self.clock, TIMEOUT_S)
        self.link = link
        known = {name: Secret(name, value) for name, value in (secrets or {}).items()}
        self.meter = ModbusMeter(link, profile, self.clock, known)

    @property
    def written(self) -> list[tuple[int, int, bytes]]:
        """(function, address, the rest) of every write, in order."""
        return [
            (pdu[0], struct.unpack(">H", pdu[1:3])[0], pdu[3:])
            for pdu in self.device.requests
            if pdu[0] in (5, 6, 15, 16)
        ]

    def close(self) -> None:
        self.meter.close()
        self.wire.close()


@contextmanager
def lab(profile: Profile, *, rtu: bool = False, secrets: Mapping[str, str] | None = None) -> Iterator[Lab]:
    it = Lab(profile, rtu, secrets)
    try:
        yield it
    finally:
        it.close()


def profile(text: str) -> Profile:
    """A profile from its tables; head and version are added."""
    whole = f'schema = "rig.profile/1"\nname = "test"\nmanual = "none"\n{text}'
    if "[version]" not in whole:
        whole += "\n[version]\nparts = [{ register = 1 }]\n"
    return check_profile(tomllib.loads(whole), whole, "test.toml")
