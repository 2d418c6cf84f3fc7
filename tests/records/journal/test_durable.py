"""Whatever ends the writer, the journal holds each fact that it was told is there, and resume is answered rightly."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import BenchError, InputError
from rig.records.journal import Journal, Lost, Reader, Standing, State, store
from rig.records.journal.rows import Fact
from tests.records.journal.facts import GONE, SOAK, begun, ended

ROOT = Path(__file__).parents[3]


@dataclass
class Night:
    """A soak as a model: which cycles began, ended, were called lost, in this order; and the facts that say so."""

    facts: list[Fact] = field(default_factory=lambda: [SOAK])
    began: list[int] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    given_up: set[int] = field(default_factory=set)

    def step(self, what: str) -> bool:
        """Do it, where it can be done now."""
        open_cycles = [n for n in self.began if n not in self.done | self.given_up]
        if what == "begin":
            number = len(self.began) + 1
            self.began.append(number)
            self.facts.append(begun(number, cycle=number, process=GONE))
        elif not open_cycles:
            return False
        elif what == "end":
            self.done.add(open_cycles[-1])
            self.facts.append(ended(open_cycles[-1]))
        else:
            self.given_up.add(open_cycles[0])
            self.facts.append(Lost(begun(open_cycles[0]).run_id, "2026-11-24T20:00:00Z", "disk full"))
        return True

    def check(self, standing: Standing | None) -> None:
        """What resume asks, against the model."""
        assert standing is not None
        assert standing.finished == tuple(sorted(self.done))
        assert standing.next_cycle == len(self.began) + 1
        lost = [attempt.begun.cycle.number for attempt in standing.lost if attempt.begun.cycle]
        assert lost == [n for n in self.began if n not in self.done]
        told = {a.begun.cycle.number for a in standing.lost if a.begun.cycle and a.lost is not None}
        assert told == self.given_up
        assert standing.running == ()


STEPS = st.lists(st.sampled_from(["begin", "begin", "end", "end", "give up"]), min_size=1, max_size=14)


@given(steps=STEPS, cut=st.floats(0, 1), torn=st.booleans())
def test_whatever_the_log_ends_with_the_facts_before_that_are_all_there(
    steps: list[str], cut: float, torn: bool
) -> None:
    """A loss of power tears the log at any byte: what was committed before that byte is there, and nothing else."""
    night = Night()
    with tempfile.TemporaryDirectory() as folder:
        out, after = Path(folder) / "live", Path(folder) / "after"
        after.mkdir()
        with Journal.open(out) as journal:
            path = store.path_in(out)
            log = store.log_of(path)
            journal.add(SOAK)
            sizes = [log.stat().st_size]
            for what in steps:
                if night.step(what):
                    journal.add(night.facts[-1])
                    sizes.append(log.stat().st_size)
            whole = log.read_bytes()
            at = round(cut * len(whole))
            shutil.copy(path, after / path.name)
            rest = b"\xa5" * 40 if torn else b""  # the last block of a file may hold anything
            store.log_of(after / path.name).write_bytes(whole[:at] + rest)
        count = sum(size <= at for size in sizes)
        expected = Night()
        for what in steps:
            if len(expected.facts) < count:
                expected.step(what)
        with Journal.open(after) as journal:
            if count == 0:
                assert journal.soaks() == ()
                return
            expected.check(journal.standing(SOAK.soak_id))
            assert len(journal.attempts()) == len(expected.began)
            journal.add(begun(99, cycle=99))  # and it goes on
            assert journal.attempts()[-1].state is State.RUNNING


def child(code: str, *words: str) -> subprocess.Popen[str]:
    head = "import sys\nfrom pathlib import Path\nfrom rig.records.journal import Journal\n"
    head += "from tests.records.journal.facts import SOAK, begun, ended\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(code), *words],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


WRITES = """
    with Journal.open(Path(sys.argv[1])) as journal:
        journal.add(SOAK)
        for n in range(1, 10_000):
            journal.add(begun(n, cycle=n))
            print(n, flush=True)
            journal.add(ended(n))
"""


@pytest.mark.parametrize("after", [1, 2, 7, 40])
def test_a_writer_that_is_killed_loses_nothing_that_it_was_told_is_there(tmp_path: Path, after: int) -> None:
    writer = child(WRITES, str(tmp_path))
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(after)][-1]
    writer.send_signal(signal.SIGKILL)
    told = max([told, *map(int, writer.communicate()[0].split())])
    with Journal.open(tmp_path) as journal:
        standing = journal.standing(SOAK.soak_id)
        assert standing is not None
        assert told <= standing.next_cycle - 1 <= told + 1
        assert standing.finished == tuple(range(1, len(standing.finished) + 1))
        assert standing.next_cycle - 1 - len(standing.finished) == len(standing.lost) <= 1
        assert journal._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


FULL = """
    import json, resource
    from rig.errors import BenchError
    out, told = Path(sys.argv[1]), []
    with Journal.open(out) as journal:
        journal.add(SOAK, begun(1, cycle=1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
        done = 0
        for n in range(2, 200):
            try:
                journal.add(begun(n, cycle=n))
                done = n
            except BenchError as error:
                told.append(error.one_line())
                break
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        journal.add(begun(500, cycle=500))
        print(json.dumps([done, told, journal.standing(SOAK.soak_id).next_cycle]))
"""


@pytest.mark.parametrize("limit", [60_000, 61_440, 100_000, 123_457])
def test_a_disk_that_is_full_is_one_line_and_the_journal_goes_on_when_there_is_room(tmp_path: Path, limit: int) -> None:
    answer = child(FULL, str(tmp_path), str(limit)).communicate()[0]
    done, told, next_cycle = json.loads(answer)
    assert len(told) == 1
    assert str(store.path_in(tmp_path)) in told[0]
    assert next_cycle == 501
    with Reader.open(tmp_path) as reader:
        numbers = [attempt.begun.cycle.number for attempt in reader.attempts() if attempt.begun.cycle]
    assert numbers == [*range(1, max(done, 1) + 1), 500]


def shell(path: Path, *statements: str) -> list[str]:
    """What Debian's sqlite3 says."""
    program = shutil.which("sqlite3")
    if program is None:
        pytest.skip("sqlite3 is not installed")
    return subprocess.run([program, str(path), *statements], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )


def test_another_program_reads_it_while_its_writer_is_open(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.add(SOAK, begun(1, cycle=1), ended(1))
        path = store.path_in(tmp_path)
        assert shell(path, "PRAGMA integrity_check;", "PRAGMA journal_mode;", "PRAGMA user_version;")[:3] == [
            "ok", "wal", str(len(store.MIGRATIONS)),
        ]  # fmt: skip
        assert shell(path, "SELECT verdict, printf('%!.16g', upper_s) FROM ended;")[0] == "PASS|45.00600000000001"
        journal.add(begun(2, cycle=2))  # who reads holds up nobody
        assert shell(path, "SELECT count(*) FROM begun; PRAGMA foreign_key_check;")[0] == "2"


def test_another_program_cannot_change_it_either(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1))
    program = shutil.which("sqlite3")
    if program is None:
        pytest.skip("sqlite3 is not installed")
    done = subprocess.run(
        [program, str(store.path_in(tmp_path)), "DELETE FROM begun;"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "append-only" in done.stderr


def test_every_page_that_is_damaged_is_told_or_changes_nothing(tmp_path: Path) -> None:
    """A byte flipped anywhere: the journal is refused in one line, or what it says is a row of ours; never a crash."""
    with Journal.open(tmp_path) as journal:
        journal.add(SOAK, *(fact for n in range(1, 40) for fact in (begun(n, cycle=n), ended(n))))
    path = store.path_in(tmp_path)
    sound = path.read_bytes()
    told = 0
    for at in range(0, len(sound), 1499):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :])
        with contextlib.suppress(InputError, BenchError):
            with Journal.open(tmp_path) as journal:
                journal.standing(SOAK.soak_id)
            continue
        told += 1
    assert told > 10


READ_ONLY = """
    import os
    from rig.errors import BenchError
    from rig.records.journal import Reader
    out = Path(sys.argv[1])
    fact = begun(2)
    if os.geteuid() == 0:  # root may write everywhere
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    with Reader.open(out) as reader:
        print(len(reader.attempts()))
    try:
        with Journal.open(out) as journal:
            journal.add(fact)
    except BenchError as error:
        print(error.one_line())
"""


def test_a_folder_that_nobody_may_write_is_read_and_refuses_a_row_in_one_line(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1))
    copy = Path(tempfile.mkdtemp(prefix="rig-"))  # where another user may look
    try:
        shutil.copytree(tmp_path, copy, dirs_exist_ok=True)
        before = sorted(p.name for p in copy.iterdir())
        copy.chmod(0o555)
        reader = child(READ_ONLY, str(copy))
        lines = reader.communicate()[0].splitlines()
        assert (reader.returncode, lines[0], len(lines)) == (0, "1", 2)
        assert "the journal cannot be" in lines[1]
        assert sorted(p.name for p in copy.iterdir()) == before
    finally:
        copy.chmod(0o755)
        shutil.rmtree(copy)


def test_a_journal_that_was_removed_but_not_its_log_is_not_mixed_with_a_new_one(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1))
        path = store.path_in(tmp_path)
        log = store.log_of(path).read_bytes()
    path.unlink()
    store.log_of(path).write_bytes(log)
    with pytest.raises(InputError, match="damaged") as caught:
        Journal.open(tmp_path)
    assert caught.value.where.found == "nothing but its journal.sqlite3-wal"


def test_a_journal_in_a_folder_that_has_no_second_names_is_made_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT has no hard links."""

    def none(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1))
    assert [p.name for p in tmp_path.iterdir()] == [store.FILE]
    assert sqlite3.connect(store.path_in(tmp_path)).execute("SELECT count(*) FROM begun").fetchone() == (1,)
