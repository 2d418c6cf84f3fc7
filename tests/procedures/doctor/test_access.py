"""VISA resources, serial ports, GPIO chips, rights and USB autosuspend, on machines that have them or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rig.clock.virtual import VirtualClock
from rig.errors import BenchError
from rig.instruments.chips import Chip
from rig.procedures.doctor import access
from rig.procedures.doctor.machine import Machine, Ran, SerialPort, User
from rig.procedures.doctor.machine_look import MachineLook, Needs
from tests.procedures.doctor.machines import PI, bare, chips, commands, one, pi, put

LAN = (*access.LIST, "--lan")

# -- VISA and serial ---------------------------------------------------------------------------------------------------


def test_visa_resources_are_listed_and_their_network_hosts_kept(tmp_path: Path) -> None:
    names = ["USB0::0x1AB1::0x0E11::DP8C0::INSTR", "TCPIP::192.0.2.7::INSTR", "TCPIP::192.0.2.7::hislip0,4880::INSTR"]
    search = access.VisaSearch(pi(tmp_path, run=commands({LAN: "\n".join(names) + "\n"})), lan=True)
    (check,) = search.run()
    assert check.found == f"3: {', '.join(names)}"
    assert search.hosts == ["192.0.2.7"]


def test_what_was_not_searched_is_said(tmp_path: Path) -> None:
    said = "ASRL/dev/ttyUSB0::INSTR\n# gpib\n# usb\n"
    (check,) = access.VisaSearch(pi(tmp_path, run=commands({access.LIST: said})), lan=False).run()
    assert check.found == "1: ASRL/dev/ttyUSB0::INSTR (not searched: gpib, usb, lan)"
    (check,) = access.VisaSearch(pi(tmp_path, run=commands({access.LIST: ""})), lan=False).run()
    assert check.found.startswith("none (not searched: lan)")


def test_no_visa_resource_is_no_fault_and_tells_how_to_ask_a_plain_socket(tmp_path: Path) -> None:
    (check,) = access.VisaSearch(pi(tmp_path, run=commands({LAN: ""})), lan=True).run()
    assert (check.status, check.applies) == ("ok", False)
    assert "--probe" in check.found


def test_a_search_that_hangs_or_breaks_is_a_warning(tmp_path: Path) -> None:
    said = Ran("", "python did not end within 5 s")
    (check,) = access.VisaSearch(pi(tmp_path, run=commands({LAN: said})), lan=True).run()
    assert (check.status, check.found) == ("warning", "cannot be listed: python did not end within 5 s")


def test_serial_ports_are_named_as_they_stay_after_unplugging(tmp_path: Path) -> None:
    ports = [
        SerialPort("/dev/ttyUSB0", "FT232R", "/dev/serial/by-id/usb-FTDI_FT232R_A1-if00-port0"),
        SerialPort("/dev/ttyAMA0", "ttyAMA0", None),
    ]
    check = access.serial_ports(pi(tmp_path, serial_ports=lambda: ports))
    assert check.found == "2: /dev/serial/by-id/usb-FTDI_FT232R_A1-if00-port0, /dev/ttyAMA0 (ttyAMA0)"
    assert access.serial_ports(bare(tmp_path)).applies is False


# -- GPIO chips and rights ---------------------------------------------------------------------------------------------


def test_each_chip_is_told_once_whatever_its_names(tmp_path: Path) -> None:
    machine = pi(tmp_path, open_chip=chips("pinctrl-rp1"))
    (tmp_path / "dev" / "gpiochip4").symlink_to("gpiochip0")
    assert access.gpio_chips(machine).found == "/dev/gpiochip0 [pinctrl-rp1] 58 lines"


def refusing(error: Exception) -> Callable[[str], Chip]:
    def open_chip(path: str) -> Chip:
        raise error

    return open_chip


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), ValueError("not a GPIO chip"), OSError(5)])
def test_chips_that_cannot_be_opened_are_a_warning(tmp_path: Path, error: Exception) -> None:
    check = access.gpio_chips(pi(tmp_path, open_chip=refusing(error)))
    assert check.status == "warning"


def test_a_machine_without_chips_has_none(tmp_path: Path) -> None:
    assert access.gpio_chips(bare(tmp_path)).applies is False


def right(machine: Machine, needed_chip: str | None = None) -> tuple[str, str, str | None]:
    check = one(access.rights(machine, needed_chip), "access to GPIO chips")
    return check.status, check.found, check.to_do


def test_a_user_who_may_use_the_chip_is_fine(tmp_path: Path) -> None:
    assert right(pi(tmp_path))[:2] == ("ok", "pi may use /dev/gpiochip0")


def test_a_user_outside_the_group_is_told_to_join_it(tmp_path: Path) -> None:
    files = {**PI, "/etc/group": "gpio:x:997:bob\n"}
    machine = pi(tmp_path, files, access=lambda _: False)
    status, found, to_do = right(machine, "/dev/gpiochip0")
    assert (status, found) == ("failed", "pi may not use /dev/gpiochip0")
    assert to_do == "sudo usermod -aG gpio pi, then log out and in again"
    assert right(machine)[0] == "warning", "no bench needs it"
    assert right(machine, "/dev/gpiochip9")[0] == "warning", "the bench needs another"


def test_a_user_who_joined_since_logging_in_is_told_to_log_in_again(tmp_path: Path) -> None:
    user = User("pi", 1000, frozenset({1000}))
    to_do = right(pi(tmp_path, access=lambda _: False, user=lambda: user))[2]
    assert to_do == "pi has joined the group gpio since logging in: log out and in again"


def test_a_member_who_still_may_not_looks_at_the_devices_rights(tmp_path: Path) -> None:
    assert "udev rule" in (right(pi(tmp_path, access=lambda _: False))[2] or "")


@pytest.mark.parametrize("group", ["", "gpio", "gpio:x\n", "nonsense::::::\n"])
def test_a_machine_without_the_group_needs_a_rule(tmp_path: Path, group: str) -> None:
    machine = pi(tmp_path, {**PI, "/etc/group": group}, access=lambda _: False)
    assert right(machine)[2] == "there is no group gpio here: give this user the right by a udev rule"


def test_serial_adapters_belong_to_dialout_and_usb_instruments_to_a_rule(tmp_path: Path) -> None:
    files = {**PI, "/dev/ttyUSB0": "", "/dev/ttyACM0": "", "/dev/usbtmc0": ""}
    barred = pi(tmp_path, files, access=lambda _: False, user=lambda: User("lab", 1001, frozenset({1001})))
    checks = access.rights(barred, None)
    serial = one(checks, "access to serial ports")
    assert serial.found == "lab may not use /dev/ttyUSB0, /dev/ttyACM0"
    assert "dialout" in (serial.to_do or "")
    assert "usbmisc" in (one(checks, "access to USB instruments").to_do or "")


def test_what_is_not_plugged_in_is_no_fault(tmp_path: Path) -> None:
    checks = access.rights(bare(tmp_path, access=lambda _: False), None)
    assert [check.applies for check in checks] == [False, False, False]


# -- USB autosuspend ---------------------------------------------------------------------------------------------------


def plug(root: Path, control: str | None) -> None:
    """A USB serial adapter and a USB instrument, as sysfs shows them."""
    hub = "/sys/devices/platform/scb/usb1/1-1"
    for port, interface, node in (("1-1.2", "1-1.2:1.0", "tty/ttyUSB0"), ("1-1.3", "1-1.3:1.0", "usbmisc/usbtmc0")):
        device = f"{hub}/{port}"
        put(root, {f"{device}/idVendor": "0403\n", f"{device}/{interface}/bInterfaceClass": "ff\n"})
        if control is not None:
            put(root, {f"{device}/power/control": f"{control}\n"})
        place = root / "sys/class" / node
        place.mkdir(parents=True)
        (place / "device").symlink_to(Path("../../../..") / device.lstrip("/") / interface)


def test_a_usb_device_that_may_be_put_to_sleep_is_a_warning(tmp_path: Path) -> None:
    plug(tmp_path, "auto")
    check = access.autosuspend(pi(tmp_path))
    assert (check.status, check.found) == ("warning", "on for ttyUSB0, usbtmc0")
    assert "/sys/devices/platform/scb/usb1/1-1/1-1.2/power/control" in (check.to_do or "")


@pytest.mark.parametrize("control", ["on", None])
def test_a_usb_device_that_stays_awake_is_fine(tmp_path: Path, control: str | None) -> None:
    plug(tmp_path, control)
    assert access.autosuspend(pi(tmp_path)).found == "off for ttyUSB0, usbtmc0"


def test_without_usb_devices_nothing_sleeps(tmp_path: Path) -> None:
    put(tmp_path, {"/sys/class/tty/ttyUSB0/uevent": ""})  # a node without a device
    assert access.autosuspend(pi(tmp_path)).applies is False


# -- all of it ---------------------------------------------------------------------------------------------------------


def test_a_good_pi_has_nothing_to_do(tmp_path: Path) -> None:
    checks = MachineLook(pi(tmp_path), VirtualClock(), Needs(True, "/dev/gpiochip0", True), lan=True).checks()
    assert {check.status for check in checks} == {"ok"}
    assert [check.what for check in checks if check.to_do] == []


def test_a_machine_with_nothing_fails_nothing_that_no_bench_needs(tmp_path: Path) -> None:
    checks = MachineLook(bare(tmp_path), VirtualClock(), Needs(), lan=True).checks()
    assert {check.what for check in checks if check.status != "ok"} == {"VISA resources", "clock synchronisation"}
    assert {check.status for check in checks} == {"ok", "warning"}
    assert one(checks, "clock slew").status == "ok"


def test_a_check_that_stumbles_is_told_and_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    def broken() -> list[SerialPort]:
        raise ZeroDivisionError("no such thing")

    checks = MachineLook(pi(tmp_path, serial_ports=broken), VirtualClock(), Needs(), lan=False).checks()
    stumbled = one(checks, "serial ports")
    assert stumbled.status == "failed"
    assert stumbled.found == "the check itself failed: ZeroDivisionError: no such thing"
    assert one(checks, "CPU governor").status == "ok"


def test_a_machine_without_gpiod_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(BenchError, match="no gpiod here"):
        bare(tmp_path, open_chip=None).chips()
