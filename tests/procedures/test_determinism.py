"""One seed, one run: twenty runs on the virtual clock are the same to the byte, but for their labels."""

from __future__ import annotations

import json
from pathlib import Path

import rig

RUNS = 20


KEPT = ("events.jsonl", "control-supply-feed.h5", "control-meter-feed.h5", "activation.h5")


def _everything_but_labels(out: Path, seed: int) -> tuple[str, dict[str, bytes]]:
    record = rig.run_activation("twin", "double-reboot", out=out, seed=seed, faults=["meter-late"])
    folder = out / record.labels.run_id
    body = json.loads((folder / "run.json").read_text())
    del body["labels"]
    others = {name: (folder / name).read_bytes() for name in KEPT}
    return json.dumps(body), others


def test_the_same_seed_gives_the_same_run_twenty_times(tmp_path: Path) -> None:
    first = _everything_but_labels(tmp_path, 7)
    for _ in range(RUNS - 1):
        assert _everything_but_labels(tmp_path, 7) == first


def test_another_seed_gives_other_noise_and_the_same_verdict(tmp_path: Path) -> None:
    one, other = _everything_but_labels(tmp_path, 7), _everything_but_labels(tmp_path, 8)
    assert one[1]["activation.h5"] != other[1]["activation.h5"]
    assert json.loads(one[0])["verdict"] == json.loads(other[0])["verdict"] == "PASS"


def test_a_run_that_loses_its_oscilloscope_is_the_same_to_the_byte_too(tmp_path: Path) -> None:
    """Messages of errors are part of the record: they name instruments, not the ports of one twin."""

    def run() -> str:
        record = rig.run_activation("twin", "cut-45s", out=tmp_path, faults=["scope-dead@20"])
        body = json.loads((tmp_path / record.labels.run_id / "run.json").read_text())
        del body["labels"]
        assert "instrument_lost" in {reason["code"] for reason in body["reasons"]}
        return json.dumps(body) + (tmp_path / record.labels.run_id / "events.jsonl").read_text()

    assert run() == run()
