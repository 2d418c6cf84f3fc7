"""The book of controls: what stands, for how long, and for which bench."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rig.bench.config import BenchConfig
from rig.bench.control_book import ControlBook, Entry
from rig.errors import BenchError
from tests.bench.files import checked

CONFIG = checked()
MADE = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)


def entry(kind: str, *, valid: bool = True, made: datetime = MADE) -> Entry:
    return Entry(kind, valid, made.isoformat(), 5.0, 0.07, 0.001, 0.0, 12.1)


def changed(table: str, **values: object) -> BenchConfig:
    return CONFIG.model_copy(update={table: getattr(CONFIG, table).model_copy(update=values)})


def test_an_empty_book_has_nothing(tmp_path: Path) -> None:
    assert ControlBook(tmp_path, CONFIG).standing(MADE) == ()
    assert list(tmp_path.iterdir()) == [], "reading makes nothing"


def test_a_valid_control_stands_for_its_hours_and_no_longer(tmp_path: Path) -> None:
    book = ControlBook(tmp_path, CONFIG)
    book.note([entry("quiet")])
    assert [e.kind for e in book.standing(MADE + timedelta(hours=24))] == ["quiet"]
    assert book.standing(MADE + timedelta(hours=24, seconds=1)) == ()
    assert book.standing(MADE - timedelta(seconds=1)) == (), "a control from the future counts for nothing"


def test_a_later_control_that_failed_takes_the_earlier_one_away(tmp_path: Path) -> None:
    book = ControlBook(tmp_path, CONFIG)
    book.note([entry("quiet"), entry("mains")])
    book.note([entry("mains", valid=False)])
    assert [e.kind for e in ControlBook(tmp_path, CONFIG).standing(MADE)] == ["quiet"]


@pytest.mark.parametrize(
    "other",
    [changed("rail", up_above_v=10.1), changed("topology", discharge_s=1.5)],
    ids=["threshold", "topology"],
)
def test_another_bench_begins_with_an_empty_book(other: BenchConfig, tmp_path: Path) -> None:
    ControlBook(tmp_path, CONFIG).note([entry("quiet")])
    assert ControlBook(tmp_path, other).standing(MADE) == ()


def test_another_name_for_the_same_bench_reads_the_same_book(tmp_path: Path) -> None:
    ControlBook(tmp_path, CONFIG).note([entry("quiet")])
    assert len(ControlBook(tmp_path, changed("bench", name="other")).standing(MADE)) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"controls": [{"kind": "quiet"}]}', '{"controls": 3}'])
def test_a_book_that_cannot_be_read_has_nothing_and_can_be_written_again(text: str, tmp_path: Path) -> None:
    book = ControlBook(tmp_path, CONFIG)
    book.note([entry("quiet")])
    (file,) = (tmp_path / "controls").iterdir()
    file.write_text(text)
    assert book.standing(MADE) == ()
    book.note([entry("mains")])
    assert [e.kind for e in book.standing(MADE)] == ["mains"]


def test_a_book_that_cannot_be_written_is_a_bench_error(tmp_path: Path) -> None:
    (tmp_path / "controls").write_text("a file in the way")
    with pytest.raises(BenchError, match="cannot be noted"):
        ControlBook(tmp_path, CONFIG).note([entry("quiet")])
