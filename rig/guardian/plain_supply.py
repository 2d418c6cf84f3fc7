"""A supply over a plain socket: ask whether its output is off, and switch it off. Nothing else, and no library.

The connection is opened for one exchange and closed again: some supplies take one socket only, and the controller wants
it. The texts come from the supply's driver (`SupplySpec`).
"""

from __future__ import annotations

import contextlib
import socket
import time

from rig.errors import LinkError, Where
from rig.guardian.charge import SupplySpec

_LONGEST_REPLY = 4096


def reach(supply: SupplySpec) -> str:
    """What the supply says to the question whether its output is off. Raises LinkError when it cannot be reached."""
    return _exchange(supply, (supply.question,))


def switch_off(supply: SupplySpec) -> str:
    """Switch off, and what the supply then says. Raises LinkError unless that means off."""
    reply = _exchange(supply, (supply.off, supply.question))
    if reply.upper() not in supply.says_off:
        expected = " or ".join(supply.says_off)
        raise LinkError(f"supply {supply.name} is not off after {supply.off!r}", Where(found=reply, expected=expected))
    return reply


def _exchange(supply: SupplySpec, lines: tuple[str, ...]) -> str:
    deadline = time.monotonic() + supply.timeout_s
    try:
        with contextlib.closing(socket.create_connection((supply.host, supply.port), supply.timeout_s)) as link:
            link.sendall("".join(f"{line}\n" for line in lines).encode("ascii"))
            reply = b""
            while not reply.endswith(b"\n"):
                link.settimeout(max(0.001, deadline - time.monotonic()))
                chunk = link.recv(_LONGEST_REPLY)
                if not chunk or len(reply) > _LONGEST_REPLY:
                    raise LinkError(f"supply {supply.name}: half a reply", Where(found=repr(reply[:40])))
                reply += chunk
    except OSError as error:
        place = f"{supply.host}:{supply.port}"
        raise LinkError(f"supply {supply.name} cannot be reached at {place}: {error.strerror or error}") from error
    return reply.decode("latin-1").strip()
