"""The fast parsers agree with the exact one, value for value and error for error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.waveforms import rows
from rig.waveforms.rows import RowFormat, Rows

FIELDS = st.sampled_from(
    [
        "1",
        "-2.5",
        "+3e-3",
        " 4 ",
        ".5",
        "6.",
        "0007",
        "nan",
        "-inf",
        "∞",
        "-∞",
        "9.9E+37",
        "",
        " ",
        "x",
        "1e",
        "1,5",
        "1_0",
    ]
) | st.floats(allow_nan=False).map(repr)
LINES = st.lists(st.lists(FIELDS, min_size=1, max_size=4), max_size=30)


def outcome(data: bytes, form: RowFormat, fast: rows.Parser | None) -> list[list[str]] | tuple[str, int | None]:
    """The columns as text (so that NaN equals NaN), or the error and its line."""
    reader = Rows("file", form)
    reader._fast = fast or (lambda _: None)
    try:
        return [[repr(float(value)) for value in column] for column in reader.columns(data, 5)]
    except InputError as error:
        return error.message, error.where.line


def unknown_alike(found: list[list[str]] | tuple[str, int | None]) -> list[list[str]] | tuple[str, int | None]:
    """Infinity and 'not a number' are both unknown."""
    return found if isinstance(found, tuple) else [["nan" if "inf" in v else v for v in column] for column in found]


@given(LINES, st.sampled_from([",", ";"]), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_every_parser_says_the_same(lines: list[list[str]], mark: str, end: str, ended: bool, comma: bool) -> None:
    decimal = "," if comma and mark == ";" else "."
    form = RowFormat(mark, decimal, 2, (0, 1))
    text = end.join(mark.join(cells) for cells in lines) + (end if ended else "")
    exact = unknown_alike(outcome(text.encode(), form, None))
    assert unknown_alike(outcome(text.encode(), form, rows._numpy(form))) == exact
    arrow = rows._arrow(form)
    if arrow:
        assert unknown_alike(outcome(text.encode(), form, arrow)) == exact


@pytest.mark.parametrize("engine", ["_arrow", "_numpy"])
def test_a_block_is_searched_for_the_bad_row_in_pieces(engine: str) -> None:
    form = RowFormat(",", ".", 2, (0, 1))
    fast = getattr(rows, engine)(form)
    if fast is None:
        pytest.skip("pyarrow is not installed")
    good = [f"{at}.5,{at % 7}.25" for at in range(50_000)]
    data = ("\n".join(good) + "\n").encode()
    columns = fast(data)
    assert columns is not None
    odd = data.replace(b"40000.5,2.25", b"40000.5,--- ")
    reader = Rows("file", form)
    reader._fast = fast
    found = reader.columns(odd, 1)
    assert np.isnan(found[1][40_000])
    assert np.array_equal(found[0], columns[0])
    assert np.array_equal(np.delete(found[1], 40_000), np.delete(columns[1], 40_000))
    with pytest.raises(InputError) as told:
        reader.columns(data.replace(b"40000.5,2.25", b"40000.5,2.25,"), 11)
    assert told.value.where.line == 40_011


def test_the_threads_of_arrow_never_hold_memory_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that lets go of it while Python is ending aborts the process: exit code 134 instead of the verdict."""
    csv = pytest.importorskip("pyarrow.csv")
    data = b"1,2\n3,4\n"
    seen = []
    real = csv.read_csv

    def watched(buffer: object, *options: object) -> object:
        seen.append(np.shares_memory(np.frombuffer(buffer, np.uint8), np.frombuffer(data, np.uint8)))  # type: ignore[call-overload]
        return real(buffer, *options)

    monkeypatch.setattr(csv, "read_csv", watched)
    columns = Rows("file", RowFormat(",", ".", 2, (0, 1))).columns(data, 1)
    assert [column.tolist() for column in columns] == [[1.0, 3.0], [2.0, 4.0]]
    assert seen == [False]


def test_without_pyarrow_numpy_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(rows, "import_module", missing)
    reader = Rows("file", RowFormat(";", ",", 3, (0, 2)))
    assert reader.engine == "numpy"
    assert [column.tolist() for column in reader.columns(b"0,5;0x1f;1,25\n1,5;0x00;-2\n", 1)] == [
        [0.5, 1.5],
        [1.25, -2.0],
    ]
