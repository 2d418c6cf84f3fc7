"""Relay operations: counted before the contact closes, kept over runs and crashes, told at 80 and at 100 percent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rig.bench.relay_bank import RelayBank
from rig.bench.wear import Wear, WearBook, wear_file
from rig.clock.virtual import VirtualClock
from rig.errors import BenchError, InputError
from tests.bench.files import checked, spoilt
from tests.bench.test_relay_bank import Coil

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


def test_a_relay_whose_operation_cannot_be_kept_does_not_close(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, not a folder")
    clock, coil = VirtualClock(), Coil("K1", safe=False)
    book = WearBook(CONFIG, None)
    bank = RelayBank({"mains": coil}, clock, 0.0, wear=book)
    book._file = tmp_path / "state" / "bench.json"
    with pytest.raises(BenchError, match="the operations of relays cannot be kept"):
        bank.set("mains", True)
    assert not coil.closed
    assert operations(book)["K1"] == 0


def test_a_closing_is_counted_once_and_an_opening_is_not(tmp_path: Path) -> None:
    clock, coil = VirtualClock(), Coil("K1", safe=False)
    bank = RelayBank({"mains": coil}, clock, 0.0, wear=WearBook(CONFIG, tmp_path / "bench.json"))
    for closed in (True, True, False, False, True):
        bank.set("mains", closed)
    assert bank.wear()[0] == Wear("K1", 2, 100_000)
    assert json.loads((tmp_path / "bench.json").read_text())["operations"] == {"K1": 2}


def test_counts_are_kept_in_the_state_folder_of_this_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert wear_file(CONFIG) == tmp_path / "ichis-rig" / "relays" / "twin.json"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # the specification: must be absolute, or it is ignored
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert wear_file(CONFIG) == tmp_path / "home" / ".local" / "state" / "ichis-rig" / "relays" / "twin.json"
