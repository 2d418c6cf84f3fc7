"""A harness that cannot be read, or says what is not understood: one line with the harness' file and line, no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.wiring.yaml_lines import read_yaml
from rig.errors import InputError
from tests.wiring.files import copy_of, spoil

ROWS: list[tuple[str, str, str, str, str | None]] = [
    # YAML
    ("connectors:\n", "connectors: [\n", "[", "not valid YAML", None),
    ("  TE:\n", "  TE: &TE\n", "    TE: {kind: terminal}", "", None),
    ("  parts:\n", "  parts:\n    PI: {kind: terminal}\n", "    PI: {kind: header}", "a key stands twice", None),
    ("  TE:\n    type: Terminal block\n", "  TE:\n    <<: {type: x}\n", "<<:", "not a key", "a name in quotes"),
    ("    type: Pilot lamp", "    type: !!python/name:os.system Pilot", "!!python", "not valid YAML", None),
    ("  PI:\n    type", "  on:\n    type", "  on:", "not a key", "a name in quotes"),
    # types and keys
    ("rig:\n", "rigs:\n", "rigs:", "unknown key; did you mean 'rig'?", None),
    ("rig.harness/1", "rig.harness/2", "rig.harness/2", "not allowed", "'rig.harness/1'"),
    ("    pincount: 7\n", "    pinscount: 7\n", "pinscount", "unknown key; did you mean 'pincount'?", None),
    ("    PI: {kind: header}", "    PI: {kind: head}", "kind: head}", "not allowed", "'header', 'driver'"),
    ("{kind: driver, channels", "{kind: driver, chanels", "chanels", "unknown key; did you mean 'channels'?", None),
    ("coil: [A1, A2], makes: [[11, 14]]", "coil: [A1], makes: [[11, 14]]", "coil: [A1]", "not allowed", "at least 2"),
    ("shunt: *shunt, gain", "shunt: 0.2, gain", "shunt: 0.2,", "0.2 is no value like '255 kohm 0.2 %'", None),
    ("watts: 3 W", "watts: 3 V", "watts: 3 V", "'3 V' is no value like '3 W'", None),
    ("pins: [11, 12, 21, 22, 31, 32]", "pins: [11, 11, 21, 22, 31, 32]", "  ES:", "a pin stands twice", None),
    ("input: differential", "input: earthed", "input: earthed", "not allowed", "'differential' or 'isolated'"),
    ("    PSU: {kind: supply, plus: +, ", "    PSU: {kind: supply, ", "    PSU: {kind", "missing key", None),
    ("high: above", "high: over", "high: over", "not allowed", "'above' or 'below'"),
    # wires
    ("{WD: [4]}, {W6: [1]}", "{WDD: [4]}, {W6: [1]}", "{WDD:", "no such part; did you mean 'WD'?", "a connector"),
    ("{WD: [4]}, {W6: [1]}", "{WD: [5]}, {W6: [1]}", "{WD: [5]}", "WD has no such pin", "1, 2, 3, 4"),
    ("{WD: [4]}, {W6: [1]}", "{WD: [OUTT]}, {W6: [1]}", "{WD: [OUTT]}", "WD has no such pin", "1, 2, 3, 4"),
    ("{PI: [17, 32]}", "{PI: [3V3, 32]}", "{PI: [3V3, 32]}", "PI has several pins of this label", "1, 2, 3"),
    ("{WD: [4]}, {W6: [1]}", "{WD: [4]}, {W6: [2]}", "{W6: [2]}", "W6 has no such core", "1 to 1"),
    ("{WD: [4]}, {W6: [1]}", "{WD: [4]}, {W6: [s]}", "{W6: [s]}", "W6 has no such core", "1 to 1"),
    (
        "{WD: [4]}, {W6: [1]}",
        "{WD: [4]}, {W5: [1]}",
        "{PI: [1, 40, 1, 22]}, {W5",
        "a core is used twice",
        "a free one (line ",
    ),
    ("{WD: [4]}, {W6: [1]}", "{WD: [4, 3]}, {W6: [1]}", "{WD: [4, 3]}", "has as many pins of each part", "equal"),
    ("{WD: [4]}, {W6: [1]}, ", "{WD: [4]}, ", "- [{WD: [4]}, {DRV", "do not take turns", None),
    ("{WD: [4]}, {W6: [1]}, ", "{WD: [4]}, -->, ", "-->", "not understood here", "{NAME: [pins]}"),
]


@pytest.mark.parametrize(("old", "new", "snippet", "message", "expected"), ROWS)
def test_what_is_not_understood_is_told_with_file_and_line(
    old: str, new: str, snippet: str, message: str, expected: str | None, tmp_path: Path
) -> None:
    pair = copy_of("single-phase", tmp_path)
    spoil(pair.harness, (_with_line(pair.harness, old), _with_line(pair.harness, old).replace(old, new)))
    if not message:
        assert pair.check().errors == ()
        return
    with pytest.raises(InputError) as caught:
        pair.check()
    error = caught.value
    assert error.where.file == str(pair.harness)
    assert message in error.message
    assert expected is None or expected in (error.where.expected or "")
    if message != "not valid YAML":
        lines = pair.harness.read_text(encoding="utf-8").splitlines()
        assert snippet in lines[(error.where.line or 0) - 1]
    assert error.where.line is not None
    assert "\n" not in error.one_line()


def _with_line(file: Path, snippet: str) -> str:
    """The snippet, or more of its line where it stands several times in the file."""
    text = file.read_text(encoding="utf-8")
    if text.count(snippet) == 1:
        return snippet
    start = text.index(snippet)
    return text[start : text.index("\n", start + len(snippet)) + 1]


def test_a_harness_that_is_not_there_is_told(tmp_path: Path) -> None:
    pair = copy_of("single-phase", tmp_path)
    pair.harness.unlink()
    with pytest.raises(InputError, match="no such harness") as caught:
        pair.check()
    where = caught.value.where
    assert (where.file, where.line) == (str(pair.bench), pair.line(pair.bench, "harness = "))
    assert where.found == str(pair.harness)


def test_a_bench_file_without_a_harness_is_told(tmp_path: Path) -> None:
    pair = copy_of("single-phase", tmp_path)
    spoil(pair.bench, ('[wiring]\nharness = "single-phase.harness.yml"\n', ""))
    with pytest.raises(InputError, match="the bench file names no harness") as caught:
        pair.check()
    assert (caught.value.where.file, caught.value.where.key) == (str(pair.bench), "wiring.harness")


@pytest.mark.parametrize("name", ["/etc/passwd.yml", "harness.txt", "", "a\\u0000b.yml"])
def test_a_harness_is_a_yaml_file_beside_the_bench_file(name: str, tmp_path: Path) -> None:
    pair = copy_of("single-phase", tmp_path)
    spoil(pair.bench, ('harness = "single-phase.harness.yml"', f'harness = "{name}"'))
    with pytest.raises(InputError) as caught:
        pair.check()
    assert caught.value.where.key == "wiring.harness"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a WireViz file"),
        (b"- 1\n- 2\n", "not a WireViz file"),
        (b"\xff\xfe", "not a text file"),
        (b"a: 2026-99-99", "not valid YAML"),
        (b"a: [" * 2000, "not valid YAML"),
        (b"a: &a [*a]", "too large, or it refers to itself"),
        (b"a: [" * 100 + b"1" + b"]" * 100, "too large, or it refers to itself"),
    ],
    ids=["empty", "a list", "bytes", "no date", "unclosed", "a list of itself", "deep"],
)
def test_a_file_that_is_no_harness_is_told(data: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    file.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_yaml(file)
    assert message in caught.value.one_line()
    assert caught.value.where.file == str(file)


def test_aliases_of_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    file = tmp_path / "x.yml"
    file.write_text("\n".join(rows))
    with pytest.raises(InputError, match="too large"):
        read_yaml(file)


def test_every_value_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    file.write_text("a: 1\nb:\n  - x\n  - {c: 2,\n     d: 3}\n")
    data, lines = read_yaml(file)
    assert data == {"a": 1, "b": ["x", {"c": 2, "d": 3}]}
    assert lines["a",] == 1
    assert (lines["b", 0], lines["b", 1], lines["b", 1, "c"], lines["b", 1, "d"]) == (3, 4, 4, 5)


def test_ranges_and_labels_name_the_same_pins_as_numbers(tmp_path: Path) -> None:
    plain, other = copy_of("single-phase", tmp_path / ""), copy_of("polyphase", tmp_path)
    assert plain.check().errors == other.check().errors == ()
    before = plain.check().wires
    spoil(
        plain.harness,
        ("{XH: [5-20]}, {W52: [1-16]}, {XM: [5-20]}", "{XH: [20-5]}, {W52: [16-1]}, {XM: [20-5]}"),
        ("{WD: [4]}, {W6: [1]}", "{WD: OUT}, {W6: 1}"),
    )
    assert sorted(w.via for w in plain.check().wires) == sorted(w.via for w in before)
    assert {(w.via, w.start, w.end) for w in plain.check().wires} == {(w.via, w.start, w.end) for w in before}
