"""`rig analyse` as a person uses it: files in, verdict, exit code and picture out; bad input in one line."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import rig
from rig.cli import main
from rig.instruments.ports import Capture
from rig.records import schema_text
from rig.records.capture_file import save_capture
from rig.waveforms import dialects


def write_csv(
    path: Path, outages: list[tuple[float, float]], *, end_s: float, dt_s: float = 0.01, noise: float = 0.0
) -> Path:
    """A rail of 12 V that is at 0 V in each of `outages`, as `time,volts` rows."""
    times = np.arange(0.0, end_s, dt_s)
    volts = np.full(len(times), 12.0)
    for start, stop in outages:
        volts[(times >= start) & (times < stop)] = 0.0
    volts += noise * np.sin(np.arange(len(times)) * 1.7)
    rows = "\n".join(f"{t:.6f},{v:.4f}" for t, v in zip(times, volts, strict=True))
    path.write_text(f"Time (s),CH1 (V)\n{rows}\n")
    return path


def analysed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:  # type: ignore[type-arg]
    code = main(["analyse", *words, "--json"])
    captured = capsys.readouterr()
    assert captured.err == ""
    return code, json.loads(captured.out)


@pytest.mark.parametrize(
    ("cut_s", "verdict", "code"),
    [(45.0, "PASS", 0), (179.9, "PASS", 0), (180.5, "FAIL", 1), (180.005, "INCONCLUSIVE", 3)],
)
def test_a_clean_cut_is_judged_by_its_bounds(
    cut_s: float, verdict: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_csv(tmp_path / "cut.csv", [(10.0, 10.0 + cut_s)], end_s=20.0 + cut_s)
    got, body = analysed(capsys, str(file), "--time-base-ppm", "10")
    assert (got, body["verdict"]) == (code, verdict)
    longest = body["longest_outage"]
    assert longest["lower_s"] <= cut_s <= longest["upper_s"]
    assert longest["upper_s"] - longest["lower_s"] <= 2 * 0.01 + 2e-5 * cut_s + 4e-6  # 6 digits printed
    assert body["scope"] == "waveform only"
    jsonschema.validate(body, json.loads(schema_text("rig.analysis/1")))


def test_thresholds_are_proposed_from_the_levels_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_csv(tmp_path / "cut.csv", [(10.0, 55.0)], end_s=70.0, noise=0.05)
    _, body = analysed(capsys, str(file))
    rows = {a["key"]: a for a in body["assumptions"]}
    assert rows["up_above_v"]["value"].startswith("10")
    assert rows["down_below_v"]["value"].startswith("6")
    assert "proposed" in rows["up_above_v"]["source"]
    _, body = analysed(capsys, str(file), "--up", "9", "--down", "3", "--noise-v", "0.1")
    rows = {a["key"]: a for a in body["assumptions"]}
    assert (rows["up_above_v"]["value"], rows["up_above_v"]["source"]) == ("9 V", "given")


def test_a_file_that_ends_inside_an_outage_is_never_a_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_csv(tmp_path / "open.csv", [(10.0, 99.0)], end_s=40.0)
    code, body = analysed(capsys, str(file))
    assert code == 3
    assert body["longest_outage"]["upper_s"] is None
    assert body["outages"][-1]["open"] == "end"


def test_samples_too_far_apart_prove_nothing_up_and_the_setting_that_would_decide_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_csv(tmp_path / "slow.csv", [(10.0, 55.0)], end_s=120.0, dt_s=0.5)
    code, body = analysed(capsys, str(file))
    assert code == 3
    assert "nothing can be proven up" in body["reasons"][0]["text"]
    assert "--ride-through 0.5" in body["reasons"][0]["text"]
    code, body = analysed(capsys, str(file), "--ride-through", "0.5")
    assert code == 0


def with_a_gap(path: Path, *, from_s: float, to_s: float, end_s: float) -> Path:
    """A rail that is always up, and samples that are missing for a while."""
    times = [at / 100 for at in range(round(end_s * 100)) if not from_s < at / 100 < to_s]
    path.write_text("Time (s),CH1 (V)\n" + "".join(f"{t:.3f},{12 + 0.01 * (i % 3):.2f}\n" for i, t in enumerate(times)))
    return path


def test_a_stretch_without_samples_counts_against_the_meter_and_is_told_where_it_lies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = with_a_gap(tmp_path / "short.csv", from_s=20.0, to_s=26.0, end_s=60.0)
    code, body = analysed(capsys, str(short), "--down", "6", "--up", "10")
    outage = body["outages"][0]
    assert (code, outage["open"], outage["lower_s"]) == (0, "none", 0.0)
    assert (outage["start_s"], outage["end_s"]) == (pytest.approx(20.0, abs=0.02), pytest.approx(26.0, abs=0.02))
    long = with_a_gap(tmp_path / "long.csv", from_s=20.0, to_s=220.0, end_s=260.0)
    code, body = analysed(capsys, str(long), "--down", "6", "--up", "10")
    assert code == 3
    assert body["reasons"][0]["code"] == "unseen_gap"
    assert "not all can be proven up" in body["reasons"][0]["text"]


def test_a_fail_is_told_without_advice_on_what_was_not_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_csv(tmp_path / "slow.csv", [(10.0, 300.0)], end_s=320.0, dt_s=0.5)
    code, body = analysed(capsys, str(file))
    assert code == 1
    assert [reason["code"] for reason in body["reasons"]] == ["limit_exceeded"]
    assert "--ride-through" not in body["reasons"][0]["text"]


def test_two_files_of_one_event_are_merged_by_their_offsets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = write_csv(tmp_path / "a.csv", [(10.0, 99.0)], end_s=60.0)
    second = write_csv(tmp_path / "b.csv", [(0.0, 20.0)], end_s=60.0)
    code, body = analysed(capsys, str(first), str(second), "--offset", "0", "--offset", "50")
    assert code == 0
    assert len(body["outages"]) == 1
    assert body["longest_outage"]["lower_s"] <= 60.0 <= body["longest_outage"]["upper_s"]
    assert main(["analyse", str(first), str(second)]) == 2
    assert "--offset" in capsys.readouterr().err


def test_a_clock_that_runs_fast_far_from_its_zero_never_moves_the_truth_out_of_the_bounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_csv(tmp_path / "a.csv", [(10.0, 99.0)], end_s=60.0)
    times = np.arange(50.0, 100.0, 0.01)
    shown = (times + 1000.0) * 1.00009  # this instrument was triggered 1000 s earlier
    volts = np.where(times < 70.0, 0.0, 12.0)
    rows = "".join(f"{t:.6f},{v}\n" for t, v in zip(shown, volts, strict=True))
    second = tmp_path / "b.csv"
    second.write_text(f"Time (s),CH1 (V)\n{rows}")
    code, body = analysed(capsys, str(first), str(second), "--offset", "0", "--offset", "-1000")
    assert code == 0
    assert body["longest_outage"]["lower_s"] <= 60.0 <= body["longest_outage"]["upper_s"]
    assert any(row["key"] == "offset_s" for row in body["assumptions"])


def test_files_that_contradict_each_other_are_inconclusive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = write_csv(tmp_path / "a.csv", [(10.0, 40.0)], end_s=60.0)
    second = write_csv(tmp_path / "b.csv", [(20.0, 30.0)], end_s=60.0)
    code, body = analysed(capsys, str(first), str(second), "--offset", "0", "--offset", "0")
    assert code == 3
    assert body["reasons"][0]["code"] == "sources_disagree"
    assert "file 2, CH1 proves the node 'rail' up and file 1, CH1 proves it down" in body["reasons"][0]["text"]


def test_each_file_may_have_its_channel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write_csv(tmp_path / "a.csv", [(10.0, 40.0)], end_s=60.0)
    two = tmp_path / "b.csv"
    two.write_text(one.read_text().replace("Time (s),CH1 (V)", "x-axis,3\nsecond,Volt"))
    code, body = analysed(
        capsys, str(one), str(two), "--offset", "0", "--offset", "0", "--channel", "CH1", "--channel", "3"
    )
    assert code == 0
    assert [(row["channel"], row["dialect"]) for row in body["files"]] == [("CH1", "generic"), ("3", "keysight")]
    assert main(["analyse", str(one), "--channel", "CH1", "--channel", "3"]) == 2
    assert "one channel for all files" in capsys.readouterr().err
    assert main(["analyse", str(one), str(two), "--offset", "0", "--offset", "0", "--channel", "CH1"]) == 2
    assert "b.csv: --channel: no such channel" in capsys.readouterr().err


def test_a_capture_is_judged_block_by_block(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = np.full(30_000_000, 15_000, np.int16)
    codes[10_000_000:20_000_000] = 0
    save_capture(tmp_path / "a.h5", Capture(codes, 6e-6, 0.0, 8e-4, 0.0, -32768, 32767, 0.01, 0.05, 25.0, 1e-6))
    del codes
    tracemalloc.start()
    code, body = analysed(capsys, str(tmp_path / "a.h5"), "--down", "6", "--up", "10")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code == 0
    assert body["longest_outage"]["lower_s"] <= 60.0 <= body["longest_outage"]["upper_s"]
    assert peak < 60_000_000  # the codes alone are as much


def test_a_compressed_file_and_a_capture_of_a_run_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = write_csv(tmp_path / "cut.csv", [(10.0, 55.0)], end_s=70.0)
    packed = tmp_path / "cut.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert analysed(capsys, str(packed))[1]["outages"] == analysed(capsys, str(plain))[1]["outages"]

    record = rig.run_activation(firmware="cut-45s", out=tmp_path / "runs")
    capture = tmp_path / "runs" / record.labels.run_id / "activation.h5"
    code, body = analysed(capsys, str(capture), "--down", "6", "--up", "10")
    assert code == 0
    longest = body["longest_outage"]
    assert longest["lower_s"] <= 45.0 <= longest["upper_s"] + 0.02
    assert longest["upper_s"] - longest["lower_s"] < 0.1


@pytest.mark.parametrize(("name", "head"), [("rail.svg", b"<svg"), ("rail.png", b"\x89PNG")])
def test_the_rail_is_drawn(name: str, head: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_csv(tmp_path / "cut.csv", [(10.0, 55.0)], end_s=70.0)
    assert main(["analyse", str(file), "--plot", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(head)
    assert "PASS" in capsys.readouterr().out


def test_the_ways_to_read_a_file_are_listed_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["analyse", "--dialect", "list"])
    assert ended.value.code in (0, None)
    assert capsys.readouterr().out.split() == list(dialects())


def _bad(tmp_path: Path) -> dict[str, tuple[list[str], str]]:
    good = write_csv(tmp_path / "good.csv", [(10.0, 20.0)], end_s=30.0)
    flat = tmp_path / "flat.csv"
    flat.write_text("Time (s),CH1 (V)\n" + "".join(f"{i / 100},12.0\n" for i in range(500)))
    unknown = tmp_path / "unknown.csv"
    unknown.write_text("Time (s),CH1 (V)\n" + "".join(f"{i / 100},nan\n" for i in range(500)))
    backwards = tmp_path / "backwards.csv"
    backwards.write_text("Time (s),CH1 (V)\n0.0,12\n0.1,12\n0.05,0\n0.2,12\n")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(bytes(range(256)) * 20)
    return {
        "a file that is not there": ([str(tmp_path / "none.csv")], "none.csv"),
        "a constant signal": ([str(flat)], "constant"),
        "no number at all": ([str(unknown)], "no sample is a number"),
        "times that go backwards": ([str(backwards)], "backwards.csv:4"),
        "a binary file": ([str(binary)], "binary.csv"),
        "thresholds crossed over": ([str(good), "--down", "10", "--up", "6"], "crossed"),
        "thresholds closer than the noise": ([str(good), "--down", "6", "--up", "6.5", "--noise-v", "1"], "noise"),
        "an unknown channel": ([str(good), "--channel", "CH9"], "CH9"),
        "a picture of another kind": ([str(good), "--plot", "rail.bmp"], "rail.bmp"),
        "a picture that cannot be written": ([str(good), "--plot", "/proc/nothing/x.svg"], "/proc/nothing/x.svg"),
        "a limit of zero": ([str(good), "--limit", "0"], "--limit"),
        "no file": ([], "FILE"),
    }


BAD = (
    "a file that is not there",
    "a constant signal",
    "no number at all",
    "times that go backwards",
    "a binary file",
    "thresholds crossed over",
    "thresholds closer than the noise",
    "an unknown channel",
    "a picture of another kind",
    "a picture that cannot be written",
    "a limit of zero",
    "no file",
)


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_line(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, told = _bad(tmp_path)[what]
    assert main(["analyse", *words]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert told in captured.err


def test_the_alert_is_told_with_its_chance_its_time_and_its_story(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = [(10.0 + 70.0 * i, 60.0 + 70.0 * i) for i in range(5)]
    file = write_csv(tmp_path / "chain.csv", chain, end_s=400.0)
    assert main(["analyse", str(file), "--down", "6", "--up", "10", "--time-base-ppm", "10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  alert (AD1): North 0.000 to 0.410, South & Central 0.583 to 0.751" in lines
    assert "    South & Central, sent at 429.986 to 450.004 s:" in lines
    assert "      Cuts 2 to 5 (49.99 to 50.01 s): the boot was restarted." in lines
    _, body = analysed(capsys, str(file), "--down", "6", "--up", "10", "--time-base-ppm", "10")
    assert body["alerts"]["south_central"] == pytest.approx([0.583, 0.750], abs=0.001)


def test_a_file_that_begins_in_an_outage_leaves_the_alert_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_csv(tmp_path / "open.csv", [(0.0, 100.0)], end_s=130.0)
    _, body = analysed(capsys, str(file), "--down", "6", "--up", "10")
    assert body["alerts"]["north"] == body["alerts"]["south_central"] == [0.0, 1.0]
    assert body["alerts"]["sent_at_s"]["north"][0] is None
    main(["analyse", str(file), "--down", "6", "--up", "10"])
    assert "North, sent before the file began to 180.0" in capsys.readouterr().out
