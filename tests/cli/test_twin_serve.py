"""`rig twin serve` as a person and other programs use it: a process of its own, real sockets, the system's clock."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rig.bench.config import load_bench
from rig.cli import main
from rig.twin.serving import ServedTwin
from tests.served import ENVIRONMENT, Served, quick, rig, served


@pytest.fixture(scope="module")
def twin() -> Iterator[Served]:
    with served("--scale", "0.01") as it:
        yield it


def run(twin: Served, firmware: str, out: Path) -> subprocess.CompletedProcess[str]:
    twin.bench_file.write_text(quick(twin.bench_file.read_text(), window_s=4.0))
    words = ("run", "--bench", str(twin.bench_file), "--firmware", firmware, "--json", "--out", str(out))
    environment = {**ENVIRONMENT, "ICHIS_RIG_STATE": str(out.parent / "state")}
    return subprocess.run(rig(*words), capture_output=True, text=True, check=False, env=environment)


# -- a controller in another process ---------------------------------------------------------------------------------


def test_a_controller_in_another_process_does_whole_runs_and_gives_the_right_verdicts(tmp_path: Path) -> None:
    def one(firmware: str) -> dict[str, object]:
        with served("--scale", "0.01", "--firmware", firmware, "--out", str(tmp_path / firmware)) as twin:
            done = run(twin, firmware, tmp_path / firmware / "runs")
            return {"code": done.returncode, **json.loads(done.stdout)}

    with ThreadPoolExecutor(2) as pool:
        short, long = pool.map(one, ("cut-45s", "cut-240s"))
    assert (short["code"], short["verdict"], short["limit_s"]) == (0, "PASS", 1.8)
    assert (long["code"], long["verdict"]) == (1, "FAIL")
    for record, cut_s in ((short, 0.45), (long, 2.4)):
        outage = record["outages"][0]  # type: ignore[index]
        assert outage["cause"] == "meter"
        assert outage["lower_s"] < cut_s < outage["upper_s"]
        assert record["safe_state"]["proven"]  # type: ignore[index]
        assert record["alerts"] is not None


# -- what it prints and writes ---------------------------------------------------------------------------------------


def test_it_prints_one_line_that_says_where_everything_is(twin: Served) -> None:
    assert twin.line["schema"] == "rig.twin/1"
    assert twin.line["optical"] is None
    for key in ("supply", "oscilloscope"):
        assert re.fullmatch(r"TCPIP::127\.0\.0\.1::[0-9]+::SOCKET", twin.line[key])
    for key in ("modbus", "relays", "sense"):
        assert re.fullmatch(r"127\.0\.0\.1:[0-9]+", twin.line[key])
    assert twin.line["pid"] == twin.process.pid


def test_the_bench_file_names_its_wires_and_shrinks_every_duration(twin: Served) -> None:
    config = load_bench(twin.bench_file)
    assert config.limits.limit_s == pytest.approx(1.8)
    assert config.rail.restore_min_s == pytest.approx(0.01)
    assert config.meter.quiet_s == pytest.approx(0.6)
    assert config.oscilloscope[0].window_s == pytest.approx(6.0)
    assert config.meter.timeout_s == 2.0, "time-outs are the machine's, not the model's"
    assert {r.driver for r in config.relay} == {"modbus-coil"}
    assert {s.driver for s in config.sense} == {"line-server"}
    assert config.supply[0].address == twin.line["supply"]


def test_its_meter_has_mains_so_that_a_program_that_knows_only_the_meter_can_speak_to_it(twin: Served) -> None:
    with socket.create_connection(("127.0.0.1", twin.port("relays"))) as board:
        board.sendall(bytes.fromhex("0001 0000 0006 01 01 0000 0003"))  # Modbus: the first three coils are K1, K2, K3
        assert board.makefile("rb").read(10) == bytes.fromhex("0001 0000 0004 01 01 01 01")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_its_code_and_its_temporary_file_goes(number: signal.Signals, code: int) -> None:
    with served() as it:
        file = it.bench_file
        assert file.is_file()
        assert it.stop(number) == code
    assert not file.parent.exists()


def test_the_end_of_its_standard_input_ends_it_too_and_a_file_that_was_asked_for_stays(tmp_path: Path) -> None:
    with served("--out", str(tmp_path / "a" / "b")) as it:
        assert it.bench_file == tmp_path / "a" / "b" / "twin.toml"
    assert it.process.returncode == 0
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["twin.toml"]


def test_an_event_of_the_model_that_fails_ends_it_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fails() -> None:
        raise ZeroDivisionError("physics")

    def spoilt(self: ServedTwin) -> str:
        with self.timeline:
            self.timeline.schedule(0, fails)
        return "never read\n"

    monkeypatch.setattr(ServedTwin, "bench_text", spoilt)
    assert main(["twin", "serve", "--out", str(tmp_path), "--json"]) == 4
    told = capsys.readouterr().out.splitlines()
    assert json.loads(told[0])["schema"] == "rig.twin/1"
    assert "physics" in json.loads(told[1])["message"]


BAD_INPUT = {
    "an unknown bench": (["--bench", "twinn"], "did you mean 'twin'"),
    "a scale of zero": (["--scale", "0"], "--scale: not a scale (found 0, expected 0.001 to 1)"),
    "a scale above one": (["--scale", "1.5"], "--scale"),
    "a scale that is no number": (["--scale", "nan"], "--scale"),
    "a scale in words": (["--scale", "fast"], "not a number: 'fast'"),
    "an unknown fault": (["--fault", "mains-los"], "did you mean 'mains-lost'"),
    "a fault of the in-process twin": (["--fault", "clock-slewed"], "needs a clock of the twin's own"),
    "an unknown fixture": (["--firmware", "cut-45"], "did you mean 'cut-45s'"),
    "a seed below zero": (["--seed", "-1"], "--seed"),
    "an out that cannot be written": (["--out", "/proc/nothing"], "the bench file cannot be written"),
    "an unknown option": (["--scael", "1"], "--scael"),
}


@pytest.mark.parametrize(("words", "told"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_one_line_and_serves_nothing(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["twin", "serve", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert told in captured.err


def test_a_standard_input_that_is_closed_already_cannot_be_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["twin", "serve", "--until-eof"]) == 2
    assert "--until-eof: standard input is closed already" in capsys.readouterr().err


# -- programs that nobody here wrote ---------------------------------------------------------------------------------


def foreign(*words: str) -> str:
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} here")
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_sigrok_finds_the_supply(twin: Served) -> None:
    out = foreign("sigrok-cli", "-d", f"scpi-pps:conn=tcp-raw/127.0.0.1/{twin.port('supply')}", "--show")
    assert "Rigol DP832" in out


@pytest.mark.parametrize(("key", "model"), [("supply", "DP832"), ("oscilloscope", "DS1104Z")])
def test_lxi_tools_ask_the_instruments_who_they_are(twin: Served, key: str, model: str) -> None:
    assert model in foreign("lxi", "scpi", "-r", "-a", "127.0.0.1", "-p", str(twin.port(key)), "*IDN?")


@pytest.mark.parametrize(("key", "model"), [("supply", "DP832"), ("oscilloscope", "DS1104Z")])
def test_pyvisa_by_itself_asks_the_instruments_who_they_are(twin: Served, key: str, model: str) -> None:
    import pyvisa

    manager = pyvisa.ResourceManager("@py")
    words = {"read_termination": "\n", "write_termination": "\n"}
    resource = manager.open_resource(twin.line[key], **words)  # type: ignore[arg-type]
    assert model in resource.query("*IDN?")  # type: ignore[attr-defined]
    resource.close()
    manager.close()


def polled(out: str) -> dict[int, int]:
    return {int(number): int(value) for number, value in re.findall(r"^\[([0-9]+)\]:\s+(-?[0-9]+)", out, re.MULTILINE)}


def test_mbpoll_moves_the_relays_and_reads_them(twin: Served) -> None:
    place = ("mbpoll", "-m", "tcp", "-p", str(twin.port("relays")), "-a", "1", "-t", "0", "-0", "-r")
    foreign(*place, "1", "127.0.0.1", "1")
    assert polled(foreign(*place, "0", "-c", "3", "-1", "127.0.0.1")) == {0: 1, 1: 1, 2: 0}
    foreign(*place, "0", "127.0.0.1", "1", "0", "0")  # several at once: function 15
    assert polled(foreign(*place, "0", "-c", "3", "-1", "127.0.0.1")) == {0: 1, 1: 0, 2: 0}


def test_mbpoll_reads_the_meter() -> None:
    with served("--scale", "0.001") as twin:
        meter = str(twin.port("modbus"))
        place = (
            "mbpoll",
            "-m",
            "tcp",
            "-p",
            meter,
            "-t",
            "4",
            "-0",
            "-o",
            "10",
            "-1",
            "-r",
            "130",
            "-c",
            "3",
            "127.0.0.1",
        )
        for _ in range(50):  # it boots
            done = subprocess.run(place, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                break
        assert polled(done.stdout) == {130: 1, 131: 0, 132: 0}


def test_mbpoll_reads_the_meter_on_its_serial_line() -> None:
    with served("--bench", "twin-rtu", "--scale", "0.001") as twin:
        line = ("mbpoll", "-m", "rtu", "-b", "19200", "-P", "none", "-s", "2", "-t", "4", "-0", "-o", "1", "-1")
        for _ in range(50):  # it boots
            done = subprocess.run(
                (*line, "-r", "130", "-c", "3", str(twin.line["serial"])), capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                break
        assert polled(done.stdout) == {130: 1, 131: 0, 132: 0}
        done = subprocess.run((*line, "-r", "1", str(twin.line["serial"])), capture_output=True, text=True, check=False)
        assert "Illegal data address" in done.stderr
