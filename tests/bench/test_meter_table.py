"""The [meter] table of each driver: what may be in it, and what is told of a bad one, with file, key and line."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from rig.bench.config import check_bench, load_bench, locate
from rig.bench.meter_opening import open_meter, open_reader
from rig.bench.meter_table import ModbusRtuTable, OpticalTable, OutsideTable, PluginTable, place
from rig.clock.virtual import VirtualClock
from rig.errors import InputError
from rig.meters.iec62056.meter import OpticalMeter
from rig.meters.modbus import ModbusMeter
from rig.meters.outside import OutsideMeter
from tests.bench.files import FILE, GOOD

RTU = 'driver = "modbus-rtu"\nport = "/dev/ttyUSB0"\nprofile = "synthetic-esme"\n'
PERSON = 'driver = "outside"\ntrigger = "person"\n'
COMMAND = f'driver = "outside"\ntrigger = "command"\ncommand = [{sys.executable!r}, "start"]\n'
CONTACT = 'driver = "outside"\ntrigger = "contact"\n[meter.contact]\nline = 24\n'
READS = '[meter.reads]\ndriver = "modbus-tcp"\naddress = "192.0.2.12:502"\nprofile = "abb-a43"\n'
PLUGIN = 'driver = "plugin"\nplugin = "acme"\nsettings = { host = "192.0.2.12", port = 4001 }\n'


def bench(meter: str) -> str:
    """The good bench file with this [meter] table, at its end."""
    begin = GOOD.index("[meter]")
    end = GOOD.find("\n[", begin + 1)
    rest = "" if end < 0 else GOOD[end:]
    return GOOD[:begin] + rest.lstrip("\n") + f"\n[meter]\n{meter}"


def checked(meter: str):  # type: ignore[no-untyped-def]
    text = bench(meter)
    return check_bench(tomllib.loads(text), text, FILE)


def refused(meter: str) -> InputError:
    with pytest.raises(InputError) as caught:
        checked(meter)
    return caught.value


OPTICAL = 'driver = "optical"\nport = "/dev/ttyUSB0"\nprofile = "synthetic-esme-optical"\n'


# -- good tables -----------------------------------------------------------------------------------------------------


def test_a_serial_line_has_the_defaults_of_the_standard() -> None:
    table = checked(RTU).meter
    assert isinstance(table, ModbusRtuTable)
    assert (table.baud, table.parity, table.stop_bits, table.unit) == (19_200, "even", 1, 1)
    assert place(table) == "/dev/ttyUSB0 unit 1"


@pytest.mark.parametrize("more", ["", READS, 'version_command = ["cat", "version"]\n', 'maker = "M"\nserial = "7"\n'])
def test_a_meter_that_a_person_starts_is_read_typed_or_told_by_a_command(more: str) -> None:
    assert isinstance(checked(PERSON + more).meter, OutsideTable)


def test_a_plug_in_has_settings_of_its_own() -> None:
    table = checked(PLUGIN).meter
    assert isinstance(table, PluginTable)
    assert table.settings == {"host": "192.0.2.12", "port": 4001}
    assert place(table) == 'plug-in acme: {"host": "192.0.2.12", "port": 4001}'


def test_a_meter_that_is_only_read_is_at_its_address_for_whoever_wants_it() -> None:
    assert place(checked(CONTACT + READS).meter) == "192.0.2.12:502 unit 1"


# -- bad tables ------------------------------------------------------------------------------------------------------

BAD = {
    "an unknown driver": ('driver = "modbus"\n', "meter.driver", "not allowed", "'modbus'", "'modbus-rtu'"),
    "no driver": ('profile = "synthetic-esme"\n', "meter.driver", "missing key", None, "'plugin'"),
    "another driver's key": (
        RTU + 'address = "x:1"\n',
        "meter.address",
        "unknown key",
        None,
        "driver, port, baud, parity",
    ),
    "a key of another kind": (
        PERSON + 'profile = "x"\n',
        "meter.profile",
        "unknown key",
        None,
        "driver, trigger, command, command_s",
    ),
    "a near miss": (RTU + "stopbits = 2\n", "meter.stopbits", "did you mean 'stop_bits'?", None, None),
    "a baud rate that is none": (RTU + "baud = 9601\n", "meter.baud", "not allowed", "9601", "9600"),
    "a parity that is none": (RTU + 'parity = "mark"\n', "meter.parity", "not allowed", "'mark'", "'even'"),
    "unit 0 on a line": (RTU + "unit = 0\n", "meter.unit", "not allowed", "0", "at least 1"),
    "a port that is no device": (RTU.replace("/dev/ttyUSB0", "COM3"), "meter.port", "not allowed", "'COM3'", "/dev/"),
    "a trigger that is none": (PERSON.replace("person", "han"), "meter.trigger", "not allowed", "'han'", "'person'"),
    "a command without words": (COMMAND.replace(f'{sys.executable!r}, "start"', ""), "meter.command", "", None, None),
    "a command as one line": (
        PERSON.replace("person", "command") + 'command = "start now"\n',
        *("meter.command", "wrong type", "'start now'", "an array"),
    ),
    "a contact for a person": (PERSON + "[meter.contact]\nline = 24\n", "meter", "contact belongs to", None, None),
    "a command trigger without one": (PERSON.replace("person", "command"), "meter", "command belongs to", None, None),
    "two tellers of the version": (PERSON + 'version_command = ["v"]\n' + READS, "meter", "not by both", None, None),
    "who it is, twice": (PERSON + 'maker = "M"\n' + READS, "meter", "who the meter is, is read", None, None),
    "a credential in the file": (RTU + 'password = "x"\n', "meter.password", "unknown key", None, "credentials_file"),
}


@pytest.mark.parametrize(("meter", "key", "message", "found", "expected"), BAD.values(), ids=BAD)
def test_a_bad_table_is_told_with_its_key_and_line(
    meter: str, key: str, message: str, found: str | None, expected: str | None
) -> None:
    error = refused(meter)
    assert message in error.message
    assert (error.where.file, error.where.key) == (FILE, key)
    assert found is None or error.where.found == found
    assert expected is None or expected in (error.where.expected or "")
    lines, last = bench(meter).splitlines(), key.rpartition(".")[2]
    line = lines[(error.where.line or 0) - 1]
    assert line.startswith((f"{last} =", "[meter]"))


# -- what is found when it is opened, before anything is touched ------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_folder(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder / "run"))


def not_opened(meter: str, tmp_path: Path) -> InputError:
    """What is told of a bench file on disk whose meter cannot be opened, as a face tells it."""
    file = tmp_path / FILE
    file.write_text(bench(meter))
    config = load_bench(file)
    with pytest.raises(InputError) as caught:
        open_meter(config, VirtualClock())
    locate(caught.value, file)
    return caught.value


OPENED = {
    "an unknown profile": (RTU.replace("-esme", "-esmy"), "meter.profile", "did you mean 'synthetic-esme'?"),
    "a profile that only reads": (RTU.replace("synthetic-esme", "abb-a43"), "meter.profile", "only reads"),
    "an unknown profile to read": (PERSON + READS.replace("a43", "a44"), "meter.reads.profile", "no meter profile"),
    "no such program": (PERSON + 'version_command = ["no-such-7"]\n', "meter.version_command[0]", "no such program"),
    "an unknown plug-in": (PLUGIN, "meter.plugin", "no meter plug-in of this name"),
}


@pytest.mark.parametrize(("meter", "key", "message"), OPENED.values(), ids=OPENED)
def test_what_is_not_there_is_told_with_file_key_and_line(meter: str, key: str, message: str, tmp_path: Path) -> None:
    error = not_opened(meter, tmp_path)
    assert message in error.message
    assert (error.where.file, error.where.key) == (str(tmp_path / FILE), key)
    line = bench(meter).splitlines()[(error.where.line or 0) - 1]
    assert line.startswith(key.rpartition(".")[2].partition("[")[0] + " =")
    assert not list((tmp_path / "run").glob("**/*.trigger"))


def test_credentials_that_others_may_read_are_refused_before_anything_is_touched(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text('acme = "x"\n')
    secrets.chmod(0o644)
    error = not_opened(PLUGIN + f'credentials_file = "{secrets}"\n', tmp_path)
    assert "others may read the credentials" in error.message
    assert error.where.file == str(secrets)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_opening_talks_to_nobody_and_leaves_nothing(tmp_path: Path) -> None:
    before = descriptors()
    for meter, kind in ((RTU, ModbusMeter), (PERSON + READS, OutsideMeter)):
        opened = open_meter(checked(meter), VirtualClock())
        assert isinstance(opened, kind)
        opened.close()
    assert open_reader(checked(PLUGIN), VirtualClock()) is None
    assert isinstance(open_reader(checked(CONTACT + READS), VirtualClock()), ModbusMeter)
    assert descriptors() == before


# -- an optical head ---------------------------------------------------------------------------------------------------


def test_an_optical_head_has_the_defaults_of_the_standard() -> None:
    table = checked(OPTICAL).meter
    assert isinstance(table, OpticalTable)
    assert (table.first_baud, table.most_baud, table.parity, table.device, table.wake_up) == (
        300,
        19_200,
        "even",
        "",
        False,
    )
    assert place(table) == "/dev/ttyUSB0 optical"
    assert place(checked(OPTICAL + 'device = "123"\n').meter) == "/dev/ttyUSB0 optical device 123"


@pytest.mark.parametrize(
    "port", ["rfc2217://192.0.2.9:2217?ign_set_control", "socket://192.0.2.9:4001", "/dev/serial/by-id/x"]
)
def test_a_head_may_be_behind_a_server(port: str) -> None:
    assert checked(OPTICAL.replace("/dev/ttyUSB0", port)).meter.port == port


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("/dev/ttyUSB0", "ttyUSB0", "meter.port"),
        ("/dev/ttyUSB0", "spy:///dev/ttyUSB0", "meter.port"),
        (
            'profile = "synthetic-esme-optical"\n',
            'profile = "synthetic-esme-optical"\nmost_baud = 115200\n',
            "meter.most_baud",
        ),
        ('profile = "synthetic-esme-optical"\n', 'profile = "synthetic-esme-optical"\ndevice = "1!"\n', "meter.device"),
        (
            'profile = "synthetic-esme-optical"\n',
            'profile = "synthetic-esme-optical"\npassword = "1"\n',
            "meter.password",
        ),
    ],
)
def test_what_is_wrong_with_a_head_has_its_place(old: str, new: str, key: str) -> None:
    error = refused(OPTICAL.replace(old, new))
    assert error.where.key == key
    assert error.where.line is not None


def test_a_profile_that_only_reads_cannot_activate_and_a_missing_credential_says_where_it_could_come_from() -> None:
    clock = VirtualClock()
    with pytest.raises(InputError, match="this profile only reads"):
        open_meter(checked(OPTICAL.replace("synthetic-esme-optical", "lem-em4tii")), clock)
    with pytest.raises(InputError, match="needs the credential 'twin_password'") as caught:
        open_meter(checked(OPTICAL), clock)
    assert "RIG_METER_TWIN_PASSWORD" in caught.value.one_line()
    with pytest.raises(InputError, match="a profile for another protocol"):
        open_meter(checked(OPTICAL.replace("synthetic-esme-optical", "synthetic-esme")), clock)


def test_a_meter_that_is_started_elsewhere_is_read_through_its_optical_head() -> None:
    reads = '[meter.reads]\ndriver = "optical"\nport = "/dev/ttyUSB0"\nprofile = "nzr-sem16"\n'
    config = checked(PERSON + reads)
    assert place(config.meter) == "/dev/ttyUSB0 optical"
    assert isinstance(open_reader(config, VirtualClock()), OpticalMeter)
