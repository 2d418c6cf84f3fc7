"""Asks given network addresses who they are: `*IDN?` over a plain socket, and nothing else.

Only addresses that a person named (`--probe`), or that pyvisa-py found by itself when a bench file is to be proposed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rig.bench.values import HOST
from rig.clock import Clock
from rig.errors import InputError, RigError, Where
from rig.instruments.asking import AskingLink, driver_of, identify
from rig.instruments.catalogue import SCPI_PORTS, Driver
from rig.instruments.link import VisaLink
from rig.instruments.ports import Identity
from rig.procedures.doctor.instruments import unanswered
from rig.procedures.doctor.jobs import Job
from rig.records.doctor import Check, Desk, with_asked

PROBE_S = 3.0
"""How long an address has to answer."""

USUAL_PORTS = SCPI_PORTS
"""Where SCPI instruments listen: Rigol at 5555, most others at 5025."""

_DESK = Desk("instruments")
_PROBE = re.compile(rf"{HOST}(?::([0-9]{{1,5}}))?")


@dataclass(frozen=True)
class Probe:
    """An address to ask: a host, and its ports to try."""

    host: str
    ports: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.host if len(self.ports) > 1 else f"{self.host}:{self.ports[0]}"


def parse_probe(text: str) -> Probe:
    """`HOST` or `HOST:PORT`; an IPv6 address stands in brackets. Raises InputError."""
    match = _PROBE.fullmatch(text)
    if match is None or (match[2] and not 1 <= int(match[2]) <= 65_535):
        where = Where(key="--probe", found=text, expected="HOST or HOST:PORT, with a port from 1 to 65535")
        raise InputError("not an address", where)
    return Probe(match[1], (int(match[2]),) if match[2] else USUAL_PORTS)


@dataclass(frozen=True)
class Candidate:
    """An instrument that answered at `address`; `driver` None = there is none for it."""

    address: str
    identity: Identity
    driver: Driver | None


class ProbeLook:
    """One address. `named`: a person asked for it, so its silence is a failure. `found` is who answered."""

    def __init__(self, probe: Probe, clock: Clock, *, named: bool) -> None:
        self._probe = probe
        self._clock = clock
        self._named = named
        self.found: Candidate | None = None

    def run(self) -> list[Check]:
        """Its ports in turn, until one answers."""
        what, host, errors = f"probe {self._probe.name}", self._probe.host, []
        for port in self._probe.ports:
            address = f"TCPIP::{host}::{port}::SOCKET"
            link = AskingLink(VisaLink(address, self._clock, PROBE_S, f"{host}:{port}", clears=False))
            try:
                who = identify(link)
            except RigError as error:
                errors.append(error)
                continue
            finally:
                link.close()
            self.found = Candidate(address, who, driver_of(who))
            return with_asked([self._answered(what, self.found)], link.asked)
        if not self._named:
            found = f"in the list of VISA resources, but no answer at ports {', '.join(map(str, self._probe.ports))}"
            return [_DESK.not_here(what, found)]
        found = "; ".join(error.one_line() for error in errors)
        return [_DESK.failed(what, found, unanswered(errors[-1], host))]

    def _answered(self, what: str, found: Candidate) -> Check:
        who = found.identity
        text = f"{who.maker} {who.model}, serial {who.serial}, firmware {who.version} at {found.address}"
        if found.driver is None:
            return _DESK.warning(what, text, "there is no driver for it yet: a bench file cannot name it")
        return _DESK.ok(what, f"{text}: driver {found.driver}")


class ProbesLook:
    """Asks all these addresses, beside each other."""

    def __init__(self, probes: Iterable[Probe], clock: Clock, *, named: bool) -> None:
        self._looks = [ProbeLook(probe, clock, named=named) for probe in probes]
        self._jobs = [Job(clock, "instruments", "probe", look.run) for look in self._looks]

    def checks(self) -> list[Check]:
        """Wait for all answers."""
        return [check for job in self._jobs for check in job.checks()]

    def found(self) -> tuple[Candidate, ...]:
        """Who answered. After `checks`."""
        return tuple(look.found for look in self._looks if look.found is not None)
