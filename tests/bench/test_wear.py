"""Relay operations: counted before the contact closes, kept over runs and crashes, told at 80 and at 100 percent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rig.bench.wear import Wear, WearBook, wear_file
from rig.clock.virtual import VirtualClock
from rig.errors import BenchError, InputError
from rig.guardian.core import Core
from rig.guardian.local import LocalGuardian
from tests.bench.files import checked, spoilt
from tests.guardian.coils import NAMES, RULES, Coil

CONFIG = checked()
K1 = CONFIG.relay[0].name


def operations(book: WearBook) -> dict[str, int]:
    return {wear.name: wear.operations for wear in book.rows()}


def test_operations_are_counted_over_runs(tmp_path: Path) -> None:
    file = tmp_path / "state" / "bench.json"
    for run in range(3):
        book = WearBook(CONFIG, file)
        assert operations(book) == {"K1": run, "K2": 2 * run, "K3": 0}
        for name in ("K1", "K2", "K2"):
            book.closing(name)
    assert [p.name for p in file.parent.iterdir()] == ["bench.json"], "no draft is left"


def test_a_process_that_is_killed_has_counted_what_it_closed(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    program = (
        "import os, signal, sys; from pathlib import Path; from tests.bench.test_wear import CONFIG\n"
        "from rig.bench.wear import WearBook\n"
        "book = WearBook(CONFIG, Path(sys.argv[1]))\n"
        "for _ in range(7): book.closing('K3')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == -9
    assert operations(WearBook(CONFIG, file))["K3"] == 7


def test_only_a_relay_with_a_rated_life_is_counted(tmp_path: Path) -> None:
    text, _ = spoilt("relay", "rated_operations = 100_000", "")
    book = WearBook(checked(text), tmp_path / "bench.json")
    book.closing(K1)
    assert set(operations(book)) == {"K2", "K3"}
    assert not (tmp_path / "bench.json").exists()


def test_a_bench_without_rated_lives_reads_and_writes_no_file(tmp_path: Path) -> None:
    config = CONFIG.model_copy(
        update={"relay": [r.model_copy(update={"rated_operations": None}) for r in CONFIG.relay]}
    )
    (tmp_path / "bench.json").write_text("not read")
    book = WearBook(config, tmp_path / "bench.json")
    book.closing(K1)
    assert book.rows() == ()
    assert (tmp_path / "bench.json").read_text() == "not read"


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (79_999, None),
        (80_000, "relay K1 has made 80000 of the 100000 operations that it is rated for (80 %)"),
        (99_999, "relay K1 has made 99999 of the 100000 operations that it is rated for (100 %)"),
        (100_000, "relay K1 has made 100000 of the 100000 operations that it is rated for: replace it"),
    ],
)
def test_a_worn_relay_is_told(count: int, told: str | None) -> None:
    assert Wear("K1", count, 100_000).warning == told


WRONG = {
    "no JSON": "}",
    "another schema": '{"schema": "rig.relays/2", "operations": {}}',
    "a list": "[1]",
    "no counts": '{"schema": "rig.relays/1"}',
    "a count below zero": '{"schema": "rig.relays/1", "operations": {"K1": -1}}',
    "a count that is true": '{"schema": "rig.relays/1", "operations": {"K1": true}}',
    "half a count": '{"schema": "rig.relays/1", "operations": {"K1": 0.5}}',
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_a_file_that_is_no_count_is_told_and_left_alone(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    file.write_text(text)
    with pytest.raises(InputError, match="no count of relay operations") as caught:
        WearBook(CONFIG, file)
    assert caught.value.where.file == str(file)
    assert file.read_text() == text


def test_an_operation_that_cannot_be_kept_is_an_error_and_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, not a folder")
    book = WearBook(CONFIG, None)
    book._file = tmp_path / "state" / "bench.json"
    with pytest.raises(BenchError, match="the operations of relays cannot be kept"):
        book.closing(K1)
    assert operations(book)["K1"] == 0


def test_a_closing_is_counted_once_and_an_opening_is_not(tmp_path: Path) -> None:
    clock, file = VirtualClock(), tmp_path / "bench.json"
    coils = {role: Coil(name, stays=role == "mains") for role, name in NAMES.items()}
    guardian = LocalGuardian(Core(RULES, coils, clock.now), clock, WearBook(CONFIG, file).closing)
    for closed in (True, True, False, False, True):
        clock.sleep(1.0)
        guardian.set("mains", closed)
    assert json.loads(file.read_text())["operations"] == {"K1": 2}
    guardian.close()


def test_a_relay_whose_operation_cannot_be_kept_does_not_close(tmp_path: Path) -> None:
    clock, book = VirtualClock(), WearBook(CONFIG, None)
    coils = {role: Coil(name, stays=role == "mains") for role, name in NAMES.items()}
    guardian = LocalGuardian(Core(RULES, coils, clock.now), clock, book.closing)
    (tmp_path / "state").write_text("a file, not a folder")
    book._file = tmp_path / "state" / "bench.json"
    clock.sleep(1.0)
    with pytest.raises(BenchError, match="the operations of relays cannot be kept"):
        guardian.set("mains", True)
    assert not coils["mains"].closed
    guardian.close()


def test_each_bench_has_a_file_of_its_own() -> None:
    assert wear_file(CONFIG, Path("/var/lib/ichis-rig")) == Path("/var/lib/ichis-rig/relays/twin.json")
