"""The bench file: a good one, and every way in which a bad one is refused in one line with file, key and line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rig.bench.config import load_bench
from rig.errors import ExitCode, InputError
from rig.instruments.wires import LineSettings
from tests.bench.files import FILE, GOOD, checked, spoilt


def refused(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        checked(text)
    assert caught.value.code is ExitCode.BAD_INPUT
    assert "\n" not in caught.value.one_line()
    return caught.value


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text(GOOD, encoding="utf-8")
    config = load_bench(path)
    assert config == checked()
    assert config.relay_of("meter-feed").name == "K2"
    assert next(line for line in config.sense if line.role == "rail_down").band_v == [4.6, 5.4]
    assert (config.limits.limit_s, config.limits.comparison) == (180.0, "ge")


def test_the_defaults_contradict_nothing() -> None:
    """Whoever leaves out what may be left out gets a bench whose control cut proves something."""
    keep = {"bench", "hub", "supply", "oscilloscope", "relay", "sense", "meter"}
    tables = [part for part in GOOD.split("\n\n") if part.strip().strip("[").split("]")[0] in keep]
    text = 'schema = "rig.bench/1"\n\n' + "\n\n".join(tables)
    config = checked(text)
    assert config.topology.control_cut_s - config.topology.discharge_s > config.rail.restore_min_s


@pytest.mark.parametrize("written", ["2027-03-31", '"2027-03-31"'])
def test_a_day_is_tomls_own_or_in_quotes(written: str) -> None:
    text, _ = spoilt("supply", "channel = 1", f"channel = 1\ncalibration_due = {written}")
    assert checked(text).supply[0].calibration_due == date(2027, 3, 31)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('"2027-02-30"', "'2027-02-30' is no day: day is out of range for month"),
        ('"soon"', "soon is no day like 2027-03-31"),
        ("2027-03-31T10:00:00", "2027-03-31 10:00:00 is no day like 2027-03-31"),
        ("20270331", "20270331 is no day like 2027-03-31"),
    ],
)
def test_what_is_no_day_is_told_with_its_line(written: str, message: str) -> None:
    text, line = spoilt("supply", "channel = 1", f"channel = 1\ncalibration_due = {written}")
    error = refused(text)
    assert error.message == message
    assert (error.where.key, error.where.line) == ("supply[0].calibration_due", line + 1)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_bench(tmp_path / FILE)


@pytest.mark.parametrize(
    ("table", "old", "new", "key", "message", "found", "expected"),
    [
        ("limits", "limit_s =", "limits_s =", "limits.limits_s", "unknown key; did you mean 'limit_s'?", None, None),
        ("rail", "ride_through_s", "ride_trough_s", "rail.ride_trough_s", "did you mean 'ride_through_s'?", None, None),
        ("relay", "pin =", "pins =", "relay[0].pins", "unknown key; did you mean 'pin'?", None, None),
        ("meter", "quiet_s =", "colour =", "meter.colour", "unknown key", None, "one of: profile"),
        ("limits", "180.0", '"180"', "limits.limit_s", "wrong type", "'180'", "a number"),
        ("limits", "180.0", "nan", "limits.limit_s", "not allowed", "nan", "a finite number"),
        ("limits", "180.0", "inf", "limits.limit_s", "not allowed", "inf", "a finite number"),
        ("limits", "180.0", "0.0", "limits.limit_s", "not allowed", "0.0", "more than 0"),
        ("limits", '"ge"', '"gte"', "limits.comparison", "not allowed", "'gte'", "'ge' or 'gt'"),
        ("hub", "false", '"no"', "hub.commissioned", "wrong type", "'no'", "true or false"),
        ("hub", "commissioned = false", "", "hub.commissioned", "missing key", None, "true or false"),
        ("supply", "channel = 1", "channel = 1.5", "supply[0].channel", "wrong type", "1.5", "a whole number"),
        ("supply", "channel = 1", "channel = true", "supply[0].channel", "wrong type", "true", "a whole number"),
        ("supply", "channel = 1", "channel = 5", "supply[0].channel", "not allowed", "5", "at most 4"),
        ("supply", "rigol-dp800", "rigol-dp900", "supply[0].driver", "not allowed", "'rigol-dp900'", "'rigol-dp800'"),
        ("supply", "13.2", '"non"', "supply[0].over_voltage_v", "not allowed", "'non'", "a number or 'none'"),
        ("supply", "13.2", '"at-limit"', "supply[0].over_voltage_v", "not allowed", "'at-limit'", "a number or 'none'"),
        ("supply", "13.2", "true", "supply[0].over_voltage_v", "wrong type", "true", "a number"),
        ("supply", "13.2", "60.5", "supply[0].over_voltage_v", "not allowed", "60.5", "at most 60"),
        ("supply", "= 2.0", '= "limit"', "supply[0].over_current_a", "not allowed", "'limit'", "'at-limit' or 'none'"),
        ("relay", "17", "28", "relay[0].pin", "not allowed", "28", "at most 27"),
        ("relay", '"mains"', '"main"', "relay[0].role", "not allowed", "'main'", "'mains'"),
        ("sense", "[10.2, 10.8]", "[10.2]", "sense[0].band_v", "not allowed", "an array of 1", "at least 2 entries"),
        ("topology", "5.0", "29.5", "topology.control_cut_s", "not allowed", "29.5", "at most 29"),
        ("topology", '"ichis"', '"hotshoe"', "topology.kind", "not allowed", "'hotshoe'", "'ichis' or 'hot-shoe'"),
        ("bench", '"twin"', '"my bench"', "bench.name", "not allowed", "'my bench'", "text like"),
    ],
)
def test_a_wrong_key_or_value_is_told_with_its_key_and_line(
    table: str, old: str, new: str, key: str, message: str, found: str | None, expected: str | None
) -> None:
    text, line = spoilt(table, old, new)
    error = refused(text)
    missing = new == ""
    where = error.where
    assert (where.file, where.key, where.found) == (FILE, key, found)
    assert where.line == (GOOD.splitlines().index(f"[{table}]") + 1 if missing else line)
    assert message in error.message
    assert expected is None or expected in (where.expected or "")


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("supply", "volts = 12.0", "volts = 13.2", "must be volts < over_voltage_v <= max_volts"),
        ("supply", "max_volts = 14.0", "max_volts = 13.0", "must be volts < over_voltage_v <= max_volts"),
        ("supply", "over_current_a = 2.0", "over_current_a = 1.5", "must be amps < over_current_a <= max_amps"),
        ("supply", "max_amps = 2.5", "max_amps = 1.9", "must be amps < over_current_a <= max_amps"),
    ],
)
def test_limits_of_the_supply_that_contradict_each_other_are_told(table: str, old: str, new: str, message: str) -> None:
    text, _ = spoilt(table, old, new)
    error = refused(text)
    assert error.message == message
    assert error.where.key == "supply[0]"
    assert error.where.line == GOOD.splitlines().index("[[supply]]") + 1


@pytest.mark.parametrize(
    ("table", "good", "bad"),
    [
        ("supply", "TCPIP::192.0.2.10::5555::SOCKET", "TCPIP::192.0.2.10::5555::INSTR"),
        ("supply", "TCPIP::192.0.2.10::5555::SOCKET", "GPIB0::5::INSTR"),
        ("oscilloscope", "TCPIP::192.0.2.11::5555::SOCKET", "192.0.2.11:5555"),
        ("meter", "192.0.2.12:502", "192.0.2.12"),
        ("meter", "192.0.2.12:502", "192.0.2.12:99999"),
        ("meter", "192.0.2.12:502", "fe80::1:502"),
        ("meter", "192.0.2.12:502", "192.0.2.12:502\\n"),
    ],
)
def test_an_address_that_no_link_speaks_is_told_before_anything_is_opened(table: str, good: str, bad: str) -> None:
    text, line = spoilt(table, good, bad)
    error = refused(text)
    assert "is no address like" in error.message
    assert error.where.line == line


@pytest.mark.parametrize("port", ["0", "65536"])
def test_a_port_that_cannot_be_is_told(port: str) -> None:
    text, line = spoilt("supply", "::5555::SOCKET", f"::{port}::SOCKET")
    error = refused(text)
    assert "the port must be from 1 to 65535" in error.message
    assert error.where.line == line


def test_how_a_serial_line_is_set_is_of_a_serial_port_only() -> None:
    good = 'address = "TCPIP::192.0.2.10::5555::SOCKET"'
    assert "baud is of a serial port" in refused(spoilt("supply", good, f"{good}\nbaud = 9600")[0]).message
    serial = 'address = "ASRL/dev/ttyUSB0::INSTR"\nbaud = 19200\nparity = "even"'
    assert checked(spoilt("supply", good, serial)[0]).supply[0].line() == LineSettings(19200, "even", 1)


@pytest.mark.parametrize(
    ("table", "good", "other"),
    [
        ("supply", "TCPIP::192.0.2.10::5555::SOCKET", "TCPIP::192.0.2.10::INSTR"),
        ("supply", "TCPIP::192.0.2.10::5555::SOCKET", "TCPIP0::192.0.2.10::inst0::INSTR"),
        ("supply", "TCPIP::192.0.2.10::5555::SOCKET", "TCPIP::psu.lab.example::hislip0::INSTR"),
        ("supply", "TCPIP::192.0.2.10::5555::SOCKET", "USB0::0x1AB1::0x0E11::DP8C000000000::INSTR"),
        (
            "oscilloscope",
            "TCPIP::192.0.2.11::5555::SOCKET",
            "ASRL/dev/serial/by-path/usb-0:2:1.0-port0::INSTR",
        ),
        ("supply", "TCPIP::192.0.2.10::5555::SOCKET", "tcpip0::supply.lab.example::5555::socket"),
        ("oscilloscope", "TCPIP::192.0.2.11::5555::SOCKET", "TCPIP::[fe80::1]::5555::SOCKET"),
        ("meter", "192.0.2.12:502", "[fe80::1]:502"),
        ("meter", "192.0.2.12:502", "meter-1.lab.example:1502"),
    ],
)
def test_other_forms_of_good_addresses_are_taken(table: str, good: str, other: str) -> None:
    checked(spoilt(table, good, other)[0])


NUMBERS = [
    (number, line.split("=")[0].strip())
    for number, line in enumerate(GOOD.splitlines())
    if line and line.split("=")[-1].split("#")[0].strip().replace("_", "").replace(".", "").isdigit()
]


@pytest.mark.parametrize("value", ["nan", "inf", "-1.0", "-inf"])
@pytest.mark.parametrize(("number", "key"), NUMBERS, ids=[f"{number + 1}-{key}" for number, key in NUMBERS])
def test_no_number_of_the_file_may_be_nan_infinite_or_negative(number: int, key: str, value: str) -> None:
    lines = GOOD.splitlines()
    lines[number] = f"{key} = {value}"
    assert refused("\n".join(lines) + "\n").where.line == number + 1


def test_there_are_numbers_in_the_file() -> None:
    assert len(NUMBERS) > 30


def test_a_second_supply_is_refused_and_none_too() -> None:
    supply = GOOD[GOOD.index("[[supply]]") : GOOD.index("[[oscilloscope]]")]
    assert refused(GOOD.replace(supply, supply + supply)).where.expected == "at most 1 entries"
    assert refused(GOOD.replace(supply, "")).message == "missing key"
