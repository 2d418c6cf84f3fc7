"""What a profile says is what is sent and read: values of every kind, lists of writes, credentials, resumed images."""

from __future__ import annotations

import struct

import pytest

from rig.clock import NS, to_ns
from rig.errors import InputError, LinkError, LinkTimeout
from rig.meters.credentials import Secret
from rig.meters.modbus import ModbusMeter
from rig.meters.port import ImageState, LogEntry
from rig.meters.profile import load_profile
from tests.meters.device import TIMEOUT_S, lab, profile

HASH = bytes(range(32))
SIZE = 0x00012345


# -- values ----------------------------------------------------------------------------------------------------------


def test_versions_of_real_products_read_as_their_manuals_write_them() -> None:
    cases = {
        "schneider-pm800": ({7000: [11_900]}, "11.900"),
        "satec-pm172": ({2565: [488], 2563: [2]}, "4.88.2"),
        "siemens-pac4200": ({64001: [*[0] * 20, 0x5602, 0x000B, *[0] * 5]}, "2.0.11"),
        "abb-a43": ({0x8908: [0x312E, 0x302E, 0x3000, 0, 0, 0, 0, 0]}, "1.0.0"),
        "eig-shark-100s": ({0x0011: [0x3030, 0x3639]}, "0069"),
        "schneider-iem2050": ({0x0665: [1004]}, "1004"),
    }
    for name, (registers, version) in cases.items():
        with lab(load_profile(name)) as it:
            for register, words in registers.items():
                it.device.put(register, *words)
            assert it.meter.version() == version, name


def test_a_block_that_is_only_read_as_a_whole_is_read_as_a_whole() -> None:
    with lab(load_profile("siemens-pac4200")) as it:
        it.device.put(64001, *[0x4120] * 27)
        who = it.meter.identity()
        assert (who.maker, who.serial) == ("Siemens", "A A A A A A A A")
        assert set(it.device.requests) == {struct.pack(">BHH", 3, 64001, 27)}


def test_input_registers_are_read_by_function_4_and_scales_apply() -> None:
    it_reads = profile(
        '[uptime]\nregister = 9\nfunction = 4\ntype = "float32"\nword_order = "low-first"\nscale = 60.0\n'
    )
    with lab(it_reads) as it:
        high, low = struct.unpack(">HH", struct.pack(">f", 2.5))
        it.device.put(9, low, high, function=4)
        assert it.meter.uptime_s() == 150.0
        assert {pdu[0] for pdu in it.device.requests} == {4}


def test_a_value_that_is_no_number_is_a_named_error() -> None:
    with lab(profile('[uptime]\nregister = 9\ntype = "float32"\n')) as it:
        it.device.put(9, 0x7FC0, 0)
        with pytest.raises(LinkError, match="meter: registers 9 on: is no finite number"):
            it.meter.uptime_s()


def test_a_register_that_moves_while_it_is_read_is_a_named_error() -> None:
    with lab(profile('[version]\nparts = [{ register = 1, type = "words", words = 2 }]\n')) as it:
        moving = iter(range(100))
        it.device.rule = lambda _: struct.pack(">BBHH", 3, 4, 1, next(moving))
        with pytest.raises(LinkError, match="meter: register 1 moves while it is read"):
            it.meter.version()


def test_a_value_that_changed_between_two_reads_is_read_again() -> None:
    with lab(profile('[version]\nparts = [{ register = 1, type = "words", words = 2 }]\n')) as it:
        seen = iter([(1, 0), (2, 1), (2, 1)])
        it.device.rule = lambda _: struct.pack(">BBHH", 3, 4, *next(seen))
        assert it.meter.version() == "2.1"


def test_half_of_an_old_up_time_and_half_of_a_new_one_are_not_taken_for_one() -> None:
    """0x0000FFFF, then 0x0001FFFF (high word new, low word old), then 0x00010000: the middle one is torn."""
    with lab(profile('[uptime]\nregister = 9\ntype = "uint32"\n')) as it:
        seen = iter([(0, 0xFFFF), (1, 0xFFFF), (1, 0), (1, 0)])
        it.device.rule = lambda _: struct.pack(">BBHH", 3, 4, *next(seen))
        assert it.meter.uptime_s() == 65_536.0
        leaping = iter(range(0, 10_000, 100))
        it.device.rule = lambda _: struct.pack(">BBHH", 3, 4, 0, next(leaping))
        with pytest.raises(LinkError, match="register 9 moves while it is read"):
            it.meter.uptime_s()


def test_a_meter_that_was_restarted_between_two_reads_tells_its_new_up_time() -> None:
    with lab(profile('[uptime]\nregister = 9\ntype = "uint32"\n')) as it:
        seen = iter([(1, 0), (0, 3), (0, 3), (0, 3)])
        it.device.rule = lambda _: struct.pack(">BBHH", 3, 4, *next(seen))
        assert it.meter.uptime_s() == 3.0


def test_the_meters_own_log_is_read_in_as_many_reads_as_it_takes() -> None:
    log = profile(
        "[log]\ncount = { register = 10 }\nregister = 11\nwords = 4\nentries = 40\ncode_at = 1\ntime_at = 2\n"
    )
    with lab(log) as it:
        it.device.put(10, 40)
        for n in range(40):
            it.device.put(11 + 4 * n, 0, 0x8F00 + n, 1, n)
        entries = it.meter.events()
        assert entries == tuple(LogEntry(0x8F00 + n, 0x10000 + n) for n in range(40))
        assert [struct.unpack(">HH", pdu[1:])[1] for pdu in it.device.requests] == [1, 124, 36]


# -- writes ------------------------------------------------------------------------------------------------------------

LIST = """
[credentials.key]
type = "ascii"
words = 4

[[activation]]
function = 5
register = 7
value = true

[[activation]]
function = 15
register = 8
value = [true, false, true]
before_s = 2.0

[[activation]]
function = 16
register = 20
credential = "key"
after_s = 1.5

[[activation]]
function = 16
register = 30
image = ["size", "sha256"]

[[activation]]
function = 6
register = 60
value = 1110
"""


@pytest.mark.parametrize("rtu", [False, True], ids=["tcp", "rtu"])
def test_the_activation_is_the_list_of_its_writes_in_order_with_their_delays(rtu: bool) -> None:
    with lab(profile(LIST), rtu=rtu, secrets={"key": "Pa55wd"}) as it:
        it.device.put(1, 1)
        began = it.clock.now()
        sent = it.meter.activate(HASH, SIZE)
        assert [(f, a) for f, a, _ in it.written] == [(5, 7), (15, 8), (16, 20), (16, 30), (6, 60)]
        assert it.device.coils == {7: True, 8: True, 9: False, 10: True}
        words = [it.device.registers[3][20 + i] for i in range(4)]
        assert struct.pack(">4H", *words) == b"Pa55wd\0\0"
        assert it.written[3][2][3:] == struct.pack(">I", SIZE) + HASH
        assert it.device.registers[3][60] == 1110
        assert began <= sent.before_ns < sent.after_ns
        took_s = (sent.after_ns - sent.before_ns) / NS
        assert 3.5 <= took_s <= 3.5 + (0.2 if rtu else 0.0), "from the first write to the last, delays among them"
        assert sent.problem is None


def test_a_list_that_breaks_off_is_told_and_the_rest_is_not_sent() -> None:
    with lab(profile(LIST), secrets={"key": "x"}) as it:
        it.device.put(1, 1)
        it.device.rule = lambda pdu: b"\x90\x03" if pdu[0] == 16 else None
        sent = it.meter.activate(HASH, SIZE)
        assert sent.problem is not None
        assert "write 3 of 5 of the activation" in sent.problem
        assert "Modbus exception 3 (illegal data value)" in sent.problem
        assert [f for f, _, _ in it.written] == [5, 15, 16]


def test_silence_in_the_middle_of_a_list_is_a_problem_and_after_its_last_write_normal() -> None:
    for silent_at, problem in ((5, True), (15, True), (6, False)):
        with lab(profile(LIST), secrets={"key": "x"}) as it:
            it.device.put(1, 1)

            it.device.silent_at = silent_at
            sent = it.meter.activate(HASH, SIZE)
            assert (sent.problem is not None) == problem, silent_at
            if problem:
                assert sent.problem is not None
                assert "no answer within 2 s" in sent.problem


def test_a_first_write_that_is_refused_is_an_error_for_nothing_was_begun() -> None:
    with lab(profile(LIST), secrets={"key": "x"}) as it:
        it.device.put(1, 1)
        it.device.rule = lambda pdu: b"\x85\x01" if pdu[0] == 5 else None
        with pytest.raises(LinkError, match=r"write coil 7: Modbus exception 1 \(illegal function\)"):
            it.meter.activate(HASH, SIZE)
        assert len(it.written) == 1


def test_an_echo_that_is_none_is_an_error_that_shows_no_value() -> None:
    with lab(profile("[[activation]]\nfunction = 6\nregister = 60\nvalue = 1110\n")) as it:
        it.device.put(1, 1)
        it.device.rule = lambda pdu: struct.pack(">BHH", 6, 60, 77) if pdu[0] == 6 else None
        sent = it.meter.activate(HASH, SIZE)
        assert sent.problem is None, "the last write left; what is answered to it decides nothing"
        assert len(it.written) == 1


def test_a_profile_without_an_activation_only_reads() -> None:
    with lab(load_profile("abb-a43")) as it:
        assert not it.meter.activates
        with pytest.raises(LinkError, match="the profile 'abb-a43' has no activation"):
            it.meter.activate(HASH, SIZE)
        assert it.device.requests == []


@pytest.mark.parametrize(
    ("declared", "value"),
    [('type = "uint16"', "70000"), ('type = "uint16"', "geheim"), ('type = "ascii"\nwords = 2', "geheim"),
     ('type = "ascii"\nwords = 9', "gehe\u00efm"), ('type = "float32"', "1e3"), ('type = "int16"', "")],
)  # fmt: skip
def test_a_credential_that_does_not_fit_is_refused_without_showing_it(declared: str, value: str) -> None:
    text = f'[credentials.key]\n{declared}\n[[activation]]\nfunction = 16\nregister = 20\ncredential = "key"\n'
    with lab(profile("")) as it, pytest.raises(InputError, match="its registers") as caught:
        ModbusMeter(it.link, profile(text), it.clock, {"key": Secret("key", value)})
    assert "key" in caught.value.one_line()
    if value:
        assert value not in repr(caught.value.__dict__) + str(caught.value.__context__) + caught.value.one_line()


# -- images ----------------------------------------------------------------------------------------------------------

IMAGE_PROFILE = """
[status]
value = { register = 2 }

[status.states]
"none" = 0
"verified" = 3

[image]
registers_a_file = 50
words_a_record = 20
received = { register = 4, type = "uint32" }
"""
IMAGE = bytes(range(250)) * 2


def test_records_never_reach_over_the_end_of_a_file() -> None:
    with lab(profile(IMAGE_PROFILE)) as it:
        it.meter.transfer(IMAGE, lambda *_: None)
        lengths = {place: len(data) for place, data in it.device.files.items()}
        assert lengths == {(f, r): n for f in range(1, 6) for r, n in ((0, 40), (20, 40), (40, 20))}
        assert b"".join(it.device.files[place] for place in sorted(it.device.files)) == IMAGE


def test_a_broken_transfer_goes_on_where_the_meter_says_and_begins_anew_for_another_image() -> None:
    with lab(profile(IMAGE_PROFILE)) as it:
        it.device.rule = lambda pdu: b"\x95\x06" if pdu[0] == 21 and len(it.device.files) == 7 else None
        with pytest.raises(LinkError, match=r"send the image: Modbus exception 6 \(busy\)"):
            it.meter.transfer(IMAGE, lambda *_: None)
        it.device.rule = None
        assert sum(len(data) for data in it.device.files.values()) == 240
        it.device.put(4, 0, 230)  # it lost a part of the last record
        told: list[int] = []
        it.meter.transfer(IMAGE, lambda done, _: told.append(done))
        assert told == [240, 280, 300, 340, 380, 400, 440, 480, 500]
        assert b"".join(it.device.files[place] for place in sorted(it.device.files)) == IMAGE
        it.meter.transfer(IMAGE[::-1], lambda done, _: told.append(done))
        assert len(told) == 9 + 15, "another image is sent whole"


def test_an_image_without_verify_writes_is_verified_when_the_status_says_so() -> None:
    with lab(profile(IMAGE_PROFILE)) as it:
        it.device.put(2, 3)
        assert it.meter.verify(HASH, SIZE) is ImageState.VERIFIED
        assert it.written == []


def test_a_meter_that_takes_no_image_says_so() -> None:
    with lab(profile("")) as it:
        assert not it.meter.abilities.transfer
        with pytest.raises(LinkError, match="takes no image"):
            it.meter.transfer(IMAGE, lambda *_: None)
        with pytest.raises(LinkError, match="verifies no image"):
            it.meter.verify(HASH, SIZE)
        assert it.meter.image_state() is None
        assert it.meter.events() == ()
        assert it.meter.uptime_s() is None


def test_a_silent_meter_is_asked_before_the_activation_and_nothing_leaves() -> None:
    with lab(profile(LIST), secrets={"key": "x"}) as it:
        it.device.silent = True
        before = it.clock.now()
        with pytest.raises(LinkTimeout):
            it.meter.activate(HASH, SIZE)
        assert it.clock.now() - before == to_ns(TIMEOUT_S)
        assert it.written == []
