"""What starts an activation outside of the rig, as a process of its own: `HOST:PORT FIRMWARE`, image and start."""

from __future__ import annotations

import sys

from rig import firmware
from rig.clock.system import SystemClock
from rig.meters.modbus import ModbusMeter
from rig.meters.modbus_link import TcpLink
from rig.meters.profile import load_profile


def main() -> None:
    host, _, port = sys.argv[1].rpartition(":")
    fixture = firmware.load(sys.argv[2])
    image, image_hash, clock = fixture.image_bytes(), bytes.fromhex(fixture.sha256), SystemClock()
    meter = ModbusMeter(TcpLink("meter", host, int(port), 1, clock, 60.0), load_profile("synthetic-esme"), clock)
    meter.transfer(image, lambda done, total: None)
    meter.verify(image_hash, len(image))
    meter.activate(image_hash, len(image))
    meter.close()


if __name__ == "__main__":
    main()
