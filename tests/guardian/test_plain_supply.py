"""The supply over a plain socket: off is what it says itself, and everything else is told by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from rig.errors import LinkError
from rig.guardian.plain_supply import reach, says_off, switch_off
from rig.instruments.supplies.rigol_dp800 import off_texts
from tests.guardian.peers import Supply
from tests.instruments.wire_peers import HislipPeer, Instrument, SerialPeer


@pytest.fixture
def supply() -> Iterator[Supply]:
    found = Supply()
    yield found
    found.server.close()


def test_it_is_switched_off_and_says_so(supply: Supply) -> None:
    assert switch_off(supply.spec()) == "OFF"
    assert not supply.on
    assert supply.heard == [":OUTP CH1,OFF", ":OUTP? CH1"]


def test_reaching_it_changes_nothing(supply: Supply) -> None:
    assert reach(supply.spec()) == "ON"
    assert supply.heard == [":OUTP? CH1"]


def test_the_texts_are_the_drivers_own() -> None:
    spec, texts = Supply().spec(), off_texts(1)
    assert (spec.off, spec.question, spec.says_off) == (texts.command, texts.question, texts.says_off)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("deaf", r"psu is not off after ':OUTP CH1,OFF' \(found ON, expected OFF or 0\)"),
        ("silent", "psu cannot be reached at .*: timed out"),
        ("hangs up", "psu cannot be reached at .*: (the connection was closed|Connection reset)"),
    ],
)
def test_what_is_not_proven_off_is_an_error(supply: Supply, how: str, told: str) -> None:
    supply.how = how
    with pytest.raises(LinkError) as caught:
        switch_off(supply.spec(timeout_s=0.2))
    assert caught.match("psu")
    import re

    assert re.search(told, caught.value.one_line())


def test_a_supply_that_is_not_there_is_named_with_its_address(supply: Supply) -> None:
    spec = supply.spec()
    supply.server.unplug()
    with pytest.raises(LinkError, match=f"psu cannot be reached at 127.0.0.1:{spec.at.port}: Connection refused"):
        reach(spec)


# -- other wires ---------------------------------------------------------------------------------------------------


def answers(*pairs: tuple[bytes, bytes]) -> SerialPeer:
    return SerialPeer(dict(pairs).get)


@pytest.mark.parametrize(("status", "off"), [(b"\x11", True), (b"\x20", True), (b"\x0a", True), (b"\x51", False)])
def test_a_status_byte_on_a_serial_line_says_off_by_its_bit(supply: Supply, status: bytes, off: bool) -> None:
    peer = answers((b"STATUS?", status), (b"OUT0STATUS?", status))
    spec = replace(
        supply.spec(),
        address=peer.address,
        off="OUT0",
        question="STATUS?",
        ends="",
        reply_bytes=1,
        says_off=(),
        off_bit=6,
    )
    assert reach(spec) == f"0x{status.hex()}"
    if off:
        assert switch_off(spec) == f"0x{status.hex()}"
    else:
        with pytest.raises(LinkError) as caught:
            switch_off(spec)
        assert "psu is not off after 'OUT0' (found 0x51, expected bit 6 clear)" in caught.value.one_line()
    peer.close()


@pytest.mark.parametrize(("reply", "off"), [(b"0x3\n", True), (b"0x13\n", False), (b"16\n", False), (b"", False)])
def test_a_status_number_says_off_by_its_bit_and_nonsense_never_does(supply: Supply, reply: bytes, off: bool) -> None:
    assert says_off(replace(supply.spec(), says_off=(), off_bit=4), reply) == off


def test_where_only_a_visa_library_speaks_the_wire_a_process_of_its_own_switches_off(supply: Supply) -> None:
    nobody = SimpleNamespace(defer=lambda delay_s, reply: None)
    instrument = Instrument({"*IDN?": b"MAKER,MODEL,1,2\n", ":OUTP? CH1": b"OFF\n"}, nobody)  # type: ignore[arg-type]
    peer = HislipPeer(instrument)
    spec = replace(supply.spec(), address=peer.address)
    assert switch_off(spec) == "OFF"
    assert instrument.heard == ["*IDN?", ":OUTP CH1,OFF", ":OUTP? CH1"]
    peer.close()
    with pytest.raises(LinkError) as caught:
        reach(spec)
    assert "supply psu cannot be reached at 127.0.0.1" in caught.value.one_line()
