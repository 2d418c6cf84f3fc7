"""The first bench file: complete from what was found, refused where something is missing, never over another file."""

from __future__ import annotations

import errno
import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.config import check_bench, load_bench
from rig.errors import InputError
from rig.instruments.asking import driver_of
from rig.instruments.ports import Identity
from rig.procedures.doctor.access import ChipSeen
from rig.procedures.doctor.discovery import Candidate
from rig.procedures.doctor.proposal import PLACEHOLDER, Findings, MeterSeen, bench_file, check_free, write

SUPPLY_ID = Identity("RIGOL TECHNOLOGIES", "DP832A", "DP8B1", "00.01.16")
SCOPE_ID = Identity("RIGOL TECHNOLOGIES", "DS1104Z", "DS1A1", "00.04.05")
OTHER_ID = Identity("KEYSIGHT", "N6705C", "MY1", "1.0")
NOTHING = Findings((), None, (), ())


def at(port: int, who: Identity) -> Candidate:
    return Candidate(f"TCPIP::192.0.2.7::{port}::SOCKET", who, driver_of(who))


ALL = Findings(
    instruments=(at(1, OTHER_ID), at(2, SCOPE_ID), at(3, SUPPLY_ID), at(4, replace(SUPPLY_ID, serial="DP8B2"))),
    meter=MeterSeen("192.0.2.8:502", "synthetic-esme", "Synthetic SM, serial 1"),
    chips=(ChipSeen("/dev/gpiochip1", "brcmvirt-gpio", 8), ChipSeen("/dev/gpiochip0", "pinctrl-bcm2711", 58)),
    serial_ports=("/dev/serial/by-id/usb-FTDI-port0",),
)


def test_a_file_from_all_that_a_bench_needs_loads_at_once(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    proposal = write(file, ALL)
    assert (proposal.complete, proposal.to_fill_in) == (True, ())
    config = load_bench(file)
    assert config.supply[0].address == "TCPIP::192.0.2.7::3::SOCKET"
    assert (config.supply[0].model, config.supply[0].serial) == ("DP832A", "DP8B1")
    assert config.oscilloscope[0].serial == "DS1A1"
    assert {line.chip for line in config.sense} == {"/dev/gpiochip0"}
    assert (config.meter.address, config.meter.profile) == ("192.0.2.8:502", "synthetic-esme")
    assert config.hub.commissioned is True, "the careful answer"


def test_what_is_not_used_and_what_nobody_measured_is_told_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    write(file, ALL)
    text = file.read_text()
    assert "# Not used here: KEYSIGHT N6705C, serial MY1, firmware 1.0; RIGOL TECHNOLOGIES DP832A, serial DP8B2" in text
    assert "usb-FTDI-port0" in text
    for line in text.splitlines():
        if line.startswith(("pin", "line", "band_v", "commissioned")):
            assert "# CHECK" in line


@pytest.mark.parametrize("label", ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"])
def test_the_chip_is_that_of_the_forty_pin_header(tmp_path: Path, label: str) -> None:
    chips = (ChipSeen("/dev/gpiochip0", "brcmvirt-gpio", 8), ChipSeen("/dev/gpiochip4", label, 54))
    write(tmp_path / "b.toml", replace(ALL, chips=chips))
    assert load_bench(tmp_path / "b.toml").sense[0].chip == "/dev/gpiochip4"


def test_the_chip_of_a_bench_that_was_looked_at_comes_first(tmp_path: Path) -> None:
    write(tmp_path / "b.toml", replace(ALL, bench_chip="/dev/gpiochip7"))
    assert load_bench(tmp_path / "b.toml").sense[0].chip == "/dev/gpiochip7"


def test_a_machine_with_nothing_gives_a_file_that_is_refused_until_it_is_filled_in(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    proposal = write(file, NOTHING)
    assert not proposal.complete
    lines = file.read_text().splitlines()
    keys = [gap.key for gap in proposal.to_fill_in]
    instruments = [f"{table}.{key}" for table in ("supply", "oscilloscope") for key in ("driver", "address")]
    assert keys == [*instruments, *["sense.chip"] * 3, "meter.address", "meter.profile"]
    assert all(f'"{PLACEHOLDER}"' in lines[gap.line - 1] for gap in proposal.to_fill_in)
    with pytest.raises(InputError) as error:
        load_bench(file)
    assert (error.value.where.file, error.value.where.line) == (str(file), proposal.to_fill_in[0].line)
    assert PLACEHOLDER in error.value.one_line()


def test_the_file_loads_once_every_placeholder_is_filled_in(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    write(file, NOTHING)
    text = file.read_text()
    for port, value in (
        (1, "rigol-dp800"),
        (2, "TCPIP::192.0.2.7::5555::SOCKET"),
        (3, "rigol-ds1000z"),
        (4, "TCPIP::192.0.2.8::5555::SOCKET"),
        *((n, "/dev/gpiochip0") for n in (5, 6, 7)),
        (8, "192.0.2.9:502"),
        (9, "synthetic-esme"),
    ):
        head, found, tail = text.partition(f'= "{PLACEHOLDER}"')
        assert found, port
        text = f'{head}= "{value}"{tail}'
    file.write_text(text)
    load_bench(file)


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        ("instruments", {"supply.driver", "supply.address", "oscilloscope.driver", "oscilloscope.address"}),
        ("meter", {"meter.address", "meter.profile"}),
        ("chips", {"sense.chip"}),
        ("serial_ports", set()),
    ],
)
def test_each_part_that_was_not_found_leaves_its_own_placeholders(tmp_path: Path, part: str, keys: set[str]) -> None:
    findings = replace(ALL, **{part: None if part == "meter" else ()})
    proposal = write(tmp_path / "b.toml", findings)
    assert {gap.key for gap in proposal.to_fill_in} == keys


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_a_device_says_of_itself_does_not_become_lines_of_the_file(model: str, serial: str) -> None:
    who = Identity("RIGOL", "DP832", f"S{serial}", f"{model}\nchannel = 2")
    candidate = Candidate("TCPIP::192.0.2.7::5555::SOCKET", who, "rigol-dp800")
    text = bench_file(replace(ALL, instruments=(candidate, at(2, SCOPE_ID))))
    config = check_bench(tomllib.loads(text), text, "b.toml")
    assert (config.supply[0].serial, config.supply[0].channel) == (f"S{serial}", 1)


# -- the file itself ---------------------------------------------------------------------------------------------------


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    file.write_text("mine")
    with pytest.raises(InputError, match="there is already a file"):
        check_free(file)
    with pytest.raises(InputError, match="there is already a file"):
        write(file, ALL)
    assert file.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "bench.toml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="there is already a file"):
        check_free(tmp_path / "bench.toml")


def test_a_folder_that_is_not_there_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        check_free(tmp_path / "none" / "bench.toml")
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "none" / "bench.toml", ALL)
    check_free(tmp_path / "bench.toml")


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written") as error:
        write(tmp_path / "bench.toml", ALL)
    assert error.value.where.found == "No space left on device"
    assert list(tmp_path.iterdir()) == []
