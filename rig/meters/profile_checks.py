"""What no single key of a profile shows: values that overlap, blocks cut in half, credentials nobody declared. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rig.meters.profile import HASH_WORDS, MOST_WRITTEN, SIZE_WORDS, Profile, Value, Write
from rig.toml_file import Key, did_you_mean
from rig.toml_model import Fault


def faults(profile: Profile) -> Iterator[Fault]:
    """All contradictions, most important first."""
    yield from _credentials(profile)
    yield from _writes(profile)
    yield from _overlaps(profile)
    yield from _wholes(profile)
    yield from _kinds(profile)


def values(profile: Profile) -> Iterator[tuple[Key, Value]]:
    """Every value that is read, and where it stands in the file."""
    for name in ("maker", "model", "serial"):
        value = getattr(profile.identity, name)
        if isinstance(value, Value):
            yield ("identity", name), value
    for index, part in enumerate(profile.version.parts):
        yield ("version", "parts", index), part
    if profile.status is not None:
        yield ("status", "value"), profile.status.value
    if profile.uptime is not None:
        yield ("uptime",), profile.uptime
    if profile.image is not None and profile.image.received is not None:
        yield ("image", "received"), profile.image.received
    if profile.log is not None:
        yield ("log", "count"), profile.log.count


def _named_writes(profile: Profile) -> Iterator[tuple[Key, Write]]:
    if profile.image is not None:
        for index, write in enumerate(profile.image.verify):
            yield ("image", "verify", index), write
    for index, write in enumerate(profile.activation):
        yield ("activation", index), write


def _credentials(profile: Profile) -> Iterator[Fault]:
    known = list(profile.credentials)
    used = set()
    for key, write in _named_writes(profile):
        name = write.credential
        if name is None:
            continue
        used.add(name)
        if name not in known:
            expected = f"one of [credentials]: {', '.join(known)}" if known else "a table [credentials] with it"
            yield Fault((*key, "credential"), f"unknown credential{did_you_mean(name, known)}", repr(name), expected)
    for name in known:
        if name not in used:
            yield Fault(("credentials", name), "no write uses this credential", repr(name), "a write that names it")


def _writes(profile: Profile) -> Iterator[Fault]:
    for key, write in _named_writes(profile):
        count = write_words(profile, write)
        if write.function == 6 and count != 1:
            yield Fault((*key, "credential"), "function 6 writes one register", f"{count} words", "1, or function 16")
        if count > MOST_WRITTEN:
            yield Fault((*key,), "too long for one write", f"{count} registers", f"at most {MOST_WRITTEN}")
        if write.register_ + count > 0x10000:
            found = f"{write.register_} and {count} words"
            yield Fault((*key, "register"), "writes past the last register", found, f"at most {0x10000 - count}")


def write_words(profile: Profile, write: Write) -> int:
    """How many registers a write takes (coils count as one)."""
    if write.credential is not None:
        declared = profile.credentials.get(write.credential)
        return declared.count if declared is not None else 1
    if write.image is not None:
        return sum({"sha256": HASH_WORDS, "size": SIZE_WORDS}[part] for part in write.image)
    return len(write.value) if isinstance(write.value, list) and write.function == 16 else 1


def _overlaps(profile: Profile) -> Iterator[Fault]:
    """Two values that share some registers but not all: one of the addresses or lengths is wrong."""
    seen: list[tuple[Key, Value]] = []
    for key, value in values(profile):
        for other_key, other in seen:
            shares = value.span.start < other.span.stop and other.span.start < value.span.stop
            if shares and value.function == other.function and value.span != other.span:
                yield Fault(key, f"overlaps {_name(other_key)}", _words(value.span), f"not {_words(other.span)}")
        seen.append((key, value))
    if profile.log is not None:
        log = profile.log
        entries = range(log.register_, log.register_ + log.words * log.entries)
        for key, value in seen:
            if value.function == 3 and value.span.start < entries.stop and entries.start < value.span.stop:
                message = f"the entries overlap {_name(key)}"
                yield Fault(("log", "register"), message, _words(entries), "other registers")


def _wholes(profile: Profile) -> Iterator[Fault]:
    """A value is inside a whole or outside of it; half of it would never be read."""
    for index, whole in enumerate(profile.whole):
        if whole.span.stop > 0x10000:
            yield Fault(("whole", index), "reads past the last register", _words(whole.span), "up to 65535")
        for key, value in values(profile):
            inside = whole.span.start <= value.span.start and value.span.stop <= whole.span.stop
            apart = value.span.stop <= whole.span.start or whole.span.stop <= value.span.start
            if value.function == whole.function and not inside and not apart:
                found, expected = _words(value.span), f"all of it within {_words(whole.span)}"
                yield Fault(key, "over-reads the registers that are only read as a whole", found, expected)


def _kinds(profile: Profile) -> Iterator[Fault]:
    numbers: list[tuple[Key, Value | None]] = [
        (("uptime",), profile.uptime),
        (("status", "value"), profile.status.value if profile.status else None),
        (("image", "received"), profile.image.received if profile.image else None),
        (("log", "count"), profile.log.count if profile.log else None),
    ]
    for key, value in numbers:
        if value is not None and not value.is_number:
            yield Fault((*key, "type"), "must be a number", repr(value.type), "a type such as uint16 or float32")
    if profile.image is not None and profile.status is None:
        yield Fault(("image",), "nothing would tell whether the image was verified", "no [status]", "a table [status]")


def _name(key: Key) -> str:
    return ".".join(str(part) for part in key)


def _words(span: range) -> str:
    return f"registers {span.start} to {span.stop - 1}" if len(span) > 1 else f"register {span.start}"
