"""Whatever bytes a file holds, only `InputError` comes out, or a waveform that is whole."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.fuzz_waveforms import attempt, broken, seeds
from tests.waveforms.files import CSV_FILES

IN_ONE_FOLDER = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
WORDS = st.sampled_from(
    [
        "time",
        "volts",
        "X",
        "CH1",
        "Start",
        "Increment",
        "Sequence",
        "Second",
        "Volt",
        "Analog:3",
        "(ms)",
        "TIME",
        "x-axis",
        "1",
        "-2.5e-3",
        "nan",
        "∞",
        "1e400",
    ]
) | st.sampled_from(["Record Length", "in s", "C1 in V", "", " ", '"Number of Data points ="'])
LINES = st.lists(st.lists(WORDS, max_size=6), max_size=12)


@settings(max_examples=300, suppress_health_check=IN_ONE_FOLDER)
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)), choices=st.randoms())
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes, choices: random.Random) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(data)
    attempt(choices, path)


@settings(max_examples=300, suppress_health_check=IN_ONE_FOLDER)
@given(lines=LINES, mark=st.sampled_from(",;\t"), choices=st.randoms())
def test_any_rows_of_the_words_of_oscilloscopes_are_read_or_refused(
    tmp_path: Path, lines: list[list[str]], mark: str, choices: random.Random
) -> None:
    path = tmp_path / "any.csv"
    path.write_text("\n".join(mark.join(cells) for cells in lines))
    attempt(choices, path)


@pytest.mark.parametrize("seed", range(5))
def test_damaged_files_of_every_format_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    good = seeds(tmp_path)
    path = tmp_path / "damaged.csv"
    for _ in range(200):
        path.write_bytes(broken(source, source.choice(good), good))
        attempt(source, path)


@pytest.mark.parametrize("text", CSV_FILES)
def test_a_file_cut_at_any_byte_is_read_or_refused(tmp_path: Path, text: str) -> None:
    whole = text.encode()
    path = tmp_path / "cut.csv"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        attempt(random.Random(0), path)
