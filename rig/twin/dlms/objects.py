"""The COSEM objects of the twin's meter: what each attribute tells, what a write or a method does. No APDUs, no links.

Blue Book classes 1 (data), 3 (register), 7 (profile generic), 8 (clock), 15 (association), 18 (image transfer, in
`rig.twin.dlms.image_object`) and 22 (single action schedule).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rig.meters.dlms.axdr import Tag, Value, array, number, octets, structure, visible
from rig.twin.dlms.image_object import ImageObject
from rig.twin.dlms.results import Refused, Result
from rig.twin.meter import TwinMeter

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""What the meter's clock shows when the model's line is at zero. It is right about nothing but what passes."""


Get = Callable[[], Value]
Do = Callable[[Value], Value | None]


@dataclass(frozen=True)
class Object:
    """One object: its class and version, and by number its attributes, those that can be set, and its methods."""

    class_id: int
    version: int
    attributes: Mapping[int, Get]
    sets: Mapping[int, Do] = field(default_factory=dict)
    methods: Mapping[int, Do] = field(default_factory=dict)


def name(obis: str) -> bytes:
    """`1-0:0.2.0*255` as the six bytes of a logical name."""
    for mark in "-:*":
        obis = obis.replace(mark, ".")
    return bytes(int(part) for part in obis.split("."))


LDN, SERIAL, MODEL, MAKER, VERSION = (
    name(n) for n in ("0-0:42.0.0*255", "0-0:96.1.0*255", "0-0:96.1.1*255", "0-0:96.1.2*255", "1-0:0.2.0*255")
)
OPERATING_TIME, CLOCK, IMAGE, SCHEDULE, ASSOCIATION = (
    name(n) for n in ("0-0:96.8.0*255", "0-0:1.0.0*255", "0-0:44.0.0*255", "0-0:15.0.2*255", "0-0:40.0.0*255")
)
POWER_FAILURES, EVENTS, EVENT_CODE, POWER_DURATION = (
    name(n) for n in ("1-0:99.97.0*255", "0-0:99.98.0*255", "0-0:96.11.0*255", "0-0:96.7.19*255")
)


class Objects:
    """All objects of one meter. `scale`: how many seconds outside a second of the model takes."""

    def __init__(self, meter: TwinMeter, block_bytes: int, scale: float = 1.0) -> None:
        self._meter = meter
        self._scale = scale
        self.image = ImageObject(meter, block_bytes)
        image = self.image
        self._all: dict[tuple[int, bytes], Object] = {
            (1, LDN): Object(1, 0, {2: lambda: octets(f"SYN{meter.SERIAL}".encode())}),
            (1, SERIAL): Object(1, 0, {2: lambda: visible(meter.SERIAL)}),
            (1, MODEL): Object(1, 0, {2: lambda: visible(meter.model)}),
            (1, MAKER): Object(1, 0, {2: lambda: visible(meter.MAKER)}),
            (1, VERSION): Object(1, 0, {2: lambda: octets(meter.version.encode("ascii"))}),
            (3, OPERATING_TIME): Object(3, 0, {2: self._uptime, 3: _seconds}),
            (7, POWER_FAILURES): _log(self._power_failures, (8, CLOCK, 2), (3, POWER_DURATION, 2)),
            (7, EVENTS): _log(self._events, (8, CLOCK, 2), (1, EVENT_CODE, 2)),
            (8, CLOCK): Object(8, 0, {2: self._now, 3: lambda: number(Tag.INT16, 0)}),
            (15, ASSOCIATION): Object(15, 1, {2: self.listed}),
            (18, IMAGE): Object(18, 0, image.attributes, {5: image.set_enabled}, image.methods),
            (22, SCHEDULE): Object(
                22,
                0,
                {
                    2: lambda: structure(octets(name("0-0:10.0.107*255")), number(Tag.UINT16, 1)),
                    3: lambda: number(Tag.ENUM, 1),
                    4: array,
                },
                {4: self._schedule},
            ),
        }

    def find(self, class_id: int, logical_name: bytes) -> Object:
        """Raises Refused."""
        found = self._all.get((class_id, logical_name))
        if found is None:
            raise Refused(Result.OBJECT_UNDEFINED)
        return found

    def listed(self) -> Value:
        """The object list of an association (class 15, attribute 2); each attribute can be read, some be written."""
        return array(
            *(
                structure(
                    number(Tag.UINT16, class_id),
                    number(Tag.UINT8, each.version),
                    octets(logical_name),
                    structure(
                        array(*(_right(at, 3 if at in each.sets else 1) for at in (1, *each.attributes))),
                        array(*(structure(number(Tag.INT8, at), number(Tag.BOOLEAN, 1)) for at in each.methods)),
                    ),
                )
                for (class_id, logical_name), each in self._all.items()
            )
        )

    # -- what they tell ----------------------------------------------------------------------------

    def _uptime(self) -> Value:
        return number(Tag.UINT32, int(self._meter.uptime_s() * self._scale))

    def _now(self) -> Value:
        return octets(self._stamp(self._meter.clock_s()))

    def _stamp(self, model_s: float) -> bytes:
        """The twelve bytes of a COSEM date and time (Blue Book 4.1.6.1)."""
        at = EPOCH + timedelta(seconds=model_s * self._scale)
        day = bytes([at.month, at.day, at.isoweekday(), at.hour, at.minute, at.second, at.microsecond // 10_000])
        return at.year.to_bytes(2, "big") + day + bytes([0, 0, 0])

    def _power_failures(self) -> Value:
        rows = ((ended_s, int(long_s * self._scale)) for ended_s, long_s in self._meter.power_log)
        return array(*(structure(octets(self._stamp(at)), number(Tag.UINT32, long)) for at, long in rows))

    def _events(self) -> Value:
        rows = self._meter.log
        return array(*(structure(octets(self._stamp(at)), number(Tag.UINT16, code)) for code, at in rows))

    def _schedule(self, value: Value) -> None:
        """The activation script runs once at this time: an array of one structure of time and date."""
        try:
            time, date = value.items[0].items
            hour, minute, second, _ = time.data
            year, month, day = int.from_bytes(date.data[:2], "big"), date.data[2], date.data[3]
            at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except (ValueError, IndexError, OverflowError):
            raise Refused(Result.TYPE_UNMATCHED) from None
        after_s = (at - EPOCH).total_seconds() / self._scale - self._meter.clock_s()
        if after_s < 0:
            raise Refused(Result.OTHER_REASON)
        self._meter.activate_held(after_s)


def _right(attribute: int, mode: int) -> Value:
    return structure(number(Tag.INT8, attribute), number(Tag.ENUM, mode), Value(Tag.NULL))


def _seconds() -> Value:
    """Scaler 0, unit 7 (seconds)."""
    return structure(number(Tag.INT8, 0), number(Tag.ENUM, 7))


def _log(rows: Get, *columns: tuple[int, bytes, int]) -> Object:
    captured = array(
        *(
            structure(number(Tag.UINT16, c), octets(n), number(Tag.INT8, a), number(Tag.UINT16, 0))
            for c, n, a in columns
        )
    )
    return Object(
        7,
        1,
        {
            2: rows,
            3: lambda: captured,
            4: lambda: number(Tag.UINT32, 0),
            5: lambda: number(Tag.ENUM, 1),
            6: lambda: structure(number(Tag.UINT16, 0), octets(bytes(6)), number(Tag.INT8, 0), number(Tag.UINT16, 0)),
            7: lambda: number(Tag.UINT32, len(rows().items)),
            8: lambda: number(Tag.UINT32, 8),
        },
    )
