"""Firmware images (Zigbee OTA) and fixtures, checked before a bench is touched. Knows no meter and no bench."""

from __future__ import annotations

from rig.firmware.fixture import Behaviour, Expected, Fixture, Pulses, load, names
from rig.firmware.ota import OtaElement, OtaHeader, OtaImage, build, parse

__all__ = [
    "Behaviour",
    "Expected",
    "Fixture",
    "OtaElement",
    "OtaHeader",
    "OtaImage",
    "Pulses",
    "build",
    "load",
    "names",
    "parse",
]
