"""`rig doctor` says what kind of link an instrument has, and what is missing for it."""

from __future__ import annotations

import pytest

from rig.procedures.doctor.instruments import link
from rig.records.doctor import Check
from tests.bench.files import GOOD, checked


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("TCPIP::192.0.2.10::5555::SOCKET", "socket; the guardian's own way to off: another of the kind"),
        ("ASRL/dev/ttyUSB0::INSTR", "serial; the guardian's own way to off: another of the kind"),
        ("TCPIP::192.0.2.10::INSTR", "VXI-11, by way of pyvisa-py; the guardian's own way to off: a helper process"),
    ],
)
def test_the_link_of_a_supply_is_told_with_the_guardians_way_to_off(address: str, found: str) -> None:
    table = checked(GOOD.replace("TCPIP::192.0.2.10::5555::SOCKET", address)).supply[0]
    assert link(table) == Check("instruments", "psu: link", "ok", found)


def test_usb_without_its_library_fails_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.procedures.doctor.instruments.find_spec", lambda name: None)
    usb = GOOD.replace("TCPIP::192.0.2.10::5555::SOCKET", "USB::0x1AB1::0x0E11::DP8C1::INSTR")
    check = link(checked(usb).supply[0])
    assert check.status == "failed"
    assert "pyusb is not installed" in check.found
    assert "pip install" in (check.to_do or "")
