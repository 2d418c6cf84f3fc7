"""Instruments: small ports (`ports`), a driver for each family, and the links under them. Knows no bench.

`supplies`, `scopes`: the drivers, which `catalogue` lists. `relays`, `modbus_coil`, `sense`, `line_client`: what is no
SCPI. `link`, `byte_link` and `unended` are safe against silence; `wires` and `visa_wires` carry their bytes.
"""
