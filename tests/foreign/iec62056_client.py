"""Reads a meter with the client of the package iec62056-21, which speaks mode C on TCP. Run by tests in a process.

HOST PORT DEVICE PASSWORD ADDRESS... Prints one line for each address: `ADDRESS VALUE UNIT`, and the readout before.
"""

from __future__ import annotations

import sys

from iec62056_21.client import Iec6205621Client
from iec62056_21.messages import CommandMessage, DataSet

host, port, device, password, *addresses = sys.argv[1:]
client = Iec6205621Client.with_tcp_transport((host, int(port)), device_address=device, password=password)
client.connect()
readout = client.standard_readout()
for data_set in readout.data:
    print("readout", data_set.address, data_set.value)
client.disconnect()
client.connect()
client.access_programming_mode()
print("identification", client.manufacturer_id, client.switchover_baudrate_char, client.identification)
# its own send_password makes a data set without an address, which its own class refuses
data_set = DataSet(address="", value=password)
client.transport.send(CommandMessage(command="P", command_type=1, data_set=data_set).to_bytes())
print("password", client._recv_ack() == "\x06")
for address in addresses:
    found = client.read_single_value(address)
    print(found.address, found.value, found.unit)
client.send_break()
client.disconnect()
