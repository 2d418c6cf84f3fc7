"""All checks of the machine that controls the bench, beside each other and on the system's own clock.

Imports nothing heavy: its search for VISA resources waits for a second, so it starts before everything else.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.clock import Clock
from rig.procedures.doctor import access, clocks, computer, software
from rig.procedures.doctor.jobs import Job
from rig.procedures.doctor.machine import Machine
from rig.records.doctor import Check

_RATE_PPM = 200.0
"""The bench file's own default, for a machine without one."""
_SHORTEST_S = 0.2
"""A pair of readings is good to about half a microsecond: 5 ppm of this."""


@dataclass(frozen=True)
class Needs:
    """What a real bench needs of the machine that controls it; without a bench, or with a twin, nothing.

    `chip` is its GPIO chip, None where it has none; `relay_lines`: it drives relays on lines of the header.
    """

    controls: bool = False
    chip: str | None = None
    relay_lines: bool = False


class MachineLook:
    """Starts to look. `lan`: the network is searched for VISA resources too, by broadcast, which takes a second."""

    def __init__(self, machine: Machine, system: Clock, needs: Needs, *, lan: bool) -> None:
        self._machine = machine
        self._slew = None if needs.controls else clocks.Slew(system, _SHORTEST_S)  # else it is looked at with the bench
        self._visa = access.VisaSearch(machine, lan=lan)
        self._jobs = [
            Job(system, "access", "VISA resources", self._visa.run),
            Job(system, "access", "serial ports", lambda: [access.serial_ports(machine)]),
            Job(system, "access", "GPIO chips", lambda: [access.gpio_chips(machine)]),
            Job(system, "access", "access rights", lambda: access.rights(machine, needs.chip)),
            Job(system, "access", "USB autosuspend", lambda: [access.autosuspend(machine)]),
            Job(system, "clock", "clock synchronisation", lambda: [clocks.synchronisation(machine)]),
            Job(system, "computer", "CPU governor", lambda: [computer.governor(machine)]),
            Job(system, "computer", "power", lambda: [computer.power(machine, needs.controls)]),
            Job(system, "software", "system", lambda: [software.system(machine)]),
            Job(system, "software", "relay library", lambda: [software.gpio_library(machine, needs.relay_lines)]),
            Job(system, "software", "extras", lambda: software.extras(machine)),
        ]

    def checks(self) -> list[Check]:
        """Wait for all of them."""
        rows = [check for job in self._jobs for check in job.checks()]
        return [*rows, self._slew.check("clock slew", _RATE_PPM, needed=False)] if self._slew is not None else rows

    def lan_hosts(self) -> list[str]:
        """The network instruments that pyvisa-py found. After `checks`."""
        return self._visa.hosts

    def chips(self) -> tuple[access.ChipSeen, ...]:
        return tuple(access.chips(self._machine))

    def serial_ports(self) -> tuple[str, ...]:
        return tuple(port.by_id or port.device for port in self._machine.serial_ports())
