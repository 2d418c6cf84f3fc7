"""A DP832 for lewis: its stream adapter cuts the lines and matches them."""

from dp832 import DP832
from lewis.adapters.stream import Cmd, StreamInterface
from lewis.devices import Device


class SimulatedDP832(Device):
    def __init__(self):
        super().__init__()
        self.instrument = DP832()


class DP832StreamInterface(StreamInterface):
    commands = frozenset(
        Cmd(name, pattern, argument_mappings=(bytes.decode,))
        for name, pattern in (("ask", r"^([^?]+\?.*)$"), ("tell", r"^([^?]+)$"))
    )
    in_terminator = "\n"
    out_terminator = "\n"

    def ask(self, line):
        return self.device.instrument.answer(line)

    def tell(self, line):
        self.device.instrument.answer(line)
