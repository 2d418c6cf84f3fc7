"""AES-128-GCM with 12-byte nonces and tags of 12 bytes, as DLMS security suite 0 has it. For the twin only: slow, and
not hardened against who measures its time. FIPS 197; NIST SP 800-38D.
"""

from __future__ import annotations

import hmac

TAG_BYTES = 12
_R = 0xE1 << 120


def _times_two(byte: int) -> int:
    return (byte << 1 ^ (0x1B if byte & 0x80 else 0)) & 0xFF


def _make_sbox() -> tuple[int, ...]:
    p = q = 1
    box = [0] * 256
    while True:
        p ^= _times_two(p)
        q ^= q << 1
        q ^= q << 2
        q = (q ^ q << 4) & 0xFF
        if q & 0x80:
            q ^= 0x09
        box[p] = (q ^ _turned(q, 1) ^ _turned(q, 2) ^ _turned(q, 3) ^ _turned(q, 4)) ^ 0x63
        if p == 1:
            box[0] = 0x63
            return tuple(box)


def _turned(byte: int, by: int) -> int:
    return (byte << by | byte >> (8 - by)) & 0xFF


_SBOX = _make_sbox()


class Gcm:
    """One key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 16:
            raise ValueError("a key of 16 bytes")
        self._rounds = _expanded(key)
        self._h = int.from_bytes(self._block(bytes(16)), "big")

    def seal(self, nonce: bytes, plain: bytes, associated: bytes) -> tuple[bytes, bytes]:
        """The ciphertext and its tag."""
        sealed = self._stream(nonce, plain)
        return sealed, self._tag(nonce, sealed, associated)

    def open(self, nonce: bytes, sealed: bytes, associated: bytes, tag: bytes) -> bytes | None:
        """The plain text; None when the tag is wrong."""
        if not hmac.compare_digest(self._tag(nonce, sealed, associated), tag):
            return None
        return self._stream(nonce, sealed)

    def _stream(self, nonce: bytes, data: bytes) -> bytes:
        out = bytearray()
        for at in range(0, len(data), 16):
            pad = self._block(nonce + (at // 16 + 2).to_bytes(4, "big"))
            out += bytes(a ^ b for a, b in zip(data[at : at + 16], pad, strict=False))
        return bytes(out)

    def _tag(self, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        y = 0
        lengths = (8 * len(associated)).to_bytes(8, "big") + (8 * len(sealed)).to_bytes(8, "big")
        for part in (associated, sealed, lengths):
            for at in range(0, len(part), 16):
                y = self._times_h(y ^ int.from_bytes(part[at : at + 16].ljust(16, b"\0"), "big"))
        first = int.from_bytes(self._block(nonce + b"\0\0\0\1"), "big")
        return (y ^ first).to_bytes(16, "big")[:TAG_BYTES]

    def _times_h(self, x: int) -> int:
        z, v = 0, self._h
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                z ^= v
            v = v >> 1 ^ (_R if v & 1 else 0)
        return z

    def _block(self, data: bytes) -> bytes:
        state = [a ^ b for a, b in zip(data, self._rounds[0], strict=True)]
        for number, key in enumerate(self._rounds[1:], 1):
            state = [_SBOX[state[(at + 4 * (at % 4)) % 16]] for at in range(16)]
            if number < len(self._rounds) - 1:
                state = _mixed(state)
            state = [a ^ b for a, b in zip(state, key, strict=True)]
        return bytes(state)


def _mixed(state: list[int]) -> list[int]:
    out = []
    for column in range(0, 16, 4):
        a = state[column : column + 4]
        every = a[0] ^ a[1] ^ a[2] ^ a[3]
        out += [a[i] ^ every ^ _times_two(a[i] ^ a[(i + 1) % 4]) for i in range(4)]
    return out


def _expanded(key: bytes) -> list[bytes]:
    words = [key[at : at + 4] for at in range(0, 16, 4)]
    round_constant = 1
    for at in range(4, 44):
        word = words[-1]
        if at % 4 == 0:
            word = bytes(_SBOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ round_constant]) + word[1:]
            round_constant = _times_two(round_constant)
        words.append(bytes(a ^ b for a, b in zip(words[at - 4], word, strict=True)))
    return [b"".join(words[at : at + 4]) for at in range(0, 44, 4)]
