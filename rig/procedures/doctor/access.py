"""What this machine can reach: VISA resources, serial ports, GPIO chips; who may use them; USB devices put to sleep.

Looks at lists, names and rights. Sends nothing to a serial port or a USB device.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rig.errors import BenchError
from rig.instruments import visa_list
from rig.instruments.chips import chip_info
from rig.procedures.doctor.machine import Machine
from rig.records.doctor import Check, Desk

VISA_S = 5.0
"""How long the search for VISA resources may take; pyvisa-py waits a second for answers to its broadcast."""

_DESK = Desk("access")
LIST = (sys.executable, "-P", "-W", "ignore", str(visa_list.__file__))
"""By its file, with -P: nothing that lies in the working directory is imported."""
_LAN_HOST = re.compile(r"TCPIP\d*::([^:]+)::.*INSTR", re.IGNORECASE)
_USB_NODES = ("/sys/class/tty/ttyUSB*", "/sys/class/tty/ttyACM*", "/sys/class/usbmisc/usbtmc*")


@dataclass(frozen=True)
class ChipSeen:
    path: str
    label: str
    lines: int


class VisaSearch:
    """Look for VISA resources; `hosts` are the network addresses among them. `lan`: by a broadcast as well."""

    def __init__(self, machine: Machine, *, lan: bool) -> None:
        self._machine = machine
        self._lan = lan
        self.hosts: list[str] = []

    def run(self) -> list[Check]:
        what = "VISA resources"
        ran = self._machine.run((*LIST, "--lan") if self._lan else LIST, VISA_S)
        if ran.problem is not None:
            to_do = "name the instruments' addresses in the bench file; they are not searched for in a run"
            return [_DESK.warning(what, f"cannot be listed: {ran.problem}", to_do)]
        lines = ran.out.splitlines()
        names = [line for line in lines if not line.startswith("#")]
        unseen = [line.strip("# ") for line in lines if line.startswith("#")] + ([] if self._lan else ["lan"])
        more = f" (not searched: {', '.join(unseen)})" if unseen else ""
        self.hosts = list(dict.fromkeys(m[1] for name in names if (m := _LAN_HOST.fullmatch(name))))
        if names:
            return [_DESK.ok(what, f"{len(names)}: {', '.join(names)}{more}")]
        return [
            _DESK.not_here(what, f"none{more}; instruments on plain LAN sockets are not found so: --probe asks them")
        ]


def serial_ports(machine: Machine) -> Check:
    what = "serial ports"
    ports = machine.serial_ports()
    if not ports:
        return _DESK.not_here(what, "none")
    return _DESK.ok(what, f"{len(ports)}: {', '.join(p.by_id or f'{p.device} ({p.description})' for p in ports)}")


def chips(machine: Machine) -> list[ChipSeen]:
    """The GPIO chips that can be opened, each once: a Raspberry Pi 5 has /dev/gpiochip4 as another name of one."""
    paths = dict.fromkeys(machine.real(path) for path in machine.glob("/dev/gpiochip*"))
    found = []
    for path in paths:
        try:
            info = chip_info(machine.chips(), path)
        except BenchError:
            continue  # `rights` tells it
        found.append(ChipSeen(path, info.label, info.num_lines))
    return found


def gpio_chips(machine: Machine) -> Check:
    what = "GPIO chips"
    found = chips(machine)
    if found:
        return _DESK.ok(what, ", ".join(f"{chip.path} [{chip.label}] {chip.lines} lines" for chip in found))
    if machine.glob("/dev/gpiochip*"):
        return _DESK.warning(what, "there are some, but none can be opened", "see 'access to GPIO chips'")
    return _DESK.not_here(what, "none")


# -- who may use them --------------------------------------------------------------------------------------------------


def rights(machine: Machine, needed_chip: str | None) -> list[Check]:
    """Whether this user may use what is there. Only the chip that the bench needs can be a failure."""
    usb_to_do = 'a udev rule for it: SUBSYSTEM=="usbmisc", KERNEL=="usbtmc*", MODE="0660", GROUP="plugdev"'
    return [
        _right(machine, "GPIO chips", ("/dev/gpiochip*",), _join(machine, "gpio"), needed_chip),
        _right(machine, "serial ports", ("/dev/ttyUSB*", "/dev/ttyACM*"), _join(machine, "dialout"), None),
        _right(machine, "USB instruments", ("/dev/usbtmc*",), usb_to_do, None),
    ]


def _right(machine: Machine, name: str, patterns: tuple[str, ...], to_do: str, needed: str | None) -> Check:
    what = f"access to {name}"
    devices = [path for pattern in patterns for path in machine.glob(pattern)]
    if not devices:
        return _DESK.not_here(what, "none here")
    barred = [path for path in devices if not machine.usable(path)]
    if not barred:
        return _DESK.ok(what, f"{machine.user().name} may use {', '.join(devices)}")
    return _DESK.bad(needed in barred, what, f"{machine.user().name} may not use {', '.join(barred)}", to_do)


def _join(machine: Machine, group: str) -> str:
    """What a user does who lacks the rights of a group."""
    user = machine.user()
    for line in (machine.read("/etc/group") or "").splitlines():
        name, _, rest = line.partition(":")
        fields = rest.split(":")
        if name != group or len(fields) != 3:
            continue
        member = user.name in fields[2].split(",")
        if member and fields[1] not in {str(gid) for gid in user.gids}:
            return f"{user.name} has joined the group {group} since logging in: log out and in again"
        if member:
            return f"{user.name} is in the group {group}, so the device has other rights: see ls -l, and its udev rule"
        return f"sudo usermod -aG {group} {user.name}, then log out and in again"
    return f"there is no group {group} here: give this user the right by a udev rule"


# -- USB devices put to sleep ------------------------------------------------------------------------------------------


def autosuspend(machine: Machine) -> Check:
    """USB instruments and serial adapters that the kernel may suspend when they idle: some do not wake in time."""
    what = "USB autosuspend"
    nodes = [path for pattern in _USB_NODES for path in machine.glob(pattern)]
    devices = {node: device for node in nodes if (device := _usb_device(machine, node)) is not None}
    if not devices:
        return _DESK.not_here(what, "no USB instrument or serial adapter")
    asleep = {node: path for node, path in devices.items() if machine.read(f"{path}/power/control") == "auto"}
    if not asleep:
        return _DESK.ok(what, f"off for {', '.join(_names(devices))}")
    files = " ".join(f"{path}/power/control" for path in dict.fromkeys(asleep.values()))
    to_do = f'echo on | sudo tee {files} (for good: a udev rule with ATTR{{power/control}}="on")'
    return _DESK.warning(what, f"on for {', '.join(_names(asleep))}", to_do)


def _names(nodes: dict[str, str]) -> Iterator[str]:
    yield from (node.rpartition("/")[2] for node in nodes)


def _usb_device(machine: Machine, node: str) -> str | None:
    """The USB device in sysfs behind a device node: the first parent that has an idVendor."""
    path = machine.real(f"{node}/device")
    while path not in ("", "/"):
        if machine.exists(f"{path}/idVendor"):
            return path
        path = path.rpartition("/")[0]
    return None
