"""Our driver against meters that nobody here wrote, in processes of their own: libmodbus and pymodbus's simulator."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from rig.clock.system import SystemClock
from rig.errors import LinkError
from rig.meters.credentials import Secret
from rig.meters.modbus import ModbusMeter, probes
from rig.meters.modbus_link import ModbusLink, TcpLink
from rig.meters.modbus_rtu import RtuLink, SerialLine
from rig.meters.port import ImageState, MeterIdentity
from rig.meters.profile import Profile
from tests.cables import cable, process
from tests.instruments.libmodbus_server import library
from tests.meters.device import profile
from tests.meters.foreign_meter import BAUD

PROGRAM = Path(__file__).with_name("foreign_meter.py")
LONG_S = 60.0
HASH, SIZE = bytes(range(32)), 70_000
METER = profile("""
[identity]
maker = { register = 0, type = "ascii", words = 6 }
model = "M-1"
serial = { register = 0, function = 4, type = "bcd", words = 1 }

[version]
parts = [{ register = 6 }, { register = 7 }, { register = 8 }]

[status]
value = { register = 11 }
[status.states]
"verified" = 3

[uptime]
register = 9
type = "uint32"
word_order = "low-first"

[credentials]
password = { type = "ascii", words = 4 }

[[activation]]
function = 16
register = 12
credential = "password"

[[activation]]
function = 6
register = 16
value = 4097

[[activation]]
function = 5
register = 2
value = true

[[activation]]
function = 15
register = 4
value = [true, false, true]

[[activation]]
function = 16
register = 17
image = ["size"]
""")
FLOAT = profile('[version]\nparts = [{ register = 1, function = 4, type = "float32", decimals = 1 }]\n')


class Foreign:
    """A meter of somebody else's on one of the two wires."""

    def __init__(self, link: ModbusLink) -> None:
        self.link = link

    def as_told_by(self, told: Profile) -> ModbusMeter:
        secrets = {name: Secret(name, "Pa55word") for name in told.credentials}
        return ModbusMeter(self.link, told, SystemClock(), secrets)


@contextmanager
def started(maker: str, wire: str) -> Iterator[Foreign]:
    if maker == "libmodbus" and library() is None:
        pytest.skip("libmodbus is not installed (Debian's package libmodbus5)")
    clock = SystemClock()
    with ExitStack() as stack:
        link: ModbusLink
        if wire == "tcp":
            port = int(stack.enter_context(process(PROGRAM, maker, wire)))
            link = TcpLink("meter", "127.0.0.1", port, 1, clock, LONG_S)
        else:
            ours, theirs = stack.enter_context(cable())
            stack.enter_context(process(PROGRAM, maker, wire, theirs))
            link = RtuLink("meter", SerialLine(ours, BAUD, "none", 2), 1, clock, LONG_S, probes(METER))
        stack.callback(link.close)
        yield Foreign(link)


@pytest.fixture(params=["libmodbus tcp", "libmodbus rtu", "simulator tcp", "simulator rtu"])
def foreign(request: pytest.FixtureRequest) -> Iterator[Foreign]:
    with started(*request.param.split()) as it:
        yield it


def test_it_is_read_with_all_kinds_of_values(foreign: Foreign) -> None:
    meter = foreign.as_told_by(METER)
    assert meter.identity() == MeterIdentity("Other Maker", "M-1", "1234")
    assert meter.version() == "3.20.100"
    assert meter.image_state() is ImageState.VERIFIED
    assert meter.uptime_s() == 65_541.0
    assert foreign.as_told_by(FLOAT).version() == "100.0"


def test_its_activation_is_every_kind_of_write_once_and_in_order(foreign: Foreign) -> None:
    sent = foreign.as_told_by(METER).activate(HASH, SIZE)
    assert sent.problem is None
    assert sent.before_ns < sent.after_ns
    words = foreign.link.read(12, 7, 3)
    assert struct.pack(">4H", *words[:4]) == b"Pa55word"
    assert words[4] == 4097
    assert struct.unpack(">I", struct.pack(">2H", *words[5:])) == (SIZE,)


def test_a_register_that_it_does_not_have_is_its_exception_by_name_and_the_link_is_still_good(
    foreign: Foreign,
) -> None:
    beyond = profile("[version]\nparts = [{ register = 500 }]\n")
    with pytest.raises(LinkError, match=r"read register 500: Modbus exception 2 \(illegal data address\)"):
        foreign.as_told_by(beyond).version()
    assert foreign.as_told_by(METER).version() == "3.20.100"


def test_a_refused_first_write_is_an_error_and_no_activation(foreign: Foreign) -> None:
    refused = profile("[[activation]]\nfunction = 6\nregister = 900\nvalue = 1\n")
    with pytest.raises(LinkError, match=r"Modbus exception 2 \(illegal data address\)"):
        foreign.as_told_by(refused).activate(HASH, SIZE)


def test_a_refused_later_write_is_told_and_may_have_started_it(foreign: Foreign) -> None:
    one = "[[activation]]\nfunction = 6\nregister = {}\nvalue = 1\n"
    refused = profile(one.format(20) + one.format(900))
    sent = foreign.as_told_by(refused).activate(HASH, SIZE)
    assert sent.problem is not None
    assert "write 2 of 2 of the activation" in sent.problem


TAKES_FILES = profile("[image]\n[status]\nvalue = { register = 11 }\n[status.states]\nverified = 3\n")


@pytest.mark.parametrize("wire", ["tcp", "rtu"])
def test_file_records_are_taken_by_a_meter_that_knows_them(wire: str) -> None:
    told: list[int] = []
    with started("simulator", wire) as foreign:
        foreign.as_told_by(TAKES_FILES).transfer(bytes(3001), lambda done, total: told.append(done))
    assert told[-1] == 3001


def test_a_meter_that_does_not_know_file_records_says_so_by_its_exception() -> None:
    with (
        started("libmodbus", "tcp") as foreign,
        pytest.raises(LinkError, match=r"Modbus exception 1 \(illegal function\)"),
    ):
        foreign.as_told_by(TAKES_FILES).transfer(bytes(300), lambda done, total: None)
