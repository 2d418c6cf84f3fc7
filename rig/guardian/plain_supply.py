"""A supply without its driver: ask whether its output is off, and switch it off. Nothing else.

Over its socket or its serial port directly; where only a VISA library speaks its wire, through a process of its own
(`rig.guardian.visa_hand`) that is ended when it takes too long. The connection is opened for one exchange and closed
again: some supplies take one only, and the controller wants it. The texts come from the supply's driver (`SupplySpec`).
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time

from rig.errors import LinkError, Where
from rig.guardian.charge import HAND_S, SupplySpec
from rig.guardian.strict import to_json
from rig.instruments.wires import SerialWire, SocketWire

_LONGEST_REPLY = 4096


def reach(supply: SupplySpec) -> str:
    """What the supply says to the question whether its output is off. Raises LinkError when it cannot be reached."""
    return shown(supply, _exchange(supply, asks_only=True))


def switch_off(supply: SupplySpec) -> str:
    """Switch off, and what the supply then says. Raises LinkError unless that means off."""
    reply = _exchange(supply, asks_only=False)
    if not says_off(supply, reply):
        expected = " or ".join(supply.says_off) if supply.off_bit is None else f"bit {supply.off_bit} clear"
        where = Where(found=shown(supply, reply), expected=expected)
        raise LinkError(f"supply {supply.name} is not off after {supply.off!r}", where)
    return shown(supply, reply)


def says_off(supply: SupplySpec, reply: bytes) -> bool:
    """Whether this answer means that the output is off; what cannot be understood does not."""
    if supply.off_bit is None:
        return reply.decode("latin-1").strip().upper() in supply.says_off
    if supply.reply_bytes == 1:
        return len(reply) == 1 and not reply[0] >> supply.off_bit & 1
    with contextlib.suppress(ValueError):
        return not int(reply.decode("latin-1"), 0) >> supply.off_bit & 1
    return False


def shown(supply: SupplySpec, reply: bytes) -> str:
    """An answer for people."""
    return f"0x{reply.hex()}" if supply.reply_bytes is not None else reply.decode("latin-1").strip()


def _exchange(supply: SupplySpec, *, asks_only: bool) -> bytes:
    try:
        return _by_hand(supply, asks_only) if supply.by_hand else _directly(supply, asks_only)
    except OSError as error:
        why = f"supply {supply.name} cannot be reached at {supply.at.place}: {error.strerror or error}"
        raise LinkError(why) from error


def _directly(supply: SupplySpec, asks_only: bool) -> bytes:
    at = supply.at
    if at.device is not None:
        wire: SocketWire | SerialWire = SerialWire(at.device, supply.line, settles_s=0.0)
    else:
        wire = SocketWire(str(at.host), int(at.port or 0))
    ender = threading.Timer(supply.answer_s, wire.abort)  # however slowly the bytes may come
    ender.daemon = True
    ender.start()
    try:
        wire.open(supply.timeout_s)
        if not asks_only:
            wire.write(f"{supply.off}{supply.ends}".encode("ascii"))
            time.sleep(supply.pause_s)
        wire.write(f"{supply.question}{supply.ends}".encode("ascii"))
        reply = wire.read_line() if supply.reply_bytes is None else bytes(wire.read(supply.reply_bytes))
    finally:
        ender.cancel()
        wire.close()
    if len(reply) > _LONGEST_REPLY:
        raise LinkError(f"supply {supply.name}: this is no answer", Where(found=repr(reply[:40])))
    return reply


def _by_hand(supply: SupplySpec, asks_only: bool) -> bytes:
    order = json.dumps({"supply": to_json(supply), "asks_only": asks_only})
    command = [sys.executable, "-m", "rig.guardian.visa_hand"]
    bound_s = supply.answer_s + HAND_S
    try:
        done = subprocess.run(command, input=order.encode(), capture_output=True, timeout=bound_s, check=False)  # noqa: S603 - our own program
    except subprocess.TimeoutExpired:
        raise LinkError(f"supply {supply.name}: no answer within {bound_s:g} s") from None
    if done.returncode != 0:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it ended without a word"]
        raise LinkError(f"supply {supply.name} cannot be reached at {supply.at.place}: {why[-1]}")
    return done.stdout
