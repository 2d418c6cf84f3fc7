"""Firmware images (Zigbee OTA) and fixtures, checked before a bench is touched. Knows no meter and no bench."""

from __future__ import annotations

from rig.firmware.container import Container, survey
from rig.firmware.fixture import Behaviour, Expected, Fixture, Pulses, load, load_back, names
from rig.firmware.ota import OtaElement, OtaHeader, build

__all__ = [
    "Behaviour",
    "Container",
    "Expected",
    "Fixture",
    "OtaElement",
    "OtaHeader",
    "Pulses",
    "build",
    "load",
    "load_back",
    "names",
    "survey",
]
