"""TOML files that people write: every fault is one line that names file, key, line, what was found and expected."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator

from rig.errors import InputError
from rig.toml_file import dotted, line_of, read_toml, validate

TEXT = """\
# a comment, with key = "value" in it
schema = "rig.test/1"

[bench]
name = "B1" # trailing
note = \"\"\"
[not.a.table]
pin = 3
\"\"\"
limits.low_v = 9.5
steps = [
  [0.0, 12.0],
  # between
  [1.0, 0.0], [2.0, 12.0],
]
inline = { a = 1, b = { c = 'x' } }

[[relay]]
name = "K1"
pin = 4

[[relay]]
name = "K2"
[relay.wiring]
"odd key" = '''
]]'''
after = 2024-01-01 10:00:00
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("schema",), 2),
        (("bench",), 4),
        (("bench", "name"), 5),
        (("bench", "note"), 6),
        (("bench", "limits"), 10),
        (("bench", "limits", "low_v"), 10),
        (("bench", "steps"), 11),
        (("bench", "steps", 0), 12),
        (("bench", "steps", 1), 14),
        (("bench", "steps", 2, 1), 14),
        (("bench", "inline", "b", "c"), 16),
        (("relay",), 18),
        (("relay", 0), 18),
        (("relay", 0, "pin"), 20),
        (("relay", 1), 22),
        (("relay", 1, "name"), 23),
        (("relay", 1, "wiring"), 24),
        (("relay", 1, "wiring", "odd key"), 25),
        (("relay", 1, "wiring", "after"), 27),
        (("bench", "pin"), None),
        (("relay", 1, "pin"), None),
        (("not",), None),
    ],
)
def test_the_line_of_a_key_is_where_it_is_written(path: tuple[str | int, ...], line: int | None) -> None:
    assert line_of(TEXT, path) == line


def test_windows_line_ends_count_as_one() -> None:
    assert line_of(TEXT.replace("\n", "\r\n"), ("relay", 0, "pin")) == 20


def test_malformed_text_has_no_lines() -> None:
    assert line_of("a = 1\nb = \n", ("a",)) is None


_SCALARS = [
    ("1", 0),
    ("-2.5e3", 0),
    ("inf", 0),
    ("true", 0),
    ("2024-01-01T00:00:00Z", 0),
    ('"a # = [b]\\""', 0),
    ("'c:\\'", 0),
    ('"""x\ny = 1\n"""', 2),
    ('"""""q"""""', 0),
    ("'''\n[z]\n''''", 2),
    ("[1, [2,\n3], ]", 1),
    ("[ # ]\n]", 1),
    ("{ k = 1, 'l.m' = {} }", 0),
]
_KEYS = st.sampled_from(["a", "b", "c-1", "2", '"q.r"', "'s t'", '"\\u0041"'])


@st.composite
def _documents(draw: st.DrawFn) -> tuple[str, set[int]]:
    """TOML text of a few tables, and the lines on which its keys are written."""
    text, lines = "", set()
    line = 1
    for table in draw(st.lists(st.sampled_from(["", "t", "u.v", '"w x"', "[rows]", "[rows]"]), max_size=5)):
        header = f"[{table}]" if table else "# no table"
        text += f"{header}\n"
        line += 1
        for key in draw(st.lists(_KEYS, max_size=4, unique=True)):
            value, extra = draw(st.sampled_from(_SCALARS))
            text += f"  {key} = {value} # {key}\n"
            lines.add(line)
            line += 1 + extra
    return text, lines


@given(_documents())
def test_every_value_of_a_valid_text_has_a_line_that_names_its_key(document: tuple[str, set[int]]) -> None:
    text, lines = document
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert line_of(text, ("a",)) is None
        return
    written = text.split("\n")
    tables: list[tuple[tuple[str | int, ...], dict[str, Any]]] = [((), data)]
    tables += [(("t",), data["t"])] if "t" in data else []
    tables += [(("u", "v"), data["u"]["v"])] if "u" in data else []
    tables += [(("w x",), data["w x"])] if "w x" in data else []
    tables += [(("rows", n), row) for n, row in enumerate(data.get("rows", []))]
    seen = set()
    for path, table in tables:
        for key in table:
            if path == () and key in {"t", "u", "w x", "rows"}:
                continue
            line = line_of(text, (*path, key))
            assert line is not None
            assert line in lines
            name = written[line - 1].split(" = ")[0].strip()
            assert next(iter(tomllib.loads(f"{name} = 0"))) == key
            seen.add(line)
    assert seen == lines


@given(st.text(alphabet="ab=.[]{}\"'#,\n 1\\\r\t", max_size=40))
def test_looking_for_a_line_never_raises(text: str) -> None:
    line = line_of(text, ("a",))
    assert line is None or "a" in text.split("\n")[line - 1]


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        (b"a = 1\nb = \n", 2, "not valid TOML: Invalid value"),
        (b"a = 1\n\nb = [1,\n2", 4, "not valid TOML: Unclosed array"),
        (b"a = 1\na = 2\n", 2, "not valid TOML: Cannot overwrite a value"),
        (b'a = 1\nb = "\xff"\n', 2, "not a text file"),
        (b"a = " + b"[" * 5000, None, "nested too deeply"),
        (b"a = " + b"9" * 5000, None, "not valid TOML"),
    ],
)
def test_a_malformed_file_is_named_with_its_line(tmp_path: Path, content: bytes, line: int | None, part: str) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_toml(file)
    assert error.value.where.file == str(file)
    assert error.value.where.line == line
    assert part in error.value.message


def test_a_file_that_is_not_there_or_not_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(InputError, match="Is a directory") as error:
        read_toml(tmp_path)
    assert error.value.where.file == str(tmp_path)


def test_a_good_file_gives_its_content_and_its_text(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(TEXT, encoding="utf-8")
    data, text = read_toml(file)
    assert data["relay"][1]["name"] == "K2"
    assert text == TEXT


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Scpi(_Strict):
    kind: Literal["scpi"]
    address: str


class _Twin(_Strict):
    kind: Literal["twin"]
    seed: int = 0


class _Relay(_Strict):
    name: str
    pin: Annotated[int, Field(ge=0, le=53)]
    active_high: bool = True


class _Bench(_Strict):
    name: Annotated[str, Field(pattern=r"^\w+$")]
    limit_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 180.0
    mode: Literal["ichis", "hot-shoe"] = "ichis"
    relay: list[_Relay] = []
    supply: list[Annotated[_Scpi | _Twin, Field(discriminator="kind")]] = []
    pair: Annotated[list[float], Field(min_length=2, max_length=2)] = [0.0, 1.0]

    @field_validator("limit_s")
    @classmethod
    def _not_13(cls, value: float) -> float:
        if value == 13:
            raise ValueError("thirteen is unlucky")
        return value


def _fault(text: str) -> InputError:
    with pytest.raises(InputError) as error:
        validate(_Bench, tomllib.loads(text), text, "b.toml")
    return error.value


_RELAY = 'name = "x"\n[[relay]]\nname = "K1"\npin = 1\n[[relay]]\nname = "K2"\n'


@pytest.mark.parametrize(
    ("text", "one_line"),
    [
        ("name = 3", "b.toml:1: name: wrong type (found 3, expected text in quotes)"),
        ("\nlimit_s = 1.0", "b.toml: name: missing key (expected text in quotes)"),
        ('nmae = "x"', "b.toml:1: nmae: unknown key; did you mean 'name'?"),
        (
            'name = "x"\nzzz = 1',
            "b.toml:2: zzz: unknown key (expected one of: name, limit_s, mode, relay, supply, pair)",
        ),
        ('name = "x"\nlimit_s = true', "b.toml:2: limit_s: wrong type (found true, expected a number)"),
        ('name = "x"\nlimit_s = "180"', "b.toml:2: limit_s: wrong type (found '180', expected a number)"),
        ('name = "x"\nlimit_s = -1', "b.toml:2: limit_s: not allowed (found -1, expected more than 0.0)"),
        ('name = "x"\nlimit_s = nan', "b.toml:2: limit_s: not allowed (found nan, expected a finite number)"),
        ('name = "x"\nlimit_s = 13', "b.toml:2: limit_s: thirteen is unlucky"),
        ('name = "x"\nmode = "hot"', "b.toml:2: mode: not allowed (found 'hot', expected 'ichis' or 'hot-shoe')"),
        ('name = "x"\nrelay = 1', "b.toml:2: relay: wrong type (found 1, expected an array)"),
        ('name = "x"\nrelay = [1]', "b.toml:2: relay[0]: wrong type (found 1, expected a table)"),
        (_RELAY + "pin = 54", "b.toml:7: relay[1].pin: not allowed (found 54, expected at most 53)"),
        (_RELAY + "pin = 1.0", "b.toml:7: relay[1].pin: wrong type (found 1.0, expected a whole number)"),
        (_RELAY, "b.toml:5: relay[1].pin: missing key (expected a whole number)"),
        (_RELAY + "pni = 1", "b.toml:7: relay[1].pni: unknown key; did you mean 'pin'?"),
        ('name = "x"\npair = [1]', "b.toml:2: pair: not allowed (found an array of 1, expected at least 2 entries)"),
        (
            'name = "x"\n[[supply]]\nkind = "scpi"\naddress = 1',
            "b.toml:4: supply[0].address: wrong type (found 1, expected text in quotes)",
        ),
        (
            'name = "x"\n[[supply]]\nkind = "twin"\nsede = 1',
            "b.toml:4: supply[0].sede: unknown key; did you mean 'seed'?",
        ),
        ('name = "a b"', r"b.toml:1: name: not allowed (found 'a b', expected text like ^\w+$)"),
    ],
)
def test_the_first_fault_is_one_line_with_file_line_key_found_and_expected(text: str, one_line: str) -> None:
    assert _fault(text).one_line() == one_line


def test_an_unknown_kind_in_a_union_names_the_kinds_there_are() -> None:
    fault = _fault('name = "x"\n[[supply]]\nkind = "magic"')
    assert fault.one_line() == "b.toml:3: supply[0].kind: not allowed (found 'magic', expected 'scpi', 'twin')"


def test_a_union_without_its_kind_names_the_missing_key_and_the_kinds_there_are() -> None:
    fault = _fault('name = "x"\n[[supply]]\nvolts = 3.0')
    assert fault.one_line() == "b.toml:2: supply[0].kind: missing key (expected 'scpi' or 'twin')"


def test_an_unknown_key_of_a_union_names_the_keys_of_its_kind_alone() -> None:
    fault = _fault('name = "x"\n[[supply]]\nkind = "twin"\ncolour = 1')
    assert fault.one_line() == "b.toml:4: supply[0].colour: unknown key (expected one of: kind, seed)"


def test_good_data_becomes_the_model() -> None:
    text = 'name = "x"\nlimit_s = 180\npair = [1, 2.5]'
    bench = validate(_Bench, tomllib.loads(text), text, "b.toml")
    assert bench.limit_s == 180.0
    assert bench.pair == [1.0, 2.5]


def test_a_path_is_written_as_people_write_it() -> None:
    assert dotted(("relay", 2, "pin")) == "relay[2].pin"
    assert dotted(("bench", "odd key")) == "bench.'odd key'"


def test_no_line_is_told_where_the_index_and_the_parser_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.toml_file._paths", lambda _: iter([("a",)]))
    assert line_of("a = 1\nb = 2\n", ("a",)) is None
