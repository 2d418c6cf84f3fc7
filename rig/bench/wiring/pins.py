"""Two connectors that the world has fixed: the Raspberry Pi's 40-pin header, and ICHIS (domain.md, 3). Tables only."""

from __future__ import annotations

HEADER = {
    0: 27, 1: 28, 2: 3, 3: 5, 4: 7, 5: 29, 6: 31, 7: 26, 8: 24, 9: 21, 10: 19, 11: 23, 12: 32, 13: 33,
    14: 8, 15: 10, 16: 36, 17: 11, 18: 12, 19: 35, 20: 38, 21: 40, 22: 15, 23: 16, 24: 18, 25: 22, 26: 37, 27: 13,
}  # fmt: skip
"""BCM number of a GPIO: its pin on the header."""

POWER = {1: "3V3", 17: "3V3", 2: "5V", 4: "5V", **dict.fromkeys((6, 9, 14, 20, 25, 30, 34, 39), "GND")}
"""The header's other pins."""

GPIO_AT = {pin: gpio for gpio, pin in HEADER.items()}

PULLED_UP = range(9)
"""GPIO 0 to 8 are pulled up from power-on until software sets them, 9 to 27 down (BCM2835 ARM Peripherals, 6.2)."""

ICHIS = {1: "12V", 2: "12V", 3: "COM", 4: "COM", 5: "CHPR", 6: "MTPR", 7: "TXMT", 8: "RXMT", 9: "ACLO"}
"""What stands at a pin of ICHIS, in letters and digits alone; 10 to 20 are reserved."""

FEED_PINS = (1, 2)
COMMON_PINS = (3, 4)

SIGNALS = {"ch_pr": 5, "mt_pr": 6, "ac_lo": 9}
"""The ICHIS signals that a bench may read, by the role of the sense line."""

ACTIVE_HIGH = {"ch_pr": False, "mt_pr": False, "ac_lo": True}


def header_label(pin: int) -> str:
    """What stands at a pin of the header."""
    return POWER.get(pin) or f"GPIO{GPIO_AT[pin]}"


def plain(label: str) -> str:
    """A pin's label in capital letters and digits alone: 'AC LO' and 'ac_lo' are the same."""
    return "".join(c for c in label.upper() if c.isalnum())
