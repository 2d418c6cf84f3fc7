"""Meters: the small port (`port`), and how one is spoken to. Knows no bench and no procedure.

Drivers: `modbus`, `iec62056`, `dlms`; what a maker's meter is stands in `profile`s. An activation that is started
elsewhere: `outside`, `command`, `desk`. Meters of other packages: `plugins`.
"""
