"""The meter's Modbus face as other people's programs see it: pymodbus's client, Debian's mbpoll, and raw bytes."""

from __future__ import annotations

import hashlib
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.pdu.file_message import FileRecord

from rig.clock.virtual import VirtualClock
from rig.firmware import Behaviour
from rig.twin.meter import BOOT_S, VERIFY_S, ImageCode, KnownImage, TwinMeter
from rig.twin.modbus import ACTIVATE, IMAGE_STATE, MAKER, RECEIVED, UPTIME, VERIFY, VERSION, TwinModbus
from rig.twin.modbus_server import ModbusServer, split_frames
from rig.twin.serial_wire import patience_ms
from rig.twin.wire import NoRequest

IMAGE = bytes(range(256)) * 3
HASH = hashlib.sha256(IMAGE).digest()
HASH_WORDS = list(struct.unpack(">16H", HASH))
READ = struct.pack(">BHH", 3, VERSION, 3)


class Served:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        behaviour = Behaviour(version_after="to", version_changes_at_s=10.0, silent=((2.0, 10.0),))
        known = {HASH.hex(): KnownImage("2.0.1", behaviour)}
        self.meter = TwinMeter(self.clock, lambda _: None, known, "1.0.0")
        self.face = TwinModbus(self.meter)
        self.server = ModbusServer(self.face, self.clock, threading.RLock())
        self.meter.mains(True)
        self.clock.sleep(BOOT_S)

    def raw(self, data: bytes) -> bytes:
        """Send bytes, end the stream, and read all that comes."""
        with socket.create_connection((self.server.host, self.server.port)) as link:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            link.settimeout(60)
            found = b""
            while chunk := link.recv(4096):
                found += chunk
            return found


@pytest.fixture
def served() -> Iterator[Served]:
    it = Served()
    yield it
    it.server.close()


@pytest.fixture
def client(served: Served) -> Iterator[ModbusTcpClient]:
    it = ModbusTcpClient(served.server.host, port=served.server.port, timeout=60, retries=0)
    assert it.connect()  # type: ignore[no-untyped-call]
    yield it
    it.close()  # type: ignore[no-untyped-call]


# -- pymodbus ----------------------------------------------------------------------------------------------------------


def test_pymodbus_reads_identity_version_and_uptime(served: Served, client: ModbusTcpClient) -> None:
    maker = client.read_holding_registers(MAKER, count=8, device_id=1).registers
    assert struct.pack(">8H", *maker).rstrip(b"\0").decode() == TwinMeter.MAKER
    assert client.read_input_registers(VERSION, count=3, device_id=1).registers == [1, 0, 0]
    served.clock.sleep(70_000.0)
    assert client.read_holding_registers(UPTIME, count=2, device_id=1).registers == [1, 70_000 - 65_536]


def test_pymodbus_transfers_verifies_and_activates_an_image(served: Served, client: ModbusTcpClient) -> None:
    for at in range(0, len(IMAGE), 64):
        record = FileRecord(1, at // 2, record_data=IMAGE[at : at + 64])
        assert not client.write_file_record([record], device_id=1).isError()
    assert bytes(served.meter.slot) == IMAGE
    size = [0, len(IMAGE)]
    assert not client.write_registers(VERIFY, HASH_WORDS + size, device_id=1).isError()
    served.clock.sleep(VERIFY_S)
    assert client.read_holding_registers(IMAGE_STATE, count=1, device_id=1).registers == [int(ImageCode.VERIFIED)]
    assert not client.write_registers(ACTIVATE, HASH_WORDS, device_id=1).isError()
    served.clock.sleep(10.0)
    assert client.read_holding_registers(VERSION, count=3, device_id=1).registers == [2, 0, 1]
    assert client.read_holding_registers(IMAGE_STATE, count=1, device_id=1).registers == [int(ImageCode.ACTIVATED)]


def test_several_records_in_one_request_are_all_stored(served: Served, client: ModbusTcpClient) -> None:
    parts = [FileRecord(1, 0, record_data=IMAGE[:100]), FileRecord(1, 50, record_data=IMAGE[100:200])]
    assert not client.write_file_record(parts, device_id=1).isError()
    assert bytes(served.meter.slot) == IMAGE[:200]


@pytest.mark.parametrize(
    ("register", "count", "code"),
    [(0, 1, 2), (VERSION, 4, 2), (VERSION, 125, 2), (MAKER - 1, 2, 2), (RECEIVED + 1, 2, 2)],
)
def test_a_register_that_does_not_exist_is_an_illegal_address(
    client: ModbusTcpClient, register: int, count: int, code: int
) -> None:
    assert client.read_holding_registers(register, count=count, device_id=1).exception_code == code


def test_a_command_of_another_length_or_place_is_an_illegal_address(client: ModbusTcpClient) -> None:
    for register, words in ((VERIFY, HASH_WORDS), (ACTIVATE, HASH_WORDS[:-1]), (MAKER, [1])):
        assert client.write_registers(register, words, device_id=1).exception_code == 2
    assert client.write_register(ACTIVATE, 1, device_id=1).exception_code == 2


def test_a_busy_meter_takes_no_other_command(served: Served, client: ModbusTcpClient) -> None:
    record = FileRecord(1, 0, record_data=IMAGE)
    served.meter.write_image(0, IMAGE)
    client.write_registers(VERIFY, [*HASH_WORDS, 0, len(IMAGE)], device_id=1)
    assert client.write_registers(ACTIVATE, HASH_WORDS, device_id=1).exception_code == 6
    assert client.write_file_record([FileRecord(1, 0, record_data=IMAGE[:4])], device_id=1).exception_code == 6
    served.clock.sleep(VERIFY_S)
    client.write_registers(ACTIVATE, HASH_WORDS, device_id=1)
    assert client.write_registers(ACTIVATE, HASH_WORDS, device_id=1).exception_code == 6
    assert client.write_registers(VERIFY, [*HASH_WORDS, 0, len(IMAGE)], device_id=1).exception_code == 6
    assert served.meter.image_code is ImageCode.ACTIVATING
    assert record.record_length == len(IMAGE) // 2


# -- the protocol's own corners ------------------------------------------------------------------------------------


def frame(pdu: bytes, unit: int = 1, transaction: int = 7) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        (b"\x2b\x0e\x01\x00", 1),
        (struct.pack(">BHH", 3, VERSION, 0), 3),
        (struct.pack(">BHH", 3, VERSION, 126), 3),
        (struct.pack(">BH", 3, VERSION), 3),
        (struct.pack(">BHHB", 16, VERIFY, 18, 35), 3),
        (struct.pack(">BHHBH", 16, VERIFY, 2, 4, 1), 3),
        (b"\x15\x07\x06\x00\x01\x00\x00\x00\x00", 3),
        (b"\x15\x09\x06\x00\x01\x00\x00\x00\x02\x00\x00", 3),
        (b"\x15\x09\x07\x00\x01\x00\x00\x00\x01\x00\x00", 3),
        (b"\x15\x09\x06\x00\x00\x00\x00\x00\x01\x00\x00", 3),
        (b"\x15\x09\x06\x00\x01\x27\x10\x00\x01\x00\x00", 3),
        (b"\x15\x09\x06\x00\xff\x00\x00\x00\x01\x00\x00", 2),
        (b"\x15\x03\x06\x00\x01", 3),
        (b"\x15", 3),
    ],
)
def test_a_bad_request_gets_its_exception(served: Served, pdu: bytes, code: int) -> None:
    assert served.raw(frame(pdu)) == frame(bytes([pdu[0] | 0x80, code]))


def test_transaction_and_unit_are_echoed_and_requests_may_come_in_pieces_or_together(served: Served) -> None:
    answer = struct.pack(">BBHHH", 3, 6, 1, 0, 0)
    first, second = frame(READ, transaction=1), frame(READ, transaction=0xFFFF)
    assert served.raw(first + second) == frame(answer, transaction=1) + frame(answer, transaction=0xFFFF)
    requests, rest = split_frames(first + second[:9])
    assert (requests, rest) == ([first], second[:9])
    assert split_frames(rest + second[9:]) == ([second], b"")


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", struct.pack(">HHHB", 1, 0, 1, 1), struct.pack(">HHHB", 1, 0, 255, 1)]
)
def test_what_is_no_modbus_closes_the_connection(served: Served, data: bytes) -> None:
    assert served.raw(data) == b""
    with pytest.raises(NoRequest):
        split_frames(data)


@pytest.mark.parametrize("unit", [0, 2, 247, 255])
def test_another_unit_is_not_answered(served: Served, unit: int) -> None:
    assert served.face.answer(unit, READ) is None
    assert served.face.answer(1, READ) is not None
    assert served.face.answer(1, b"") is None


# -- mbpoll ----------------------------------------------------------------------------------------------------------


def mbpoll(served: Served, *options: str) -> str:
    program = shutil.which("mbpoll")
    if program is None:
        pytest.skip("mbpoll is not installed (Debian's package mbpoll)")
    words = [program, "-m", "tcp", "-p", str(served.server.port), "-a", "1", "-0", "-1", *options]
    done = subprocess.run([*words, served.server.host], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_mbpoll_reads_the_version(served: Served) -> None:
    output = mbpoll(served, "-t", "4", "-r", str(VERSION), "-c", "3")
    values = [line.split()[1] for line in output.splitlines() if line.startswith("[")]
    assert values == ["1", "0", "0"], output


def test_mbpoll_reads_input_registers_too_and_is_told_of_a_missing_one(served: Served) -> None:
    assert "[140]: \t0" in mbpoll(served, "-t", "3", "-r", str(IMAGE_STATE), "-c", "1")
    assert "Illegal data address" in mbpoll(served, "-t", "4", "-r", "1", "-c", "1")


@pytest.mark.parametrize("function", [3, 4, 5, 6, 15, 16, 21])
def test_a_slow_machine_that_brings_a_request_in_two_halves_is_not_taken_for_a_damaged_line(function: int) -> None:
    unknown = patience_ms(b"\1\x2b\x0e")
    assert patience_ms(b"\1") == patience_ms(bytes([1, function, 0])) >= 50 * unknown
