"""The folder of a run: whole or not there, whatever happens to the disk or the process."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rig.clock import NS
from rig.clock.virtual import VirtualClock
from rig.errors import BenchError, InputError
from rig.instruments.ports import Capture
from rig.records import bundle as bundle_module
from rig.records.bundle import Bundle, check_out
from rig.records.capture_file import load_capture
from tests.records.samples import PICTURES, passed

PICTURE = PICTURES["passed"][1]
UTC_START = datetime(2026, 11, 22, 22, 15, 30, tzinfo=UTC)


def start(out: Path) -> tuple[Bundle, VirtualClock]:
    clock = VirtualClock(5 * NS, UTC_START)
    return Bundle.create(out, clock), clock


def capture() -> Capture:
    return Capture(np.arange(200, dtype=np.uint8), 1e-3, 0.0, 0.08, 0.0, 0, 255, 0.03, 0.1, 25.0, 1e-5)


def test_a_finished_folder_is_whole_and_sha256sum_agrees(tmp_path: Path) -> None:
    bundle, _ = start(tmp_path)
    bundle.event("started")
    bundle.save_capture("scope-1", capture(), 3.5)
    final = bundle.finish(passed(), PICTURE)
    assert final == tmp_path / bundle.run_id == bundle.path
    assert sorted(p.name for p in final.iterdir()) == [
        "SHA256SUMS", "events.jsonl", "report.html", "run.json", "scope-1.h5",
    ]  # fmt: skip
    check = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=final, capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stderr
    names = [line.split("  ")[1] for line in (final / "SHA256SUMS").read_text().splitlines()]
    assert names == ["events.jsonl", "report.html", "run.json", "scope-1.h5"]
    assert json.loads((final / "run.json").read_text()) == json.loads(json.dumps(passed().to_json()))
    assert (final / "run.json").read_text().endswith("}\n")
    assert np.array_equal(load_capture(final / "scope-1.h5").codes, capture().codes)
    assert [p.name for p in tmp_path.iterdir()] == [bundle.run_id]


def test_a_changed_file_is_found_by_sha256sum(tmp_path: Path) -> None:
    bundle, _ = start(tmp_path)
    final = bundle.finish(passed(), PICTURE)
    (final / "run.json").write_text((final / "run.json").read_text().replace("PASS", "FAIL"))
    check = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=final, capture_output=True, check=False)
    assert check.returncode != 0


def test_files_that_others_put_there_are_summed_too(tmp_path: Path) -> None:
    bundle, _ = start(tmp_path)
    (bundle.path / "more").mkdir()
    (bundle.path / "more" / "note.txt").write_text("x")
    final = bundle.finish(passed(), PICTURE)
    assert "  more/note.txt\n" in (final / "SHA256SUMS").read_text()


def test_the_run_id_is_the_time_and_a_mark_of_its_own(tmp_path: Path) -> None:
    ids = {start(tmp_path)[0].run_id for _ in range(40)}
    assert len(ids) == 40
    assert all(re.fullmatch(r"20261122T221530Z-[0-9a-f]{4}", i) for i in ids)


def test_a_run_id_in_use_is_never_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = iter(["aaaa", "aaaa", "bbbb", "aaaa", "bbbb", "cccc"])
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(marks))
    first, _ = start(tmp_path)
    second, _ = start(tmp_path)
    first.finish(passed(), PICTURE)
    third, _ = start(tmp_path)
    assert [b.run_id[-4:] for b in (first, second, third)] == ["aaaa", "bbbb", "cccc"]


def test_events_are_stamped_from_the_start_of_the_run_and_are_there_at_once(tmp_path: Path) -> None:
    bundle, clock = start(tmp_path)
    bundle.event("armed", source="scope", depth=12)
    clock.sleep(1.5)
    bundle.event("grün", zeta=1, alpha=None)
    assert (bundle.path / "events.jsonl").read_text(encoding="utf-8") == (
        '{"t_s": 0.0, "event": "armed", "source": "scope", "depth": 12}\n'
        '{"t_s": 1.5, "event": "grün", "zeta": 1, "alpha": null}\n'
    )


def test_an_event_may_not_hide_its_own_stamp_or_hold_what_json_cannot(tmp_path: Path) -> None:
    bundle, _ = start(tmp_path)
    with pytest.raises(ValueError, match="t_s"):
        bundle.event("a", t_s=1)
    with pytest.raises(ValueError, match="JSON"):
        bundle.event("a", volts=float("nan"))
    assert (bundle.path / "events.jsonl").read_text() == ""


def test_a_record_with_nan_is_refused_and_the_run_stays_unfinished(tmp_path: Path) -> None:
    bundle, _ = start(tmp_path)
    with pytest.raises(ValueError, match="JSON"):
        bundle.finish(replace(passed(), clock={"worst_rate_ppm": float("nan")}), PICTURE)
    assert bundle.path.name.endswith(".partial")
    assert [p.name for p in bundle.path.iterdir()] == ["events.jsonl"]


def test_two_runs_of_one_record_differ_in_nothing_but_their_names(tmp_path: Path) -> None:
    finals = []
    for _ in range(2):
        bundle, clock = start(tmp_path)
        clock.sleep(0.25)
        bundle.event("fell", volts=8.9)
        bundle.save_capture("scope", capture(), None)
        finals.append(bundle.finish(passed(), PICTURE))
    for name in ("run.json", "events.jsonl", "report.html", "scope.h5", "SHA256SUMS"):
        assert (finals[0] / name).read_bytes() == (finals[1] / name).read_bytes(), name


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from rig.clock.virtual import VirtualClock
    from rig.records import bundle as module
    from tests.records.samples import PICTURES, passed
    out, after = Path(sys.argv[1]), sys.argv[2]
    bundle = module.Bundle.create(out, VirtualClock())
    bundle.event("started")
    plain = module.write_synced
    def write(path, data):
        plain(path, data)
        if path.name == after:
            os.kill(os.getpid(), signal.SIGKILL)
    module.write_synced = write
    bundle.finish(passed(), PICTURES["passed"][1])
"""


def run_python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *args],
        cwd=root, env=env, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("after", ["run.json", "report.html", "SHA256SUMS"])
def test_a_run_that_is_killed_while_it_is_written_leaves_only_a_hidden_folder(tmp_path: Path, after: str) -> None:
    done = run_python(KILLED, str(tmp_path), after)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = tmp_path.iterdir()
    assert re.fullmatch(r"\..*\.partial", left.name)
    assert (left / "events.jsonl").read_text().count("\n") == 1


FULL = """
    import resource, sys
    from pathlib import Path
    import numpy as np
    from rig.clock.virtual import VirtualClock
    from rig.errors import BenchError
    from rig.instruments.ports import Capture
    from rig.records.bundle import Bundle
    from tests.records.samples import PICTURES, passed
    import h5py
    out, what = Path(sys.argv[1]), sys.argv[2]
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
    bundle = Bundle.create(out, VirtualClock())
    try:
        if what == "events.jsonl":
            while True:
                bundle.event("poll", volts=12.0)
        if what == "scope.h5":
            codes = np.random.default_rng(1).integers(0, 250, 100_000).astype(np.uint8)
            bundle.save_capture("scope", Capture(codes, 1e-3, 0.0, 0.08, 0.0, 0, 255, 0.03, 0.1, 25.0, 1e-5), None)
        bundle.finish(passed(), PICTURES["passed"][1])
    except BenchError as error:
        bundle.event("after the end")
        print(error.one_line())
        sys.exit(int(error.code))
"""


@pytest.mark.parametrize("what", ["events.jsonl", "scope.h5", "report.html"])
def test_a_full_disk_is_one_line_that_names_the_file_and_leaves_nothing(tmp_path: Path, what: str) -> None:
    done = run_python(FULL, str(tmp_path), what)
    assert (done.returncode, done.stderr) == (4, "")
    (told,) = done.stdout.splitlines()
    assert "disk full while writing the evidence" in told
    assert what in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_disk_that_fails_in_the_middle_ends_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    bundle, _ = start(tmp_path)

    def fail(path: Path, data: bytes) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(bundle_module, "write_synced", fail)
    with pytest.raises(BenchError) as told:
        bundle.finish(passed(), PICTURE)
    assert "run.json" in told.value.one_line()
    assert os.strerror(code) in told.value.one_line()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BenchError, match="closed"):
        bundle.save_capture("scope", capture(), None)


def test_a_rename_that_cannot_be_made_durable_keeps_the_finished_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, _ = start(tmp_path)
    plain = bundle_module.sync_folder

    def fail(folder: Path) -> None:
        if folder == tmp_path:
            raise OSError(errno.EIO, "Input/output error")
        plain(folder)

    monkeypatch.setattr(bundle_module, "sync_folder", fail)
    with pytest.raises(BenchError, match="may not survive"):
        bundle.finish(passed(), PICTURE)
    assert (tmp_path / bundle.run_id / "SHA256SUMS").is_file()


def test_a_discarded_run_leaves_nothing_and_drops_later_events(tmp_path: Path) -> None:
    bundle, _ = start(tmp_path)
    bundle.discard()
    bundle.discard()
    bundle.event("late")
    assert list(tmp_path.iterdir()) == []


def test_a_finished_run_cannot_be_discarded_or_finished_again(tmp_path: Path) -> None:
    bundle, _ = start(tmp_path)
    final = bundle.finish(passed(), PICTURE)
    bundle.discard()
    assert (final / "run.json").is_file()
    with pytest.raises(BenchError, match="closed"):
        bundle.finish(passed(), PICTURE)


def test_a_capture_may_not_leave_the_folder(tmp_path: Path) -> None:
    bundle, _ = start(tmp_path)
    for name in ("../scope", "a/b", "", ".hidden"):
        with pytest.raises(ValueError, match="file name"):
            bundle.save_capture(name, capture(), None)


def _unwritable(tmp_path: Path) -> list[Path]:
    (tmp_path / "file").write_text("x")
    return [tmp_path / "file", tmp_path / "file" / "runs", Path("/proc/rig-runs"), tmp_path / ("n" * 300) / "runs"]


@pytest.mark.parametrize("index", range(4))
def test_results_that_cannot_be_written_are_told_before_anything_else(tmp_path: Path, index: int) -> None:
    out = _unwritable(tmp_path)[index]
    for attempt in (lambda: check_out(out, 0), lambda: start(out)):
        with pytest.raises(InputError) as told:
            attempt()
        assert str(out) in told.value.one_line()
        assert int(told.value.code) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_writable_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    check_out(out, 1)
    assert list(out.iterdir()) == []
    bundle, _ = start(tmp_path / "c" / "d")
    assert bundle.path.parent == tmp_path / "c" / "d"


def test_too_little_free_space_is_told_in_megabytes_and_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 5, 12_340_000))
    with pytest.raises(InputError) as told:
        check_out(tmp_path / "a" / "b", 100_000_000)
    line = told.value.one_line()
    assert "disk full" in line
    assert "found 12.3 MB, expected 100.0 MB" in line
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_for_a_byte_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bundle_module, "write_synced", full)
    with pytest.raises(InputError, match="disk full"):
        check_out(tmp_path / "a", 0)
    assert list(tmp_path.iterdir()) == []
