"""A meter on DLMS/COSEM, opened as its table says. No secret is in a bench file: they are credentials.

`password` (low-level security, or the secret of a high-level one), `encryption_key` and `authentication_key` (suite 0:
32 hexadecimal digits each).
"""

from __future__ import annotations

import re
from pathlib import Path

from rig.bench.dlms_table import DlmsPart
from rig.clock import Clock
from rig.errors import InputError, Where
from rig.meters.credentials import Credentials, variable
from rig.meters.dlms.client import AssociationSettings, DlmsClient, Keys, load_gurux
from rig.meters.dlms.counter import FrameCounter
from rig.meters.dlms.link import Link
from rig.meters.dlms.meter import DlmsMeter, Schedule
from rig.meters.dlms.opening import Addresses, Serial, serial_link, tcp_link
from rig.meters.dlms.profile import load_profile
from rig.meters.iec62056.sign_on import SignOn
from rig.recording import Taps

_KEY = re.compile(r"[0-9A-Fa-f]{32}")
_AES_KEY_BYTES = 16
"""`high` (mechanism 2) is the maker's own by the Green Book; what is common is AES-128 (ECB) of the challenge."""
COUNTERS = "dlms"
"""The folder of invocation counters, in the rig's state folder."""


def open_dlms(name: str, table: DlmsPart, clock: Clock, state: Path, taps: Taps | None = None) -> DlmsMeter:
    """The meter; nothing is sent yet. `state`: the folder in which invocation counters are kept. `taps` hear its link.

    Raises InputError for a profile or credential that there is not, or where gurux-dlms is not installed.
    """
    load_gurux()
    profile = load_profile(table.profile, "meter.profile")
    if table.image_object is not None:
        image = profile.image.model_copy(update={"obis": table.image_object})
        profile = profile.model_copy(update={"image": image})
    title = bytes.fromhex(table.title or "")
    settings = AssociationSettings(
        table.client, table.server, table.authentication, table.ciphered, title if table.secured else b""
    )
    counter = FrameCounter(state / COUNTERS / f"{title.hex() or 'none'}.counter")
    link, keys = _link(name, table, clock), _keys(table)
    if taps is not None:
        link.record(taps.tap(name, clock.now, keys.spelled()))
    client = DlmsClient(link, settings, keys, counter)
    schedule = Schedule(table.schedule_s) if table.activate == "schedule" else None
    return DlmsMeter(client, profile, clock, schedule)


def _link(name: str, table: DlmsPart, clock: Clock) -> Link:
    who = Addresses(table.client, table.server, table.physical)
    if table.address is not None:
        host, _, port = table.address.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")  # an IPv6 address stands in brackets
        return tcp_link(name, (host, int(port)), who, clock, table.timeout_s)
    how = None
    if table.sign_on == "mode-e":
        how = SignOn(table.device, table.first_baud, table.baud, table.wake_up)
    line = Serial(table.port or "", table.baud, how)
    return serial_link(name, line, who, (table.information_bytes, table.window), clock, table.timeout_s)


def _keys(table: DlmsPart) -> Keys:
    known = Credentials(None if table.credentials_file is None else Path(table.credentials_file).expanduser())
    password = known.get("password").reveal() if table.needs_password else ""
    if not password.isascii():
        raise InputError("a DLMS password is ASCII", Where(key=variable("password")))
    if table.authentication == "high" and len(password) > _AES_KEY_BYTES:
        where = Where(key=variable("password"), expected=f"at most {_AES_KEY_BYTES} characters")
        raise InputError("too long for the AES-128 key of authentication 'high'", where)
    keys = {}
    for each in ("encryption_key", "authentication_key"):
        keys[each] = b""
        if table.needs_keys:
            text = known.get(each).reveal()
            if _KEY.fullmatch(text) is None:
                where = Where(key=variable(each), expected="32 hexadecimal digits")
                raise InputError("no key of security suite 0", where)
            keys[each] = bytes.fromhex(text)
    return Keys(password.encode("ascii"), keys["encryption_key"], keys["authentication_key"])
