"""Coil relays against boards that nobody here wrote: libmodbus's and pymodbus's servers, on TCP and serial lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rig.clock.system import SystemClock
from rig.errors import LinkError, LinkTimeout
from rig.instruments.modbus_coil import CoilRelay, ModbusLink
from rig.instruments.modbus_link import SerialModbusLink, TcpModbusLink
from tests.cables import cable, process
from tests.instruments.libmodbus_server import library

HERE = Path(__file__).parent
LONG_S = 60.0


@pytest.fixture(params=["libmodbus tcp", "libmodbus rtu", "pymodbus tcp", "pymodbus rtu"])
def link(request: pytest.FixtureRequest) -> Iterator[ModbusLink]:
    maker, wire = request.param.split()
    if maker == "libmodbus" and library() is None:
        pytest.skip("no libmodbus here")
    program = {"libmodbus": "libmodbus_server.py", "pymodbus": "pymodbus_board.py"}[maker]
    clock = SystemClock()
    with ExitStack() as stack:
        it: ModbusLink
        if wire == "tcp":
            it = TcpModbusLink("127.0.0.1", int(stack.enter_context(process(HERE / program, "tcp"))), clock, LONG_S)
        else:
            ours, theirs = stack.enter_context(cable())
            stack.enter_context(process(HERE / program, "rtu", theirs))
            it = SerialModbusLink(ours, 9600, "none", clock, LONG_S)
        stack.callback(it.close)
        yield it


def test_a_relay_is_moved_and_read_back_and_its_neighbours_stay(link: ModbusLink) -> None:
    relays = [CoilRelay(f"K{coil}", link, 1, coil, safe_closed=False) for coil in (0, 1, 9)]
    relays[1].set(True)
    assert [relay.read() for relay in relays] == [False, True, False]
    relays[2].set(True)
    relays[1].set(False)
    assert [relay.read() for relay in relays] == [False, False, True]
    assert all(relay.make_safe() for relay in relays)
    assert not any(relay.read() for relay in relays)


def test_opening_leaves_a_relay_as_it_is_where_that_is_its_safe_position(link: ModbusLink) -> None:
    CoilRelay("K1", link, 1, 3, safe_closed=False).set(True)
    mains = CoilRelay("K1", link, 1, 3, safe_closed=None)
    assert mains.read()
    assert mains.make_safe()
    assert mains.read()


def test_a_coil_that_the_board_does_not_have_is_told_by_its_exception(link: ModbusLink) -> None:
    with pytest.raises(LinkError, match=r"relay K9: write coil 99: Modbus exception 2 \(illegal data address\)"):
        CoilRelay("K9", link, 1, 99, safe_closed=False)
    assert not CoilRelay("K1", link, 1, 0, safe_closed=False).read(), "the link is still good"


@pytest.mark.skipif(library() is None, reason="no libmodbus here")
def test_a_unit_that_is_not_on_the_line_is_silence() -> None:
    with cable() as (ours, theirs), process(HERE / "libmodbus_server.py", "rtu", theirs):
        link = SerialModbusLink(ours, 9600, "none", SystemClock(), 0.02)
        with pytest.raises(LinkTimeout, match=r"relay K1: write coil 0: no answer within 0\.02 s"):
            CoilRelay("K1", link, 7, 0, safe_closed=False)
