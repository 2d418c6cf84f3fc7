"""Associations of the twin's meter: AARQ and AARE (IEC 62056-53, 7), LLS and HLS, ciphering of security suite 0.

One `Association` for each link. Knows no objects but by its `Services`, and no frames.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rig.meters.dlms.axdr import NoData, Source, length
from rig.twin.dlms.gcm import TAG_BYTES, Gcm
from rig.twin.dlms.objects import Objects
from rig.twin.dlms.services import Code, Services, exception

NONE, LOW, HIGH, MD5, SHA1, GMAC, SHA256 = 0, 1, 2, 3, 4, 5, 6
"""Authentication mechanisms (Green Book 9.2.2.2.2)."""
_OID = bytes.fromhex("60857405")
_PLAIN, _CIPHERED = _OID + b"\x08\x01\x01", _OID + b"\x08\x01\x03"
"""Application contexts: logical names, without and with ciphering."""
_AUTHENTICATION_FAILED, _AUTHENTICATION_REQUIRED, _NO_CONTEXT, _NO_MECHANISM = 13, 14, 2, 11
CONFORMANCE = 1 << (23 - 11) | 1 << (23 - 12) | 1 << (23 - 13) | 1 << (23 - 19) | 1 << (23 - 20) | 1 << (23 - 23)
"""Block transfer with get, set and action; get, set, action (bits of the conformance block)."""
LONGEST_APDU = 2048
_AARQ, _AARE, _RLRQ, _RLRE = 0x60, 0x61, 0x62, 0x63
_GLO_INITIATE, _GLO_INITIATED = 0x21, 0x28
_GLO = {0xC8: 0xC0, 0xC9: 0xC1, 0xCB: 0xC3}
"""Globally ciphered requests, and what is inside; an answer's tag is four more, on both sides."""
_GENERAL = 0xDB
"""Generally ciphered (general-glo-ciphering), both ways: any of the three inside, the sender's title in front. Not
offered; but there are clients that speak nothing else."""
_SECURED = 0x30
_CHALLENGE_BYTES = 16


@dataclass(frozen=True)
class Client:
    """What one client (by its address) must show. `secret`: its password, or the secret of its HLS."""

    mechanism: int = NONE
    secret: bytes = b""
    ciphered: bool = False


@dataclass(frozen=True)
class Security:
    """The meter's clients, its system title and the keys of security suite 0."""

    clients: Mapping[int, Client]
    title: bytes
    encryption_key: bytes = bytes(16)
    authentication_key: bytes = bytes(16)


class Counters:
    """Invocation counters: they outlive an association. `seen` is the last of each client's system title."""

    def __init__(self) -> None:
        self.seen: dict[bytes, int] = {}
        self.own = 0


class Association:
    """One link's. `challenge`: fresh bytes for HLS."""

    def __init__(
        self, objects: Objects, security: Security, counters: Counters, challenge: Callable[[], bytes]
    ) -> None:
        self._objects = objects
        self._security = security
        self._counters = counters
        self._challenge = challenge
        self.close()

    def close(self) -> None:
        """The link went: so did the association."""
        self._services: Services | None = None
        self._client: Client | None = None
        self._settled = False
        self._title = b""
        self._challenges = (b"", b"")

    def answer(self, client: int, apdu: bytes) -> bytes:
        """The answer to one APDU of this client (its address)."""
        if not apdu:
            return exception(2, Code.OTHER_REASON)
        tag = apdu[0]
        if tag == _AARQ:
            return self._open(client, apdu)
        if tag == _RLRQ:
            self.close()
            return bytes([_RLRE, 3, 0x80, 1, 0])
        if self._services is None or self._client is None:
            return exception(1, Code.OPERATION_NOT_POSSIBLE)
        if not self._client.ciphered:
            return self._serve(apdu)
        if tag not in _GLO and tag != _GENERAL:
            return exception(1, Code.DECIPHERING)
        return self._ciphered(tag, apdu)

    def _serve(self, apdu: bytes) -> bytes:
        """Before HLS is through, only the client's answer to the challenge is heard."""
        services = self._services
        if services is None or (not self._settled and (apdu[0] != 0xC3 or apdu[3:5] != b"\0\x0f")):
            return exception(1, Code.OPERATION_NOT_POSSIBLE)
        return services.answer(apdu)

    # -- ciphering ---------------------------------------------------------------------------------

    def _ciphered(self, tag: int, apdu: bytes) -> bytes:
        try:
            source = Source(apdu[1:])
            title = source.take(source.length()) if tag == _GENERAL else b""
            plain = self._opened(source.take(source.length()), title)
        except NoData:
            return exception(1, Code.DECIPHERING)
        if isinstance(plain, int):
            return exception(1, Code.INVOCATION_COUNTER, plain)
        if not plain or plain[0] not in ([_GLO[tag]] if tag in _GLO else _GLO.values()):
            return exception(1, Code.DECIPHERING)
        answer = self._serve(plain)
        if answer[0] == 0xD8:
            return answer
        return self._sealed(tag + 4 if tag in _GLO else tag, answer)

    def _opened(self, body: bytes, title: bytes = b"") -> bytes | int:
        """The plain APDU, or the counter that is expected where the one that came was used already. `title`: the
        sender's, where it is said again."""
        if title not in (b"", self._title):
            raise NoData("another client's title")
        source = Source(body)
        control, counter_bytes = source.byte(), source.take(4)
        if control != _SECURED or source.left < TAG_BYTES:
            raise NoData("not secured as suite 0 has it, authenticated and encrypted")
        sealed, tag = source.take(source.left - TAG_BYTES), source.rest()
        counter, least = struct.unpack(">I", counter_bytes)[0], self._counters.seen.get(self._title, -1) + 1
        if counter < least:
            return least
        key = Gcm(self._security.encryption_key)
        associated = bytes([control]) + self._security.authentication_key
        plain = key.open(self._title + counter_bytes, sealed, associated, tag)
        if plain is None:
            raise NoData("the tag is wrong")
        self._counters.seen[self._title] = counter
        return plain

    def _sealed(self, tag: int, plain: bytes) -> bytes:
        self._counters.own += 1
        counter = struct.pack(">I", self._counters.own)
        key = Gcm(self._security.encryption_key)
        associated = bytes([_SECURED]) + self._security.authentication_key
        sealed, check = key.seal(self._security.title + counter, plain, associated)
        body = bytes([_SECURED]) + counter + sealed + check
        title = length(len(self._security.title)) + self._security.title if tag == _GENERAL else b""
        return bytes([tag]) + title + length(len(body)) + body

    # -- AARQ --------------------------------------------------------------------------------------

    def _open(self, client: int, apdu: bytes) -> bytes:
        self.close()
        try:
            fields = _fields(apdu)
            wanted = self._security.clients.get(client)
            if wanted is None:
                return self._rejected(_AUTHENTICATION_FAILED)
            context = _CIPHERED if wanted.ciphered else _PLAIN
            if fields.get(0xA1, b"")[2:] != context:
                return self._rejected(_NO_CONTEXT)
            self._title = fields.get(0xA6, b"")[2:]
            problem = _mechanism_problem(wanted, fields)
            if problem is not None:
                return self._rejected(problem)
            initiate = Source(fields.get(0xBE, b"")[2:]).rest()
            if wanted.ciphered:
                opened = self._initiate_opened(initiate)
                if isinstance(opened, int):
                    return exception(1, Code.INVOCATION_COUNTER, opened)
                initiate = opened
            conformance, longest = _initiate(initiate)
        except NoData:
            return self._rejected(1)
        self._client = wanted
        self._settled = wanted.mechanism in (NONE, LOW)
        if not self._settled:
            self._challenges = (fields.get(0xAC, b"")[2:], self._challenge())
        self._services = Services(self._objects, min(longest or LONGEST_APDU, LONGEST_APDU), self._reply_to_hls)
        return self._accepted(context, conformance)

    def _initiate_opened(self, initiate: bytes) -> bytes | int:
        source = Source(initiate)
        if source.byte() != _GLO_INITIATE or len(self._title) != 8:
            raise NoData("not ciphered")
        return self._opened(source.take(source.length()))

    def _rejected(self, diagnostic: int) -> bytes:
        self.close()
        return _aare(_PLAIN, 1, diagnostic, b"", b"")

    def _accepted(self, context: bytes, conformance: int) -> bytes:
        client = self._client or Client()
        agreed = struct.pack(">I", conformance & CONFORMANCE)[1:]
        initiated = b"\x08\x00\x06\x5f\x1f\x04\x00" + agreed + struct.pack(">H", LONGEST_APDU) + b"\x00\x07"
        if client.ciphered:
            initiated = self._sealed(_GLO_INITIATED, initiated)
        extra = b""
        if client.ciphered or client.mechanism in (GMAC, SHA256):
            extra += b"\xa4\x0a\x04\x08" + self._security.title
        if not self._settled:
            stoc = self._challenges[1]
            extra += b"\x88\x02\x07\x80\x89\x07" + _OID + bytes([8, 2, client.mechanism])
            extra += bytes([0xAA, len(stoc) + 2, 0x80, len(stoc)]) + stoc
        return _aare(context, 0, 0 if self._settled else _AUTHENTICATION_REQUIRED, extra, initiated)

    # -- HLS ---------------------------------------------------------------------------------------

    def _reply_to_hls(self, answer: bytes) -> bytes | None:
        """What the client made of our challenge is checked; ours of its own is the reply. None: it is wrong."""
        if self._settled or self._client is None:
            return None
        theirs, ours = self._challenges
        title, client = self._security.title, self._client
        if client.mechanism == GMAC:
            counter = answer[1:5]
            if not hmac.compare_digest(answer, self._gmac(self._title, counter, ours)):
                return None
            self._counters.own += 1
            reply = self._gmac(title, struct.pack(">I", self._counters.own), theirs)
        else:
            wanted = _digest(client, self._title, title, ours, theirs)
            if not hmac.compare_digest(answer, wanted):
                return None
            reply = _digest(client, title, self._title, theirs, ours)
        self._settled = True
        return reply

    def _gmac(self, title: bytes, counter: bytes, challenge: bytes) -> bytes:
        control = b"\x10"
        associated = control + self._security.authentication_key + challenge
        _, tag = Gcm(self._security.encryption_key).seal(title + counter, b"", associated)
        return control + counter + tag


def _digest(client: Client, sender: bytes, receiver: bytes, challenge: bytes, other: bytes) -> bytes:
    """Green Book 9.2.7.4: MD5 and SHA-1 of challenge and secret; SHA-256 of more."""
    if client.mechanism == SHA256:
        return hashlib.sha256(client.secret + sender + receiver + challenge + other).digest()
    make = hashlib.md5 if client.mechanism == MD5 else hashlib.sha1
    return make(challenge + client.secret, usedforsecurity=False).digest()


def _mechanism_problem(wanted: Client, fields: Mapping[int, bytes]) -> int | None:
    named = fields.get(0x8B)
    mechanism = NONE if named is None else named[-1] if named[:-1] == _OID + b"\x08\x02" else -1
    if mechanism != wanted.mechanism:
        return _NO_MECHANISM if wanted.mechanism == NONE or mechanism != NONE else _AUTHENTICATION_REQUIRED
    shown = fields.get(0xAC, b"")[2:]
    if wanted.mechanism == LOW and not hmac.compare_digest(shown, wanted.secret):
        return _AUTHENTICATION_FAILED
    if wanted.mechanism > LOW and len(shown) < 8:
        return _AUTHENTICATION_FAILED
    return None


def _fields(apdu: bytes) -> dict[int, bytes]:
    """The fields of an AARQ by their tags. Raises NoData."""
    source = Source(apdu[1:])
    inner = Source(source.take(source.length()))
    fields = {}
    while inner.left:
        tag = inner.byte()
        fields[tag] = inner.take(inner.length())
    return fields


def _initiate(data: bytes) -> tuple[int, int]:
    """The conformance block and the longest APDU of an xDLMS initiate request. Raises NoData."""
    source = Source(data)
    if source.byte() != 1:
        raise NoData("no initiate request")
    if source.byte():
        source.take(source.length())
    for _ in range(2):
        if source.byte():
            source.byte()
    if source.byte() != 6 or source.take(3) != b"\x5f\x1f\x04":
        raise NoData("no such version")
    return int.from_bytes(source.take(4), "big"), int.from_bytes(source.take(2), "big")


def _aare(context: bytes, result: int, diagnostic: int, extra: bytes, initiated: bytes) -> bytes:
    body = b"\xa1\x09\x06\x07" + context + b"\xa2\x03\x02\x01" + bytes([result])
    body += b"\xa3\x05\xa1\x03\x02\x01" + bytes([diagnostic]) + extra
    if initiated:
        body += b"\xbe" + length(len(initiated) + 1 + len(length(len(initiated))))
        body += b"\x04" + length(len(initiated)) + initiated
    return bytes([_AARE]) + length(len(body)) + body
