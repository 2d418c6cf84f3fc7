"""The [meter] table of a meter on DLMS: what may stand there, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from rig.bench.dlms_opening import open_dlms
from rig.bench.dlms_table import DlmsPart
from rig.bench.meter_table import place
from rig.clock.virtual import VirtualClock
from rig.errors import InputError
from rig.meters.dlms.profile import Profile, load_profile, names

ON_A_PORT = {"driver": "dlms", "port": "/dev/ttyUSB0"}


@pytest.mark.parametrize("port", ["/dev/ttyUSB0", "rfc2217://192.0.2.1:4001", "socket://[2001:db8::1]:4001"])
def test_a_port_is_a_device_or_a_server_of_one(port: str) -> None:
    assert DlmsPart(driver="dlms", port=port).sign_on == "mode-e"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"driver": "dlms"}, "one of them"),
        ({**ON_A_PORT, "address": "192.0.2.1:4059"}, "one of them"),
        ({"driver": "dlms", "port": "COM3"}, "pattern"),
        ({"driver": "dlms", "port": "spy:///dev/ttyUSB0"}, "pattern"),
        ({**ON_A_PORT, "authentication": "high-gmac"}, "need a system title"),
        ({**ON_A_PORT, "ciphered": True}, "need a system title"),
        ({**ON_A_PORT, "title": "00"}, "pattern"),
        ({**ON_A_PORT, "window": 8}, "less than or equal to 7"),
        ({**ON_A_PORT, "information_bytes": 4096}, "less than or equal to 2030"),
        ({**ON_A_PORT, "image_object": "0-0:44.0.0"}, "no OBIS code"),
        ({**ON_A_PORT, "image_object": "0-0:44.0.999*255"}, "no OBIS code"),
        ({**ON_A_PORT, "password": "secret"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_refused(table: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        DlmsPart.model_validate(table)


def test_where_it_is_is_said_with_its_addresses() -> None:
    assert place(DlmsPart(driver="dlms", port="/dev/ttyUSB0", server=1, physical=17)) == "/dev/ttyUSB0 DLMS server 1.17"
    assert place(DlmsPart(driver="dlms", address="Meter:4059")) == "meter:4059 DLMS server 1"


def test_a_password_that_is_missing_is_told_with_the_places_it_could_come_from(tmp_path: Path) -> None:
    part = DlmsPart(driver="dlms", port="/dev/ttyUSB0", authentication="low")
    with pytest.raises(InputError, match="credential 'password'") as caught:
        open_dlms("meter", part, VirtualClock(), tmp_path)
    assert "RIG_METER_PASSWORD" in caught.value.one_line()


def test_a_secret_that_is_no_aes_key_is_refused_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIG_METER_PASSWORD", "seventeen-letters")
    part = DlmsPart(driver="dlms", port="/dev/ttyUSB0", authentication="high")
    with pytest.raises(InputError, match="too long for the AES-128 key") as caught:
        open_dlms("meter", part, VirtualClock(), tmp_path)
    assert "at most 16 characters" in caught.value.one_line()
    assert "seventeen" not in caught.value.one_line()


def test_an_unknown_profile_is_told_with_the_known_ones(tmp_path: Path) -> None:
    part = DlmsPart(driver="dlms", port="/dev/ttyUSB0", profile="synthetic-esme-dlm")
    with pytest.raises(InputError, match="no DLMS profile of this name") as caught:
        open_dlms("meter", part, VirtualClock(), tmp_path)
    assert "synthetic-esme-dlms" in caught.value.one_line()


def test_a_wrong_key_of_a_profile_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('schema = "rig.dlms-profile/1"\nname = "mine"\n\n[version]\nobis = "1.0.0.2.0.255"\n')
    with pytest.raises(InputError) as caught:
        load_profile(str(file), "meter.profile")
    assert f"{file}:5: version.obis" in caught.value.one_line()


def test_the_packaged_profiles_are_good_and_the_defaults_are_the_blue_books() -> None:
    assert [load_profile(name, "meter.profile").name for name in names()] == names()
    blue = Profile()
    assert (blue.version.obis, blue.image.obis, blue.clock.obis) == ("1-0:0.2.0*255", "0-0:44.0.0*255", "0-0:1.0.0*255")
    assert load_profile(None, "meter.profile") == blue
