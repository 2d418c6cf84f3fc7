"""Our driver and a meter one of whose APDUs comes changed: a value or a `LinkError`, soon, whatever it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.clock.virtual import VirtualClock
from rig.errors import LinkError
from rig.meters.dlms.client import AssociationSettings, DlmsClient, Keys
from rig.meters.dlms.counter import FrameCounter
from rig.meters.dlms.link import Link
from rig.meters.dlms.meter import DlmsMeter
from rig.meters.dlms.profile import load_profile
from rig.meters.port import Sending
from rig.twin.dlms.face import TwinDlms
from tests.meters.dlms.lab import IMAGE, still_meter

MOST_ASKED = 2000
"""More questions than this is a driver that does not end."""
TELLING = [
    b"\x84\xff\xff\xff\xff",
    b"\xc4\x02\xc1\0",
    b"\xc7\x01",
    b"\xd8\x01\x02",
    b"\x01\x82\xff\xff",
    b"\x02\x80",
    b"",
]
"""Lengths that are not there, answers of another kind."""
PROFILE = load_profile("synthetic-esme-dlms", "profile")

Change = Callable[[bytes], bytes]
places = st.integers(0, 300)
changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(lambda at, value: lambda data: data[: at % len(data)] + value + data[at % len(data) + 1 :], places,
              st.binary(max_size=3)),
    st.builds(lambda at, piece: lambda data: data[: at % len(data)] + piece + data[at % len(data) :], places,
              st.sampled_from(TELLING)),
    st.builds(lambda at: lambda data: data[: at % len(data)], places),
    st.builds(lambda data: lambda _: data, st.binary(max_size=80)),
    st.builds(lambda at: lambda data: data + data[at % len(data) :], places),
)  # fmt: skip


class Changing(Link):
    """A link without a line: the twin's meter answers, and the `at`-th answer is changed."""

    def __init__(self, at: int, change: Change) -> None:
        super().__init__("meter")
        self._face = TwinDlms(still_meter())
        self._association = self._face.associate()
        self._at, self._change, self._asked = at, change, 0

    def connect(self) -> None:
        self._association = self._face.associate()

    def exchange(self, apdu: bytes, what: str, *, once: bool = False) -> bytes:
        del what, once
        self._asked += 1
        assert self._asked < MOST_ASKED
        self.sent = Sending(0, 1)
        answer = self._association.answer(1, apdu)
        return self._change(answer) if self._asked == self._at else answer

    def disconnect(self) -> None: ...

    def hang_up(self) -> None: ...

    def abort(self) -> None: ...


def driver(link: Link, folder: Path) -> DlmsMeter:
    client = DlmsClient(link, AssociationSettings(1, 1), Keys(), FrameCounter(folder / "counter"))
    return DlmsMeter(client, PROFILE, VirtualClock())


ASKED: list[Callable[[DlmsMeter], object]] = [
    DlmsMeter.identity,
    DlmsMeter.version,
    DlmsMeter.image_state,
    DlmsMeter.events,
    DlmsMeter.uptime_s,
    lambda meter: meter.transfer(IMAGE, lambda _done, _total: None),
]


def test_unchanged_every_question_is_answered(tmp_path: Path) -> None:
    for ask in ASKED:
        ask(driver(Changing(0, bytes), tmp_path))


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(ASKED), st.integers(1, 6), changes)
def test_a_changed_answer_is_a_value_or_an_error_of_the_link(
    ask: Callable[[DlmsMeter], object], at: int, change: Change
) -> None:
    meter, told = driver(Changing(at, change), Path("/nothing/is/ciphered/here")), "meter: "
    try:
        ask(meter)
    except LinkError as error:
        told = error.message
    assert told.startswith("meter: ")
    meter.close()


@pytest.mark.parametrize("change", [lambda _: b"", lambda data: data[:1]])
def test_an_answer_that_is_none_is_named(change: Change, tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"^meter: associate: "):
        driver(Changing(1, change), tmp_path).version()
