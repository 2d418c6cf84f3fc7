"""The cache of the kernel bench: a second call is instant, and whatever was left half done is noticed and named."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kernel_bench import build, source
from kernel_bench.__main__ import check_that_it_starts
from kernel_bench.build import BuildError, cache_folder, is_whole, kernel
from kernel_bench.source import CHANGES, CannotBuildError, Source

SOURCE = Source(Path("/usr/src/linux-source-0.0.tar.xz"), "0.0-1")


class Bench:
    """A cache folder, a compiler that takes no time, and what was said."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.folder = cache / "kernel"
        self.said: list[str] = []
        self.builds = 0

    def compile(self, _: Source, work: Path) -> None:
        self.builds += 1
        (work / "linux").write_bytes(b"a kernel")
        (work / ".config").write_text("CONFIG_GPIO_SIM=y\n")

    def kernel(self, what: Source = SOURCE) -> Path:
        self.said.clear()
        return kernel(what, self.said.append, self.cache)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    found = Bench(tmp_path)
    monkeypatch.setattr(build, "_build", found.compile)
    return found


def test_it_is_built_once(bench: Bench) -> None:
    first = bench.kernel()
    assert (first / "linux").read_bytes() == b"a kernel"
    assert bench.kernel() == first
    assert (bench.builds, bench.said) == (1, [])
    assert sorted(path.name for path in bench.folder.iterdir()) == sorted([SOURCE.key, "lock"])


@pytest.mark.parametrize(
    "spoil", [lambda f: (f / "linux").write_bytes(b"a ker"), lambda f: (f / "built.json").unlink()]
)
def test_a_half_written_kernel_is_named_and_built_again(bench: Bench, spoil: Callable[[Path], object]) -> None:
    spoil(bench.kernel())
    assert not is_whole(bench.folder / SOURCE.key)
    assert is_whole(bench.kernel())
    assert bench.builds == 2
    assert f"a half-written kernel is taken away: {SOURCE.key}" in bench.said


def test_a_build_that_was_killed_is_named_and_begun_anew(bench: Bench) -> None:
    left = bench.folder / f"building-{SOURCE.key}"
    left.mkdir(parents=True)
    (left / "linux").write_bytes(b"half")
    assert is_whole(bench.kernel())
    assert f"an interrupted build is taken away: building-{SOURCE.key}" in bench.said


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, BuildError])
def test_a_build_that_ends_early_leaves_nothing(
    end: type[BaseException], bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(_: Source, work: Path) -> None:
        (work / "linux").write_bytes(b"half")
        raise end

    monkeypatch.setattr(build, "_build", ended)
    with pytest.raises(end):
        bench.kernel()
    assert [path.name for path in bench.folder.iterdir()] == ["lock"]


def test_another_source_or_configuration_is_another_kernel(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    old = bench.kernel()
    newer = replace(SOURCE, version="0.0-2")
    new = bench.kernel(newer)
    assert new != old
    assert not old.exists()
    assert f"what was built of another source or configuration is taken away: {SOURCE.key}" in bench.said
    monkeypatch.setattr(source, "OPTIONS", (*source.OPTIONS, "MORE"))
    assert newer.key != new.name


def test_a_disk_without_room_is_named_before_anything_is_unpacked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "NEEDED_BYTES", 1 << 62)
    with pytest.raises(
        BuildError, match=r"kernel: [0-9.]+ GB free, expected .* \(ICHIS_RIG_CACHE names another place\)"
    ):
        bench.kernel()
    assert bench.builds == 0


def test_a_disk_that_fills_while_building_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Source, work: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(work))

    monkeypatch.setattr(build, "_build", full)
    with pytest.raises(BuildError, match="the disk is full"):
        bench.kernel()


def test_a_compiler_that_finds_the_disk_full_is_told_as_that(tmp_path: Path) -> None:
    words = ["sh", "-c", "echo 'cc1: fatal error: No space left on device'; exit 2"]
    with pytest.raises(BuildError, match="compiling: the disk is full"):
        build._step(tmp_path / "log", tmp_path, "compiling", words)
    with pytest.raises(BuildError, match="compiling failed:\nno such rule\nexit code 2"):
        build._step(tmp_path / "other", tmp_path, "compiling", ["sh", "-c", "echo no such rule; exit 2"])


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: Path(change.file).name)
def test_a_source_that_is_not_as_expected_is_refused(change: source.Change, tmp_path: Path) -> None:
    file = tmp_path / change.file
    file.parent.mkdir(parents=True)
    file.write_text("something else\n")
    with pytest.raises(BuildError, match=f"{change.file} of this source is not as expected"):
        build._change(tmp_path, change)


def test_a_machine_that_cannot_build_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source.shutil, "which", lambda program: None if program == "flex" else "/usr/bin/" + program)
    monkeypatch.setattr(source.platform, "machine", lambda: "x86_64")
    with pytest.raises(CannotBuildError, match=r"not installed: .*flex.*apt-get install .*flex"):
        source.find()
    monkeypatch.setattr(source.platform, "machine", lambda: "aarch64")
    with pytest.raises(CannotBuildError, match="runs on x86-64, and this is aarch64"):
        source.find()


def test_a_machine_on_which_it_does_not_run_is_told_by_its_last_words(tmp_path: Path) -> None:
    linux = tmp_path / "linux"
    linux.write_text("#!/bin/sh\necho nothing may be traced here\nexit 1\n")
    linux.chmod(0o755)
    with pytest.raises(CannotBuildError, match=r"does not run on this machine: .*\n  nothing may be traced here$"):
        check_that_it_starts(linux)


def test_a_cache_that_cannot_be_written_is_named_and_another_place_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "caches").write_text("a file, where a folder is expected")
    monkeypatch.delenv("ICHIS_RIG_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr(build.tempfile, "gettempdir", lambda: str(tmp_path))
    said: list[str] = []
    other = tmp_path / f"ichis-rig-{os.getuid()}"
    assert cache_folder(said.append) == other
    assert said == [f"{tmp_path}/caches/ichis-rig: Not a directory: the kernel is kept in {other}"]
    assert stat.S_IMODE(other.stat().st_mode) == 0o700
    other.rmdir()
    other.symlink_to(tmp_path)
    with pytest.raises(BuildError, match=r"is another user's \(ICHIS_RIG_CACHE names another place\)"):
        cache_folder(said.append)


@pytest.mark.parametrize("words", [[], ["run"], ["boot"]])
def test_wrong_words_are_told_in_one_line(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kernel_bench", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout == "kernel bench: expected: build, test [pytest's words], or run WORD ...\n"
