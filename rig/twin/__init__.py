"""The twin: a bench of physics, with faces that speak as instruments and a meter do, behind real wires.

`world` is the model (`rail_model`, `meter`, `devices`, `noise`); `supplies`, `scopes`, `modbus`, `optical`, `dlms`,
`relay_board` and `gpio` are faces, which know no physics; `wire`, `serial_wire` and `line_server` carry them. `rack`
puts a twin together, `bench` on a virtual clock, `serving` on the system's. `faults`: what can go wrong.
"""
