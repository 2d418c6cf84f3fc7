"""What a bench lacks for a fault: its name in words, or None where it lacks nothing. Looks at the bench file alone."""

from __future__ import annotations

from rig.bench.config import BenchConfig
from rig.bench.dlms_table import DlmsPart
from rig.bench.meter_table import ModbusTcpPart, OutsideTable, readable
from rig.bench.optical_table import OpticalPart
from rig.bench.roles import mains_roles
from rig.instruments.catalogue import SUPPLIES


def no_network_supply(config: BenchConfig) -> str | None:
    return "network to its supply" if SUPPLIES[config.supply[0].driver].unended else None


def no_k2(config: BenchConfig) -> str | None:
    return None if any(r.role == "meter-feed" for r in config.relay) else "K2: no meter feeds its hub"


def no_mains(config: BenchConfig) -> str | None:
    return None if mains_roles(config) else "mains at its meter"


def no_phases(config: BenchConfig) -> str | None:
    return None if len(mains_roles(config)) > 1 else "second live terminal at its meter"


def no_dlms(config: BenchConfig) -> str | None:
    return None if isinstance(readable(config.meter), DlmsPart) else "meter on DLMS"


def no_hdlc(config: BenchConfig) -> str | None:
    part = readable(config.meter)
    return None if isinstance(part, DlmsPart) and part.port is not None else "meter on HDLC"


def no_serial_line(config: BenchConfig) -> str | None:
    return None if _on_a_line(config) else "serial line to its meter"


def no_mode_c(config: BenchConfig) -> str | None:
    there = isinstance(readable(config.meter), OpticalPart) and _on_a_line(config)
    return None if there else "optical head for mode C"


def no_head(config: BenchConfig) -> str | None:
    part = readable(config.meter)
    signed_on = isinstance(part, OpticalPart) or (isinstance(part, DlmsPart) and part.sign_on == "mode-e")
    return None if signed_on and _on_a_line(config) else "optical head at its meter"


def _on_a_line(config: BenchConfig) -> bool:
    """Whether the meter is at a serial port: not on TCP, and not behind a URL."""
    return str(getattr(readable(config.meter), "port", None)).startswith("/")


def no_network_meter(config: BenchConfig) -> str | None:
    return None if isinstance(readable(config.meter), ModbusTcpPart) else "meter on a network"


def takes_no_image(config: BenchConfig) -> str | None:
    return "image that goes from the rig to its meter" if isinstance(config.meter, OutsideTable) else None


def no_mains_or_image(config: BenchConfig) -> str | None:
    return no_mains(config) or takes_no_image(config)
