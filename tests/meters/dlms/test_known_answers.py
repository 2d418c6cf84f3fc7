"""Known answers: the frames, APDUs and ciphers that dlms-cosem publishes as its test vectors (facts, mostly the Green
Book's own examples), and those of FIPS 197 and of the specification of GCM."""

from __future__ import annotations

import pytest

from rig.meters.dlms import hdlc
from rig.meters.dlms.axdr import decode
from rig.meters.dlms.hdlc import Address, Frame, Parameters, Reader
from rig.twin.dlms.association import LOW, NONE, Association, Client, Counters, Security
from rig.twin.dlms.gcm import Gcm
from rig.twin.dlms.objects import Objects
from tests.meters.dlms.lab import still_meter

PUBLIC, METER = Address(16), Address(1, 17)
AARQ = "601DA109060760857405080101BE10040E01000000065F1F0400001E1DFFFF"
AARE = "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400001E1D04C80007"
KEY, AUTH_KEY = bytes(range(16)), bytes(range(0xD0, 0xE0))
TITLE, SERVER_TITLE = bytes.fromhex("4D4D4D0000000001"), bytes.fromhex("4D4D4D0000BC614E")


@pytest.mark.parametrize(
    ("frame", "wire"),
    [
        (Frame(METER, PUBLIC, hdlc.SNRM | hdlc.POLL), "7EA00802232193BD647E"),
        (Frame(Address(1), PUBLIC, hdlc.SNRM | hdlc.POLL), "7EA0070321930F017E"),
        (
            Frame(
                PUBLIC,
                METER,
                hdlc.UA | hdlc.POLL,
                bytes.fromhex("81801205019A06019A070400000001080400000001"),
            ),
            "7EA01F21022373E6C781801205019A06019A070400000001080400000001CCA27E",
        ),
        (
            Frame(METER, PUBLIC, hdlc.information(0, 0, True), hdlc.LLC_REQUEST + bytes.fromhex(AARQ)),
            f"7EA02C02232110AF9FE6E600{AARQ}C5E47E",
        ),
        (
            Frame(PUBLIC, METER, hdlc.information(0, 1, True), hdlc.LLC_RESPONSE + bytes.fromhex(AARE)),
            f"7EA0382102233034E7E6E700{AARE}B86A7E",
        ),
    ],
    ids=["SNRM", "SNRM to one byte", "UA", "AARQ", "AARE"],
)
def test_a_frame_is_what_was_published(frame: Frame, wire: str) -> None:
    assert frame.encode().hex().upper() == wire
    assert list(Reader().feed(bytes.fromhex(wire))) == [frame]


def test_a_segment_of_a_real_meter_is_read() -> None:
    body = (
        "a4090f01160002020f02160002020f03160002020f04160002020f05160002020f0616000204120017110009060000160000ff0202010902"
        "030f0116010002030f0216010002030f0316010002030f0416010002030f0516010002030f0616010002030f0716010002030f0816010002"
        "030f09160100"
    )
    (frame,) = Reader().feed(bytes.fromhex(f"7ea87e210396{body}016ff37e"))
    assert isinstance(frame, Frame)
    assert (frame.to, frame.sender, frame.segmented, frame.sent, frame.received) == (PUBLIC, Address(1), True, 3, 4)


def test_a_check_sequence_is_what_was_published() -> None:
    assert hdlc.check_sequence(bytes.fromhex("033f")).hex() == "5bec"
    assert hdlc.check_sequence(b"123456789") == (0x906E).to_bytes(2, "little"), "the catalogue's CRC-16/X-25"


def test_parameters_are_what_was_published() -> None:
    data = bytes.fromhex("81801205019A06019A070400000001080400000001")
    assert Parameters.decode(data) == Parameters(154, 154, 1, 1)


@pytest.mark.parametrize(
    ("upper", "lower", "wire"), [(16, None, "21"), (74, None, "95"), (1, 17, "0223"), (0x1234, 0x3FFF, "4868FEFF")]
)
def test_an_address_is_what_was_published(upper: int, lower: int | None, wire: str) -> None:
    assert Address.fits(upper, lower).encode().hex().upper() == wire


# -- the twin's side of an association -----------------------------------------------------------------------


def association(client: Client) -> Association:
    objects = Objects(still_meter(), 64)
    security = Security({16: client}, SERVER_TITLE, KEY, AUTH_KEY)
    return Association(objects, security, Counters(), lambda: bytes(16))


def test_an_association_without_security_is_accepted() -> None:
    answer = association(Client(NONE)).answer(16, bytes.fromhex(AARQ))
    assert answer[:24].hex().upper() == "6129A109060760857405080101A203020100A305A1030201"
    assert answer[24:].startswith(bytes.fromhex("00BE10040E0800065F1F0400"))


@pytest.mark.parametrize(("password", "diagnostic"), [(b"12345678", 0), (b"87654321", 13)])
def test_low_security_is_a_password(password: bytes, diagnostic: int) -> None:
    asked = "6036A1090607608574050801018A0207808B0760857405080201AC0A8008"
    asked += "3132333435363738BE10040E01000000065F1F0400007E1F04B0"
    answer = association(Client(LOW, password)).answer(16, bytes.fromhex(asked))
    assert (answer[17], answer[24]) == (diagnostic > 0, diagnostic)


def test_a_ciphered_association_of_the_green_book_is_accepted() -> None:
    asked = (
        "6066a109060760857405080103a60a04084D4D4D0000BC614E8a0207808b0760857405080201ac0a80083132333435363738be3404322130"
        "3001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB204D39EE6FDB8E356855"
    )
    it = association(Client(LOW, b"12345678", ciphered=True))
    assert it.answer(16, bytes.fromhex(asked))[17] == 0
    glo_get = "C81E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B"
    assert it.answer(16, bytes.fromhex(glo_get)) == bytes.fromhex("D8010601234568"), "its counter was used already"


# -- ciphers -------------------------------------------------------------------------------------------------


def test_a_get_request_is_ciphered_as_the_green_book_has_it() -> None:
    nonce, control = SERVER_TITLE + bytes.fromhex("01234567"), b"\x30"
    plain = bytes.fromhex("C0010000080000010000FF0200")
    sealed, tag = Gcm(KEY).seal(nonce, plain, control + AUTH_KEY)
    assert (sealed + tag).hex().upper() == "411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B"
    assert Gcm(KEY).open(nonce, sealed, control + AUTH_KEY, tag) == plain
    assert Gcm(KEY).open(nonce, sealed, control + AUTH_KEY, bytes(12)) is None


def test_gmac_is_as_the_green_book_has_it() -> None:
    challenge = bytes.fromhex("503677524A323146")
    _, tag = Gcm(KEY).seal(TITLE + bytes.fromhex("00000001"), b"", b"\x10" + AUTH_KEY + challenge)
    assert tag.hex().upper() == "1A52FE7DD3E72748973C1E28"


def test_aes_and_gcm_are_as_their_specifications_have_them() -> None:
    assert (
        Gcm(KEY)._block(bytes.fromhex("00112233445566778899aabbccddeeff")).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    )
    key, nonce = bytes.fromhex("feffe9928665731c6d6a8f9467308308"), bytes.fromhex("cafebabefacedbaddecaf888")
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
        "ba637b39"
    )
    sealed, tag = Gcm(key).seal(nonce, plain, bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"))
    assert sealed.hex().startswith("42831ec2217774244b7221b784d0d49c")
    assert tag.hex() == "5bc94fbc3221a5db94fae95a"


def test_data_is_what_was_published() -> None:
    value = decode(bytes.fromhex("0203120017110009060000160000FF"))
    assert [item.number or item.data for item in value.items] == [0x17, b"", bytes.fromhex("0000160000FF")]
    assert value.encode().hex().upper() == "0203120017110009060000160000FF"
