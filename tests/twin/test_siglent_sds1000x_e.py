"""What the SDS1000X-E's face in the twin has of its own: headers in replies, units, registers, WAVEDESC."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from rig.instruments.scpi import Frame
from rig.twin.scopes.siglent_sds1000x_e import TwinSDS1000XE
from tests.twin.scope_bench import ASKED, KINDS, Bench, bench

KIND = KINDS[2]


def answer(b: Bench, line: str) -> str:
    reply = b.face.handle(line)
    assert isinstance(reply, bytes)
    return reply.decode("ascii").removesuffix("\n")


@pytest.mark.parametrize(
    ("form", "replies"),
    [
        ("OFF", ["2.00E+00", "5.00E-01", "AUTO", "OFF"]),
        ("SHORT", ["C1:VDIV 2.00E+00V", "TDIV 5.00E-01S", "TRMD AUTO", "CHDR SHORT"]),
        ("LONG", ["C1:VOLT_DIV 2.00E+00V", "TIME_DIV 5.00E-01S", "TRIG_MODE AUTO", "COMM_HEADER LONG"]),
    ],
)
def test_the_header_of_a_reply_is_as_it_was_asked_for(form: str, replies: list[str]):
    with bench(KIND) as b:
        for line in ("C1:VDIV 2V", "TDIV 500MS", f"CHDR {form}"):
            assert b.face.handle(line) is None
        assert [answer(b, line) for line in ("C1:VDIV?", "TDIV?", "TRMD?", "CHDR?")] == replies


@pytest.mark.parametrize(
    ("line", "question", "reply"),
    [
        ("C1:VDIV 500MV", "C1:VDIV?", "5.00E-01"),
        ("C1:VOLT_DIV 5.00E-01V", "C1:VOLT_DIV?", "5.00E-01"),
        ("TDIV 5.00E-04S", "TDIV?", "5.00E-04"),
        ("TDIV 20US", "TIME_DIV?", "2.00E-05"),
        ("C1:OFST -1.5V", "C1:OFST?", "-1.50E+00"),
        ("BWL C1,ON,C2,OFF", "C1:BWL?", "ON"),
        ("WFSU NP,100", "WFSU?", "SP,1,NP,100,FP,0"),
        ("MSIZ 1.4M", "MSIZ?", "1.4M"),
        # what it cannot do is passed over
        ("TDIV 30S", "TDIV?", "1.00E-04"),
        ("C1:VDIV x", "C1:VDIV?", "1.00E+00"),
        ("MSIZ 7M", "MSIZ?", "14K"),
        ("C1:CPL DC", "C1:CPL?", "D1M"),
    ],
)
def test_numbers_have_units_and_what_it_cannot_do_is_passed_over(line: str, question: str, reply: str):
    with bench(KIND) as b:
        b.face.handle("CHDR OFF")
        b.face.handle(line)
        assert answer(b, question) == reply


def test_with_both_channels_of_a_pair_the_memory_is_half():
    with bench(KIND) as b:
        for line in ("CHDR OFF", "C2:TRA ON", "MSIZ 14M", "MSIZ 700K"):
            b.face.handle(line)
        assert answer(b, "MSIZ?") == "700K"


def test_the_memory_is_not_taken_while_it_is_stopped():
    with bench(KIND) as b:
        for line in ("CHDR OFF", "STOP", "MSIZ 14M"):
            b.face.handle(line)
        assert answer(b, "MSIZ?") == "14K"


def test_its_register_tells_a_new_signal_once():
    with bench(KIND) as b:
        b.captured()
        assert isinstance(b.face, TwinSDS1000XE)
        told = [answer(b, "INR?") for _ in range(2)]
        b.scope.arm()
        b.clock.sleep(3.0)
        told.append(answer(b, "INR?"))
        b.node.cut(1.0, 5.0)
        b.clock.sleep(800.0)
        told += [answer(b, "INR?") for _ in range(2)]
    assert told == ["0", "0", "8192", "1", "0"]  # the driver asked first


def test_a_whole_answer_has_its_description_and_its_points():
    with bench(KIND, noise_v=0.0) as b:
        capture = b.captured(ASKED)
        b.face.handle("WFSU SP,0,NP,0,FP,0")
        whole = b.link.query_block("C1:WF? ALL", 10.0, Frame(b"ALL,", b"\n\n")).tobytes()
    desc, points = whole[:346], np.frombuffer(whole[346:], np.int8)
    assert desc.startswith(b"WAVEDESC")
    assert struct.unpack_from("<i", desc, 60) == struct.unpack_from("<i", desc, 116) == (len(points),)
    gain, offset = struct.unpack_from("<2f", desc, 156)
    assert np.allclose(points / 25 * gain - offset, (capture.codes - capture.zero_code) * capture.volts_per_code)


def test_every_tenth_point_may_be_asked_for():
    with bench(KIND, noise_v=0.0) as b:
        b.captured(ASKED, length_s=100.0)
        b.face.handle("WFSU SP,10,NP,0,FP,0")
        points = b.link.query_block("C1:WF? DAT2", 10.0, Frame(b"DAT2,", b"\n\n")).view(np.int8)
    assert len(points) == 14_000
    assert np.count_nonzero(points < 0) == pytest.approx(2000, abs=1)
