"""What no single key shows: each contradiction is told with file, key and line, and none is told of a good file."""

from __future__ import annotations

import tomllib

import pytest

from rig.bench.checks import faults
from rig.bench.config import check_bench
from rig.errors import InputError
from tests.bench.files import FILE, GOOD, checked, spoilt


def test_a_good_file_has_no_fault() -> None:
    assert faults(checked()) == []


Row = tuple[str, str, str, str, str, str, str]
ROWS: list[Row] = [
    ("rail", "down_below_v = 6.0", "down_below_v = 10.0", "rail", "out of order", "10, 10, 12", "down_below_v < up"),
    ("rail", "up_above_v = 10.0", "up_above_v = 12.0", "rail", "out of order", "6, 12, 12", "up_above_v < nominal_v"),
    ("topology", "safe_v = 5.5", "safe_v = 6.1", "topology.safe_v", "a safe rail must be down", "6.1 V", "at most"),
    ("rail", "noise_v = 0.1", "noise_v = 2.0", "rail.noise_v", "with this noise", "2 V", "below 2 V"),
    ("relay", 'role = "mains"', 'role = "meter-feed"', "relay", "exactly one relay has the role 'mains'", "0", "1"),
    ("sense", 'role = "rail_up"', 'role = "ac_lo"', "sense", "exactly one sense has the role 'rail_up'", "0", "1"),
    ("sense", 'role = "rail_up"', 'role = "rail_down"', "sense", "exactly one sense has the role 'rail_up'", "0", "1"),
    ("sense", 'role = "ac_lo"', 'role = "mt_pr"', "sense", "at most one sense has the role 'mt_pr'", "2", "0 or 1"),
    ("relay", 'safe = "open"', 'safe = "as-is"', "relay[1].safe", "is safe when open", "as-is", "open"),
    ("oscilloscope", 'node = "hub"', 'node = "meter"', "oscilloscope[0].node", "the judged node", "meter", "hub"),
    (
        "oscilloscope",
        'node = "hub"',
        'node = "hub"\npeak_detect = true',
        "oscilloscope[0].peak_detect",
        "no guide was found that says what the record of a rigol-ds1000z looks like",
        "true",
        "keysight-infiniivision, tektronix-tbs-mso",
    ),
    ("sense", "latency_s", 'node = "meter"\nlatency_s', "sense[0].node", "the judged node", "meter", "hub"),
    ("sense", "gpiochip0", "gpiochip4", "sense[1].chip", "of one chip", "/dev/gpiochip0", "/dev/gpiochip4"),
    ("sense", "band_v = [10.2, 10.8]", "", "sense[0].band_v", "rail_up needs its switching band", "nothing", "volts"),
    ("sense", "[10.2, 10.8]", "[10.8, 10.2]", "sense[0].band_v", "lowest to its highest", "10.8 to 10.2 V", "lowest"),
    ("sense", "[10.2, 10.8]", "[9.9, 10.8]", "sense[0].band_v", "proves no 'up'", "9.9 to 10.8 V", "from 10 V up"),
    ("sense", "[10.2, 10.8]", "[10.2, 12.0]", "sense[0].band_v", "does not leave", "10.2 to 12 V", "below 12 V"),
    ("supply", "volts = 12.0", "volts = 10.5", "sense[0].band_v", "does not leave", "10.2 to 10.8 V", "below 10.5 V"),
    ("sense", "[4.6, 5.4]", "[4.6, 5.6]", "sense[1].band_v", "proves no 'down'", "4.6 to 5.6 V", "up to 5.5 V"),
    ("topology", "control_cut_s = 5.0", "control_cut_s = 3.0", "topology.control_cut_s", "nothing", "3 s", "than 3 s"),
    ("meter", "quiet_s = 60.0", "quiet_s = 1.0", "meter.quiet_s", "counts as back", "1 s", "restore_min_s, 1 s"),
    ("oscilloscope", "pre_s = 6.0", "pre_s = 600.0", "oscilloscope[0].pre_s", "nothing of the window", "600 s", "less"),
    ("guardian", "silent_s = 5.0", "silent_s = 0.9", "guardian.silent_s", "one late beat", "0.9 s", "beat_s, 1 s"),
    ("guardian", "28_800.0", "5190.0", "guardian.longest_energised_s", "a whole run may", "5190 s", "more than 5190 s"),
    ("topology", "least_off_s = 2.0", "least_off_s = 0.09", "topology.least_off_s", "dead time", "0.09 s", "0.1 s"),
    (
        "guardian",
        "beat_s",
        "watchdog_period_s = 1.0\nbeat_s",
        "guardian.watchdog_period_s",
        "a pin that is not",
        "",
        "",
    ),
    ("guardian", "beat_s", 'estop_pressed = "low"\nbeat_s', "guardian.estop_pressed", "not there", "", "estop_pin"),
    ("guardian", "beat_s", "estop_pin = 22\nbeat_s", "guardian.estop_pin", "used twice", "GPIO 22", "K3 has it"),
    ("relay", '"K1"', '"K2"', "relay[1].name", "a name is used twice", "K2", "not that of relay[0]"),
    ("sense", "latency_s = 0.001", "latency_s = 0.021", "sense[0].latency_s", "may leave no edge", "0.021 s", "0.02 s"),
    ("relay", "dwell_s = 0.1", "dwell_s = 5.1", "relay[2].least_dwell_s", "not make the control cut", "5.1 s", "5 s"),
    ("sense", 'name = "rail_up"', 'name = "psu"', "sense[0].name", "a name is used twice", "psu", "supply[0]"),
    ("sense", "line = 5", "line = 17", "sense[0].line", "a pin is used twice", "GPIO 17 for rail_up", "K1 has it"),
    ("relay", "pin = 17", "pin = 27", "relay[1].pin", "a pin is used twice", "GPIO 27 for K2", "K1 has it"),
    ("oscilloscope", "192.0.2.11", "192.0.2.10", "oscilloscope[0].address", "used twice", "192.0.2.10", "of psu"),
]


@pytest.mark.parametrize(("table", "old", "new", "key", "message", "found", "expected"), ROWS)
def test_each_contradiction_is_told_with_file_key_and_line(
    table: str, old: str, new: str, key: str, message: str, found: str, expected: str
) -> None:
    text, _ = spoilt(table, old, new)
    with pytest.raises(InputError) as caught:
        checked(text)
    error = caught.value
    assert (error.where.file, error.where.key) == (FILE, key)
    assert message in error.message
    assert found in (error.where.found or "")
    assert expected in (error.where.expected or "")
    assert error.where.line == _line(text, key)
    assert "\n" not in error.one_line()


HEAD = GOOD[: GOOD.index("[[relay]]")]
METER = GOOD[GOOD.index("[meter]") :]
COIL = """[[relay]]
name = "{name}"
role = "{role}"
driver = "modbus-coil"
{place}
coil = {coil}
safe = "open"
"""
SERVED = """[[sense]]
name = "{role}"
role = "{role}"
driver = "line-server"
address = "127.0.0.1:5005"
line = {line}
{band}
"""
BOARD = 'address = "192.0.2.13:502"\ntimeout_s = 2.0'
PORT = 'port = "/dev/ttyUSB0"\nbaud = 19200'


def boards() -> str:
    """The good bench with its relays on a board on TCP and one on a serial port, and its lines on a server."""
    relays = [("K1", "mains", BOARD, 0), ("K2", "meter-feed", BOARD, 1), ("K3", "supply-feed", PORT, 1)]
    lines = [("rail_up", 5, "band_v = [10.2, 10.8]"), ("rail_down", 6, "band_v = [4.6, 5.4]"), ("mains", 12, "")]
    return (
        HEAD
        + "".join(COIL.format(name=name, role=role, place=place, coil=coil) for name, role, place, coil in relays)
        + "".join(SERVED.format(role=role, line=line, band=band) for role, line, band in lines)
        + METER
    )


def test_relays_on_boards_and_lines_on_a_server_are_a_good_bench() -> None:
    assert faults(checked(boards())) == []


ROWS_OF_BOARDS: list[tuple[str, str, str, str, str, str]] = [
    ("coil = 1", "coil = 0", "relay[1].coil", "a pin is used twice", "coil 0 of unit 1 at 192.0.2.13:502", "K1 has"),
    ("timeout_s = 2.0", "timeout_s = 1.5", "relay[1].timeout_s", "on the same link as K1", "2.0", "1.5"),
    ("127.0.0.1:5005", "127.0.0.1:5006", "sense[1].address", "of one line server", "127.0.0.1:5005", "127.0.0.1:5006"),
    ("line = 6", "line = 5", "sense[1].line", "a pin is used twice", "served line 5 for rail_down", "rail_up has it"),
]


@pytest.mark.parametrize(("old", "new", "key", "message", "found", "expected"), ROWS_OF_BOARDS)
def test_each_contradiction_of_boards_and_servers_is_told(
    old: str, new: str, key: str, message: str, found: str, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        checked(boards().replace(old, new, 1))
    error = caught.value
    assert error.where.key == key
    assert message in error.message
    assert found in (error.where.found or "")
    assert expected in (error.where.expected or "")


def test_lines_of_a_chip_and_of_a_server_are_not_one_request() -> None:
    gpio = 'driver = "line-server"\naddress = "127.0.0.1:5005"\nline = 6'
    with pytest.raises(InputError, match="of one chip, or of one line server") as caught:
        checked(boards().replace(gpio, 'driver = "gpiod"\nline = 6'))
    assert caught.value.where.key == "sense[1].driver"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ('coil = 0\nport = "/dev/ttyUSB0"', "either address (Modbus TCP) or port (a serial line)"),
        ("coil = 255", "at most 254"),
        ("coil = 0\nunit = 256", "at most 255"),
        ("coil = 0\nbaud = 9601", "expected 1200, 2400"),
        ('coil = 0\nparity = "mark"', "'none', 'even' or 'odd'"),
        ('coil = 0\nactive = "high"', "unknown key"),
    ],
)
def test_a_board_that_cannot_be_is_refused(place: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        checked(boards().replace("coil = 0", place))
    assert told in caught.value.one_line()


def test_nobody_answers_for_everybody_on_a_serial_line() -> None:
    with pytest.raises(InputError, match="unit 0 of a serial line is everybody, and nobody answers"):
        checked(boards().replace("baud = 19200", "unit = 0"))
    checked(boards().replace(BOARD, f"{BOARD}\nunit = 0"))


@pytest.mark.parametrize(
    "place", ["192.0.2.9:5005", "0.0.0.0:5005", "127.0.0.1", "127.0.0.1:0", "lines.sock", "host:1"]
)
def test_a_line_server_on_another_machine_is_refused(place: str) -> None:
    with pytest.raises(InputError, match="is not on this machine"):
        checked(boards().replace("127.0.0.1:5005", place))


@pytest.mark.parametrize(
    "place", ["127.0.0.1:5005", "127.1.2.3:1", "localhost:5005", "[::1]:5005", "/run/rig/lines.sock"]
)
def test_a_line_server_on_this_machine_is_taken(place: str) -> None:
    checked(boards().replace("127.0.0.1:5005", place))


def _line(text: str, key: str) -> int | None:
    """Where `table[n].key` or `table` is written, found by counting headers; None for what is not there."""
    table, _, name = key.partition(".")
    table, _, index = table.rstrip("]").partition("[")
    lines = text.splitlines()
    headers = [n for n, line in enumerate(lines) if line.strip() in (f"[{table}]", f"[[{table}]]")]
    start = headers[int(index or 0)]
    if not name:
        return start + 1
    for number in range(start + 1, len(lines)):
        if lines[number].startswith("["):
            return None
        if lines[number].split("=")[0].strip() == name:
            return number + 1
    return None


def test_all_contradictions_of_a_file_are_found_not_only_the_first() -> None:
    config = checked()
    rail = config.rail.model_copy(update={"up_above_v": 5.0, "noise_v": 9.0})
    topology = config.topology.model_copy(update={"safe_v": 8.0, "control_cut_s": 2.0})
    found = {fault.key for fault in faults(config.model_copy(update={"rail": rail, "topology": topology}))}
    assert {("rail",), ("rail", "noise_v"), ("topology", "safe_v"), ("topology", "control_cut_s")} <= found


def test_every_check_is_shown_by_a_row_above() -> None:
    import inspect

    from rig.bench import checks

    told = inspect.getsource(checks).count("yield Fault(")
    shown = {message for *_, message, _, _ in [*ROWS, *ROWS_OF_BOARDS]}
    assert len(shown) >= told - 1, "a contradiction was added without a row that shows it"


@pytest.mark.parametrize(
    ("driver", "key", "value", "expected"),
    [
        ("rigol-dp800", "over_current_a", '"at-limit"', "a level"),
        ("rigol-dp800", "over_voltage_v", '"none"', "a level"),
        ("keysight-e36300", "over_current_a", "2.0", '"at-limit" (it trips when its current limit acts)'),
        ("rohde-hmp", "over_current_a", '"none"', '"at-limit" (it trips when its current limit acts)'),
        ("siglent-spd3000x", "over_voltage_v", "13.2", '"none"'),
        ("korad-ka3005p", "over_voltage_v", "13.2", '"none"'),
    ],
)
def test_a_supply_is_not_asked_for_a_protection_that_it_has_not(
    driver: str, key: str, value: str, expected: str
) -> None:
    text = GOOD.replace('driver = "rigol-dp800"', f'driver = "{driver}"')
    lines = [f"{key} = {value}" if line.startswith(f"{key} =") else line for line in text.splitlines()]
    with pytest.raises(InputError) as caught:
        check_bench(tomllib.loads("\n".join(lines)), "\n".join(lines), "b.toml")
    where = caught.value.where
    assert (where.key, where.expected) == (f"supply[0].{key}", expected)
    assert caught.value.message == f"a {driver} has none such"
    assert where.line == lines.index(f"{key} = {value}") + 1


def test_bytes_without_an_end_go_over_a_serial_port_or_a_socket_alone() -> None:
    keys = {"driver": '"korad-ka3005p"', "over_voltage_v": '"none"', "over_current_a": '"none"'}
    for address, good in (
        ("ASRL/dev/ttyACM0::INSTR", True),
        ("TCPIP::192.0.2.10::4001::SOCKET", True),
        ("TCPIP::192.0.2.10::inst0::INSTR", False),
        ("USB::0x0416::0x5011::1::INSTR", False),
    ):
        lines = GOOD.splitlines()
        start = lines.index("[[supply]]")
        for number in range(start, start + 12):
            key = lines[number].partition(" =")[0]
            values = {**keys, "address": f'"{address}"'}
            lines[number] = f"{key} = {values[key]}" if key in values else lines[number]
        text = "\n".join(lines)
        if good:
            check_bench(tomllib.loads(text), text, "b.toml")
        else:
            with pytest.raises(InputError, match="only over a serial port"):
                check_bench(tomllib.loads(text), text, "b.toml")


def test_a_level_that_is_polled_has_no_peak_detect() -> None:
    able = GOOD.replace('driver = "rigol-ds1000z"', 'driver = "keysight-infiniivision"').replace("= 600.0", "= 500.0")
    text = able.replace("\npre_s = 6.0\n", '\npre_s = 6.0\npeak_detect = true\nmode = "poll"\n')
    with pytest.raises(InputError, match="takes none") as caught:
        checked(text)
    assert caught.value.where.key == "oscilloscope[0].peak_detect"
    assert checked(text.replace('mode = "poll"\n', "")).oscilloscope[0].peak_detect
