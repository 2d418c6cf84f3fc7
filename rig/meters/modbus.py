"""A meter on Modbus, TCP or RTU, as its profile says: which registers tell what, and which writes activate.

Knows the steps and the profile; the exchanges are in `rig.meters.modbus_link`. Writes are never repeated.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping

from rig.clock import Clock
from rig.errors import InputError, LinkError, Where
from rig.meters.actions import send_all, verified
from rig.meters.credentials import Secret
from rig.meters.modbus_link import ACKNOWLEDGE, ExceptionReply, ModbusLink
from rig.meters.modbus_rtu import Probe
from rig.meters.port import Abilities, Activation, ImageState, LogEntry, Meter, MeterIdentity
from rig.meters.profile import MOST_READ, Credential, Profile, Value, Write
from rig.meters.profile_checks import values
from rig.meters.registers import from_number, number, text, to_bytes, to_words

_UPTIME_JUMP_S = 2.0
"""A meter may bring its up-time up to date only every second or so."""
_DECIMAL = r"-?[0-9]{1,20}(\.[0-9]{1,20})?"


class ModbusMeter(Meter):
    """See `rig.meters.port.Meter`. `secrets`: the credentials that the profile names; each is checked to fit here."""

    def __init__(
        self, link: ModbusLink, profile: Profile, clock: Clock, secrets: Mapping[str, Secret] | None = None
    ) -> None:
        """Raises InputError for a credential that its registers cannot hold."""
        super().__init__()
        self.name = link.name
        image = profile.image
        self.abilities = Abilities(transfer=image is not None, resume=image is not None and image.received is not None)
        self._link = link
        self._profile = profile
        self._clock = clock
        self._secrets = {name: _credential_words(profile.credentials[name], s) for name, s in (secrets or {}).items()}
        self._begun: bytes | None = None
        """The image of which the meter already has a part."""

    def secret_bytes(self) -> tuple[bytes, ...]:
        """Its credentials as they go over the wire, for who must strike them out."""
        return tuple(b"".join(word.to_bytes(2, "big") for word in words) for words in self._secrets.values())

    @property
    def activates(self) -> bool:
        """Whether the profile says how; otherwise it only reads."""
        return bool(self._profile.activation)

    def identity(self) -> MeterIdentity:
        who = self._profile.identity
        return MeterIdentity(*(self._told(each) for each in (who.maker, who.model, who.serial)))

    def introduction(self) -> str:
        """What `identity` and `version` ask for, in words."""
        who = self._profile.identity
        asked = [v for v in (who.maker, who.model, who.serial) if isinstance(v, Value)] + self._profile.version.parts
        reads = dict.fromkeys(_question(self._profile, value) for value in asked)
        found = []
        for function, kind in ((3, "holding"), (4, "input")):
            spans = [f"{at} to {at + words - 1}" for at, words, f in reads if f == function]
            found += [f"read {kind} registers {', '.join(spans)}"] if spans else []
        return "Modbus: " + "; ".join(found)

    def version(self) -> str:
        parts = [self._text(part) for part in self._profile.version.parts]
        return self._profile.version.separator.join(parts)

    def image_state(self) -> ImageState | None:
        status = self._profile.status
        if status is None:
            return None
        code = self._number(status.value)
        state = status.state(code)
        if state is None:
            raise LinkError(f"{self.name}: image status {code:g} is not in the profile '{self._profile.name}'")
        return state

    def uptime_s(self) -> float | None:
        """It moves while it is read, so two readings must follow each other: half of an old value and half of a new one
        do not."""
        where = self._profile.uptime
        if where is None:
            return None
        asked, first = self._clock.now(), self._as_number(where, self._once(where))
        for _ in range(3):
            again, second = self._clock.now(), self._as_number(where, self._once(where))
            passed_s = (self._clock.now() - asked) / 1e9
            if first <= second <= first + passed_s + max(_UPTIME_JUMP_S, self.uptime_step_s()):
                return second
            asked, first = again, second
        raise LinkError(f"{self.name}: register {where.register_} moves while it is read")

    def uptime_step_s(self) -> float:
        return self._profile.uptime.scale if self._profile.uptime is not None else 1.0

    def events(self) -> tuple[LogEntry, ...]:
        log = self._profile.log
        if log is None:
            return ()
        count = min(int(self._number(log.count)), log.entries)
        a_read = MOST_READ // log.words
        entries: list[LogEntry] = []
        for first in range(0, count, a_read):
            some = min(a_read, count - first)
            words = self._link.read(log.register_ + first * log.words, some * log.words, 3)
            for at in range(0, some * log.words, log.words):
                entry = words[at : at + log.words]
                when = None if log.time_at is None else entry[log.time_at] << 16 | entry[log.time_at + 1]
                entries.append(LogEntry(entry[log.code_at], when))
        return tuple(entries)

    # -- the image -----------------------------------------------------------------------------------------------

    def transfer(self, image: bytes, progress: Callable[[int, int], None]) -> None:
        """By file records. A record that was sent and not acknowledged is sent again only in a transfer that goes on:
        it goes to its own place, so a second one changes nothing."""
        plan = self._profile.image
        if plan is None:
            return super().transfer(image, progress)
        data = image + b"\0" * (len(image) % 2)
        has = self._already_there(image)
        self._begun = image
        for at in _records(len(data) // 2, plan.words_a_record, plan.registers_a_file):
            if 2 * at.stop > has:
                file, record = divmod(at.start, plan.registers_a_file)
                self._link.write_record(plan.first_file + file, record, data[2 * at.start : 2 * at.stop])
                progress(min(len(image), 2 * at.stop), len(image))
        return None

    def _already_there(self, image: bytes) -> int:
        """How many bytes of this image the meter holds from an earlier, broken transfer."""
        plan = self._profile.image
        if plan is None or plan.received is None or image != self._begun:
            return 0
        return int(self._number(plan.received))

    def verify(self, image_hash: bytes, size: int) -> ImageState:
        plan = self._profile.image
        if plan is None:
            return super().verify(image_hash, size)
        for write in plan.verify:
            self._clock.sleep(write.before_s)
            self._perform(write, image_hash, size)
            self._clock.sleep(write.after_s)
        state = verified(self, self._clock, plan.verify_s)
        self._begun = None
        return state

    # -- activation ----------------------------------------------------------------------------------------------

    def activate(self, image_hash: bytes, size: int) -> Activation:
        """See `Meter` and `rig.meters.actions`; Modbus's 'acknowledge' is no refusal.

        The link is opened anew and asked a question first: a link that died unnoticed would swallow the command. TCP
        itself may repeat a lost segment later; the instant is that at which it left this program.
        """
        writes = self._profile.activation
        if not writes:
            raise LinkError(f"{self.name}: the profile '{self._profile.name}' has no activation")
        self._link.close()
        if self.image_state() is None:
            self.version()
        self._clock.sleep(writes[0].before_s)
        with self._clock.shielded():  # what has begun is not broken off half way
            return send_all(
                writes, lambda n: self._perform(writes[n], image_hash, size), self._link, self._clock, _is_refusal
            )

    def _perform(self, write: Write, image_hash: bytes, size: int) -> None:
        self._link.write(write.function, write.register_, self._words(write, image_hash, size))

    def _words(self, write: Write, image_hash: bytes, size: int) -> list[int]:
        if write.credential is not None:
            return self._secrets[write.credential]
        if write.image is not None:
            pieces = {"sha256": image_hash, "size": struct.pack(">I", size)}
            return to_words(b"".join(pieces[name] for name in write.image))
        value = write.value
        return [int(v) for v in value] if isinstance(value, list) else [int(value)]  # type: ignore[arg-type]

    # -- reading -------------------------------------------------------------------------------------------------

    def _told(self, value: Value | str | None) -> str:
        return self._text(value) if isinstance(value, Value) else value or ""

    def _number(self, value: Value) -> float:
        return self._as_number(value, self._steady(value))

    def _text(self, value: Value) -> str:
        data = self._steady(value)
        if not value.is_number:
            try:
                return text(value.type, data[value.skip_bytes :])  # type: ignore[arg-type]
            except ValueError as error:
                raise LinkError(f"{self.name}: registers {value.register_} on: {error}") from None
        read = self._raw_number(value, data)
        if value.decimals == 0 and isinstance(read, int):
            return str(read)
        if isinstance(read, int):
            digits = f"{abs(read):0{value.decimals + 1}d}"
            return f"{'-' if read < 0 else ''}{digits[: -value.decimals]}.{digits[-value.decimals :]}"
        return f"{read:.{value.decimals}f}"

    def _as_number(self, value: Value, data: bytes) -> float:
        return self._raw_number(value, data) * value.scale

    def _raw_number(self, value: Value, data: bytes) -> int | float:
        try:
            return number(value.type, data)  # type: ignore[arg-type]
        except ValueError as error:
            raise LinkError(f"{self.name}: registers {value.register_} on: {error}") from None

    def _steady(self, value: Value) -> bytes:
        """Registers that belong together may be read in the middle of a change: so twice, until both are the same."""
        data = self._once(value)
        if value.count == 1:
            return data
        for _ in range(3):
            again = self._once(value)
            if again == data:
                return data
            data = again
        raise LinkError(f"{self.name}: register {value.register_} moves while it is read")

    def _once(self, value: Value) -> bytes:
        register, words, function = _question(self._profile, value)
        read = self._link.read(register, words, function)
        at = value.register_ - register
        return to_bytes(read[at : at + value.count], value.word_order, value.byte_order)

    # -- the link ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        self._link.close()


def probes(profile: Profile) -> list[Probe]:
    """Questions that may be asked at any time, of several lengths: those for the values that the profile reads."""
    return list(dict.fromkeys(_question(profile, value) for _, value in values(profile)))


def _question(profile: Profile, value: Value) -> Probe:
    """The read that brings it (first register, how many, function): its own, or that of the whole it belongs to."""
    for whole in profile.whole:
        if whole.function == value.function and value.register_ in whole.span:
            return whole.register_, whole.words, whole.function
    return value.register_, value.count, value.function


def _records(total: int, words: int, registers_a_file: int) -> Iterator[range]:
    """The registers of each record; none reaches over the end of a file."""
    at = 0
    while at < total:
        count = min(words, registers_a_file - at % registers_a_file, total - at)
        yield range(at, at + count)
        at += count


def _is_refusal(error: LinkError) -> bool:
    return isinstance(error, ExceptionReply) and error.exception_code != ACKNOWLEDGE


def _credential_words(declared: Credential, secret: Secret) -> list[int]:
    """The registers that hold it. Raises InputError; neither it nor an exception under it ever holds the value."""
    where = Where(expected=f"{declared.type}, {declared.count} registers")
    short = f"the credential '{secret.name}' does not fit its registers"
    value = secret.reveal()
    form = "[ -~]*" if declared.type == "ascii" else _DECIMAL if declared.type.startswith("float") else "-?[0-9]{1,20}"
    if re.fullmatch(form, value) is None:
        raise InputError(short, where)
    if declared.type == "ascii":
        data = value.encode("ascii").ljust(2 * declared.count, b"\0")
    else:
        try:
            data = from_number(declared.type, float(value) if declared.type.startswith("float") else int(value))
        except ValueError:
            raise InputError(short, where) from None
    if len(data) > 2 * declared.count:
        raise InputError(short, where)
    return to_words(data, declared.word_order)
