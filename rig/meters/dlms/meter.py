"""A meter on DLMS/COSEM, as its profile says: image transfer (class 18), version, clock, logs, activation.

Knows the objects and the steps (Blue Book 4.4.6); associations and APDUs are in `rig.meters.dlms.client`. One is opened
when it is first needed, and anew after silence, after an error, and when it was idle for long. No action is repeated
but a block of the image, which goes to its own place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rig.clock import Clock, to_ns
from rig.errors import LinkError
from rig.meters.dlms.axdr import Tag, Value, array, number, octets, structure
from rig.meters.dlms.client import TEMPORARY_FAILURE, DlmsClient, ResultRefused, Target
from rig.meters.dlms.cosem_time import execution_time, seconds_of
from rig.meters.dlms.profile import Log, Place, Profile
from rig.meters.port import Abilities, Activation, ImageState, LogEntry, Meter, MeterIdentity, MeterRefused

_IDLE_S = 0.5
"""A meter may have restarted since, or may have forgotten an association that nobody used: it is opened anew."""
_POLL_S = 1.0
_BUSY_TRIES = 10
_MOST_ROUNDS = 4
_MOST_BLOCKS = 1 << 20
_STATES = dict(
    enumerate(
        (
            ImageState.NONE,
            ImageState.TRANSFERRING,
            ImageState.VERIFYING,
            ImageState.VERIFIED,
            ImageState.REJECTED,
            ImageState.ACTIVATING,
            ImageState.ACTIVATED,
            ImageState.ACTIVATION_FAILED,
        )
    )
)
"""image_transfer_status (attribute 6)."""
_BLOCK_SIZE, _TRANSFERRED, _FIRST_MISSING, _ENABLED, _STATUS, _TO_ACTIVATE = 2, 3, 4, 5, 6, 7
_INITIATE, _BLOCK, _VERIFY, _ACTIVATE = 1, 2, 3, 4
_EXECUTION_TIME = 4
_LAST_ENTRIES = 64
_NOTHING = number(Tag.INT8, 0)


@dataclass(frozen=True)
class Schedule:
    """The activation is not commanded, but dated: so many seconds from now on the meter's own clock (class 22)."""

    after_s: float


class DlmsMeter(Meter):
    """See `rig.meters.port.Meter`."""

    abilities = Abilities(transfer=True, resume=True)

    def __init__(self, client: DlmsClient, profile: Profile, clock: Clock, schedule: Schedule | None = None) -> None:
        super().__init__()
        self.name = client.name
        self._client = client
        self._profile = profile
        self._clock = clock
        self._schedule = schedule
        self._image = Target(18, profile.image.obis)
        self._begun: bytes | None = None
        """The image of which the meter already has a part."""
        self._used_ns = 0

    # -- who it is ---------------------------------------------------------------------------------

    def identity(self) -> MeterIdentity:
        who = self._profile.identity
        with self._session():
            maker = self._told(who.maker) if who.maker is not None else self._told(who.device_name)[:3]
            return MeterIdentity(maker, self._told(who.model), self._told(who.serial))

    def introduction(self) -> str:
        """What `identity` and `version` ask for, in words."""
        who = self._profile.identity
        places = [p for p in (who.maker or who.device_name, who.model, who.serial, self._profile.version) if p]
        return "DLMS: get " + ", ".join(f"{p.obis} attribute {p.attribute}" for p in places)

    def version(self) -> str:
        with self._session():
            return self._text(self._get(self._profile.version), self._profile.version)

    def uptime_s(self) -> float | None:
        where = self._profile.uptime
        if where is None:
            return None
        with self._session():
            return self._number(self._get(where), where.obis) * where.scale

    def uptime_step_s(self) -> float:
        return self._profile.uptime.scale if self._profile.uptime is not None else 1.0

    def _told(self, place: Place | None) -> str:
        """An object that is not there tells nothing."""
        if place is None:
            return ""
        try:
            return self._text(self._get(place), place)
        except ResultRefused:
            return ""

    # -- the image: transfer -----------------------------------------------------------------------

    def transfer(self, image: bytes, progress: Callable[[int, int], None]) -> None:
        """Steps 1 to 4 of Blue Book 4.4.6.2. After the last block, those that the meter lost are sent again."""
        with self._session():
            if not self._attribute(_ENABLED).number:
                raise MeterRefused(f"{self.name}: the meter's image transfer is not enabled ({self._image.obis})")
            size = int(self._number(self._attribute(_BLOCK_SIZE), "image_block_size"))
            count = -(-len(image) // size) if size > 0 else 0
            if not 0 < count <= _MOST_BLOCKS:
                raise LinkError(f"{self.name}: image_block_size is {size}")
            wanted = self._still_wanted(image, count)
            self._begun = image
            for _ in range(_MOST_ROUNDS):
                for block in wanted:
                    self._send_block(block, image[block * size : (block + 1) * size])
                    progress(min(len(image), (block + 1) * size), len(image))
                wanted = self._missing(count)
                if not wanted:
                    return
        some = ", ".join(str(block) for block in wanted[:8])
        raise LinkError(f"{self.name}: the meter loses blocks again and again: {len(wanted)} of {count} ({some} ...)")

    def _still_wanted(self, image: bytes, count: int) -> list[int]:
        """All of a new image; of one that was begun, what the meter does not have."""
        if image == self._begun and self._state() is ImageState.TRANSFERRING:
            return self._missing(count)
        try:
            named = structure(octets(self._identifier(image)), number(Tag.UINT32, len(image)))
            self._client.act(self._image, _INITIATE, named)
        except ResultRefused as error:
            text = f"{error.message}: it does not take an image of {len(image)} bytes (too large for its slot?)"
            raise MeterRefused(text) from None
        return list(range(count))

    def _missing(self, count: int) -> list[int]:
        first = int(self._number(self._attribute(_FIRST_MISSING), "image_first_not_transferred_block_number"))
        if first >= count:
            return []
        try:
            flags = self._attribute(_TRANSFERRED)
        except ResultRefused:
            return list(range(first, count))
        if flags.tag is not Tag.BITS or flags.bits < count:
            return list(range(first, count))
        return [n for n in range(first, count) if not flags.data[n // 8] & 0x80 >> n % 8]

    def _send_block(self, block: int, data: bytes) -> None:
        """A meter that is busy is asked again; the block goes to its own place, so a second one changes nothing."""
        for attempt in range(_BUSY_TRIES):
            try:
                self._client.act(self._image, _BLOCK, structure(number(Tag.UINT32, block), octets(data)))
            except ResultRefused as error:
                if error.result != TEMPORARY_FAILURE or attempt == _BUSY_TRIES - 1:
                    raise
                self._clock.sleep(_POLL_S)
            else:
                return

    def _identifier(self, image: bytes) -> bytes:
        import hashlib

        named = self._profile.image.identifier
        return hashlib.sha256(image).digest() if named == "sha256" else named.encode("ascii")

    # -- the image: verification -------------------------------------------------------------------

    def verify(self, image_hash: bytes, size: int) -> ImageState:
        """Step 5 and 6: 'temporary failure' says that it has begun; the status is polled until it tells the end."""
        deadline = self._clock.now() + to_ns(self._profile.image.verify_s)
        with self._session():
            refused = None
            try:
                self._client.act(self._image, _VERIFY, _NOTHING)
            except ResultRefused as error:
                refused = None if error.result == TEMPORARY_FAILURE else error
            state = self._state()
            if refused is not None and state is not ImageState.REJECTED:
                raise refused
            while state in (ImageState.VERIFYING, ImageState.TRANSFERRING):
                if self._clock.now() >= deadline:
                    limit = self._profile.image.verify_s
                    raise LinkError(f"{self.name}: verification did not end within {limit:g} s")
                self._clock.sleep(_POLL_S)
                state = self._state()
            if state is ImageState.VERIFIED:
                self._check_to_activate(image_hash, size)
            self._begun = None
            return state

    def _check_to_activate(self, image_hash: bytes, size: int) -> None:
        """What the meter would activate is the file that was sent. A meter that does not tell it loses nothing."""
        try:
            shown = self._attribute(_TO_ACTIVATE)
        except ResultRefused:
            return
        if not shown.items:
            return
        rows = [row.items for row in shown.items if len(row.items) == 3]
        if not rows or any(row[0].tag is not Tag.UINT32 for row in rows):
            raise LinkError(f"{self.name}: image_to_activate_info cannot be read")
        named = self._profile.image.identifier
        identifier = image_hash if named == "sha256" else named.encode("ascii")
        ours = [row for row in rows if row[1].data == identifier]
        if not ours:
            raise LinkError(f"{self.name}: the meter would activate another image: none it shows is identified as ours")
        shown_size, _, signature = ours[0]
        if shown_size.number != size:
            raise LinkError(f"{self.name}: the meter would activate {shown_size.number} bytes, the file has {size}")
        if self._profile.image.signature == "sha256" and signature.data != image_hash:
            raise LinkError(f"{self.name}: the meter shows another signature of the image than the file's SHA-256")

    def image_state(self) -> ImageState | None:
        with self._session():
            return self._state()

    def _state(self) -> ImageState:
        code = int(self._number(self._attribute(_STATUS), "image_transfer_status"))
        if code not in _STATES:
            raise LinkError(f"{self.name}: image_transfer_status is {code}")
        return _STATES[code]

    # -- activation --------------------------------------------------------------------------------

    def activate(self, image_hash: bytes, size: int) -> Activation:
        """Step 7, in a fresh association. What ends the command after it left (silence, a reset, 'temporary failure'
        of a meter that works) is no error; a refusal is one.
        """
        self._client.close()
        with self._session():
            state = self._state()
            if state is not ImageState.VERIFIED:
                raise MeterRefused(f"{self.name}: the meter says of its image: {state.value}, not verified")
            self._check_to_activate(image_hash, size)
            self._client.forget_sent()
            with self._clock.shielded():
                try:
                    self._command()
                except ResultRefused as error:
                    if error.result != TEMPORARY_FAILURE:
                        raise
                except MeterRefused:
                    raise
                except LinkError:
                    if self._client.sent is None:
                        raise
        sent = self._client.sent
        if sent is None:
            raise LinkError(f"{self.name}: nothing was sent")
        return Activation(sent.before_ns, sent.after_ns)

    def _command(self) -> None:
        if self._schedule is None:
            self._client.act(self._image, _ACTIVATE, _NOTHING, once=True)
            return
        try:
            time, date = execution_time(self._get(self._profile.clock).data, self._schedule.after_s)
        except ValueError as error:
            raise MeterRefused(f"{self.name}: no activation can be dated: {error}") from None
        self._client.forget_sent()
        schedule = Target(22, self._profile.image.schedule)
        self._client.set(schedule, _EXECUTION_TIME, array(structure(octets(time), octets(date))))

    # -- its logs ----------------------------------------------------------------------------------

    def events(self) -> tuple[LogEntry, ...]:
        """The event log, and the log of power failures, whose entries have a duration. Times are put on the rig's line
        by the meter's clock, which counts whole seconds."""
        with self._session():
            asked = self._clock.now()
            clock_s = seconds_of(self._get(self._profile.clock).data)
            answered = self._clock.now()
            found: list[LogEntry] = []
            for log, is_duration in ((self._profile.events, False), (self._profile.power_failures, True)):
                if log is not False:
                    found += self._entries(log, is_duration, (asked, answered, clock_s))
            return tuple(sorted(found, key=lambda entry: entry.at_s or 0))

    def _entries(self, log: Log, is_duration: bool, clock: tuple[int, int, float | None]) -> Iterator[LogEntry]:
        try:
            rows = self._client.get(Target(7, log.obis), 2).items[-_LAST_ENTRIES:]
        except ResultRefused:
            return  # it has no such log
        for row in rows:
            if max(log.time_at, log.value_at) >= len(row.items):
                raise LinkError(f"{self.name}: an entry of {log.obis} has {len(row.items)} columns")
            at_s = seconds_of(row.items[log.time_at].data)
            value = self._number(row.items[log.value_at], log.obis)
            yield LogEntry(
                code=None if is_duration else int(value),
                at_s=None if at_s is None else math.floor(at_s),
                duration_s=value if is_duration else None,
                at_ns=_on_the_line(at_s, clock),
            )

    # -- small things ------------------------------------------------------------------------------

    @contextmanager
    def _session(self) -> Iterator[None]:
        """An association, fresh where it is needed. A call that was asked to stop leaves none."""
        if self._client.is_open and self._clock.now() - self._used_ns > to_ns(_IDLE_S):
            self._client.disconnect()
        if not self._client.is_open:
            self._client.open()
        try:
            yield
        finally:
            self._used_ns = self._clock.now()

    def _get(self, place: Place) -> Value:
        return self._client.get(Target(place.class_id, place.obis), place.attribute)

    def _attribute(self, attribute: int) -> Value:
        return self._client.get(self._image, attribute)

    def _text(self, value: Value, place: Place) -> str:
        if value.tag not in (Tag.OCTETS, Tag.VISIBLE):
            return f"{self._number(value, place.obis):g}"
        data = value.data.rstrip(b"\0 ")
        return data.decode("ascii") if data.isascii() and data.decode("ascii").isprintable() else data.hex()

    def _number(self, value: Value, what: str) -> float:
        if value.tag in (Tag.NULL, Tag.ARRAY, Tag.STRUCTURE, Tag.BITS, Tag.OCTETS, Tag.VISIBLE):
            raise LinkError(f"{self.name}: {what}: the meter gives no number")
        return value.number

    def close(self) -> None:
        """Release and disconnect, so that the meter is left signed off."""
        with self._clock.shielded():
            self._client.close()


def _on_the_line(at_s: float | None, clock: tuple[int, int, float | None]) -> tuple[int, int] | None:
    """Between which two instants (ns) it was, when the meter's clock showed `clock_s` somewhere between two others.

    Either may be rounded down to the second.
    """
    asked, answered, clock_s = clock
    if at_s is None or clock_s is None:
        return None
    since_ns = to_ns(at_s - clock_s)
    return asked + since_ns - to_ns(1.0), answered + since_ns + to_ns(1.0)
