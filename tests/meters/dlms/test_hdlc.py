"""HDLC frames: what comes, cut anywhere, gives the frames that were sent, or is told as damaged; and nothing grows."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.meters.dlms.hdlc import (
    FLAG,
    LONGEST,
    LONGEST_INFORMATION,
    Address,
    Damaged,
    Frame,
    Parameters,
    Reader,
)

addresses = st.one_of(
    st.builds(Address, st.integers(0, 0x7F)),
    st.builds(Address, st.integers(0, 0x7F), st.integers(0, 0x7F)),
    st.builds(Address, st.integers(0, 0x3FFF), st.integers(0, 0x3FFF), st.just(True)),
)
frames = st.builds(Frame, addresses, addresses, st.integers(0, 255), st.binary(max_size=200), st.booleans())


def read(parts: list[bytes]) -> list[Frame | Damaged]:
    reader = Reader()
    return [found for part in parts for found in reader.feed(part)]


def cut(data: bytes, at: list[int]) -> list[bytes]:
    marks = [0, *sorted(n % (len(data) + 1) for n in at), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(marks)]


@given(st.lists(frames, max_size=5), st.lists(st.integers(0, 5000), max_size=8))
def test_what_is_encoded_is_read_however_it_is_cut(sent: list[Frame], at: list[int]) -> None:
    assert read(cut(b"".join(frame.encode() for frame in sent), at)) == sent


@given(st.lists(frames, min_size=1, max_size=4), st.booleans())
def test_one_flag_may_stand_between_two_frames(sent: list[Frame], shared: bool) -> None:
    joined = b"".join(frame.encode()[: -1 if shared else None] for frame in sent) + bytes([FLAG])
    assert read([joined]) == sent


@given(frames, st.data())
def test_a_frame_with_a_flipped_bit_is_never_taken_for_a_frame(frame: Frame, data: st.DataObject) -> None:
    wire = bytearray(frame.encode())
    bit = data.draw(st.integers(8, 8 * len(wire) - 9))  # not in the flags
    wire[bit // 8] ^= 1 << bit % 8
    assert not any(isinstance(found, Frame) for found in read([bytes(wire)]))


@given(st.binary(max_size=40).filter(lambda noise: FLAG not in noise), frames)
def test_noise_before_a_frame_is_told_once_and_costs_nothing(noise: bytes, frame: Frame) -> None:
    found = read([noise, frame.encode()])
    assert found == ([Damaged("noise")] if noise else []) + [frame]


@settings(max_examples=600)
@given(st.lists(st.binary(max_size=300), max_size=12))
def test_whatever_comes_ends_and_holds_little(parts: list[bytes]) -> None:
    reader = Reader()
    for part in parts:
        for found in reader.feed(part):
            assert isinstance(found, Frame | Damaged)
        assert len(reader._held) <= LONGEST + 2


@settings(max_examples=60)
@given(st.integers(0, 7), st.integers(0, 255), st.integers(1, 60))
def test_flags_and_lengths_without_end_are_read_in_time_that_grows_with_them(high: int, low: int, count: int) -> None:
    reader = Reader()
    for _ in reader.feed(bytes([FLAG, 0xA0 | high, low]) * (count * 100)):
        pass
    assert len(reader._held) <= LONGEST + 2


def test_a_million_bytes_of_noise_leave_nothing_behind() -> None:
    reader = Reader()
    tracemalloc.start()
    for _ in range(1000):
        for _found in reader.feed(b"\x7e\xa7\xff" + bytes(997)):
            pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100_000


@given(st.binary(max_size=40))
def test_parameters_are_read_or_refused(data: bytes) -> None:
    try:
        found = Parameters.decode(data)
    except ValueError:
        return
    assert 1 <= found.send_window <= 7
    assert 1 <= found.take_bytes <= LONGEST


@given(
    st.builds(
        Parameters,
        st.integers(32, LONGEST_INFORMATION),
        st.integers(32, LONGEST_INFORMATION),
        st.integers(1, 7),
        st.integers(1, 7),
    )
)
def test_parameters_come_back_as_they_were_said(said: Parameters) -> None:
    assert Parameters.decode(said.encode()) == said
    assert said.met_by(said).send_bytes == min(said.send_bytes, said.take_bytes)


def test_more_than_a_frame_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Frame(Address(1), Address(16), 0, bytes(LONGEST)).encode()
    assert len(Frame(Address(1, 1, True), Address(16), 0, bytes(LONGEST_INFORMATION)).encode()) <= LONGEST + 2
