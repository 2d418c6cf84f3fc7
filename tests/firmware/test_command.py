"""`rig firmware` as a person uses it: what it prints, its exit codes, and one line for whatever is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.cli import main
from rig.firmware import load, names
from rig.firmware.fixture import packaged
from tests.firmware.containers import full, gb, good


@pytest.fixture
def rig(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `rig firmware WORDS`: the exit code, what it printed, and what it told on stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["firmware", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def as_json(rig: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """The same with `--json`: one object on stdout, and nothing else anywhere."""

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code, out, err = rig(*words, "--json")
        assert err == ""
        return code, json.loads(out)

    return run


Rig = Callable[..., tuple[int, str, str]]
AsJson = Callable[..., tuple[int, dict[str, Any]]]


def _file(tmp_path: Path, data: bytes) -> str:
    file = tmp_path / "x.ota"
    file.write_bytes(data)
    return str(file)


def test_inspect_prints_each_field_each_part_and_which_hash_is_which(rig: Rig, tmp_path: Path) -> None:
    code, out, err = rig("inspect", _file(tmp_path, full()))
    assert (code, err) == (0, "")
    for line in (
        "  OTA upgrade file identifier    0x0BEEF11E",
        "  Security credential version    0x02",
        "  OTA header string              'a meter'",
        "  Upgrade file destination       01:02:03:04:05:06:07:08",
        "  sub-element 1: upgrade image (tag 0x0000) at offset 69",
        "    400 bytes at offset 75: 66 69 72 6d 77 61 72 65 66 69 72 6d 77 61 72 65 ...",
    ):
        assert line in out.splitlines()
    assert "0x0007 (security credential version present, device specific file, hardware versions present)" in out
    assert "manufacturer image hash (a GBCS activation has this one; assumed: the data of" in out
    assert "WRONG" not in out


def test_inspect_prints_a_gb_image(rig: Rig, tmp_path: Path) -> None:
    _, out, _ = rig("inspect", _file(tmp_path, gb(b"manufacturer image")))
    assert "manufacturer image at offset 60, 18 bytes" in out
    assert "signature of the authorising remote party at offset 80 (not checked)" in out
    assert "manufacturer image hash (a GBCS activation has this one): " in out


def test_inspect_answers_about_a_damaged_file_and_says_what_is_wrong(rig: Rig, tmp_path: Path) -> None:
    file = _file(tmp_path, good() + b"more")
    code, out, err = rig("inspect", file)
    assert (code, err) == (0, "")
    assert "  after the image: 4 bytes at offset 84: 6d 6f 72 65" in out.splitlines()
    assert out.splitlines()[-1].startswith(f"WRONG: {file}: offset 84: data after the end of the image (found")


def test_inspect_refuses_what_is_no_upgrade_file(rig: Rig, as_json: AsJson, tmp_path: Path) -> None:
    file = _file(tmp_path, b"GBL")
    line = f"{file}: offset 0: not a Zigbee OTA upgrade file (found 47 42 4c, expected 1e f1 ee 0b)"
    assert rig("inspect", file) == (2, "", f"rig: {line}\n")
    code, body = as_json("inspect", file)
    assert (code, body["schema"], body["file"], body["found"]) == (2, "rig.error/1", file, "47 42 4c")


def test_inspect_as_json_is_one_object(as_json: AsJson) -> None:
    code, body = as_json("inspect", "cut-45s")
    assert (code, body["schema"], body["fixture"]) == (0, "rig.firmware.inspect/1", "cut-45s")


def test_verify_says_of_each_whether_it_is_good_and_looks_at_all(rig: Rig, as_json: AsJson, tmp_path: Path) -> None:
    file = _file(tmp_path, good()[:-1])
    code, out, err = rig("verify", "cut-45s", file, str(packaged() / "no-cut" / "image.ota"))
    assert code == 2
    assert [line.split(":")[1] for line in out.splitlines()] == [" good", " good"]
    assert out.startswith("cut-45s: good: Synthetic Meters SM-ESME-1, 1.0.0 to 1.1.0, back by back-45s, sub-elements")
    assert (
        err == f"rig: {file}: offset 83: the file is shorter than its header says (found 83 bytes, expected 84 bytes)\n"
    )
    code, body = as_json("verify", "cut-45s", file, "no-cut")
    assert (code, body["schema"], body["file"]) == (2, "rig.error/1", file)
    assert [row["good"] for row in body["files"]] == [True, False, True]
    assert body["files"][1]["error"]["found"] == "83 bytes"


def test_verify_of_good_files_is_exit_0(as_json: AsJson) -> None:
    code, body = as_json("verify", *names())
    assert (code, body["schema"]) == (0, "rig.firmware.verify/1")
    assert {row["fixture"]["version_to"] for row in body["files"]} == {"1.0.0", "1.1.0"}


def test_verify_compares_a_hash_whatever_its_case(rig: Rig) -> None:
    sha256 = load("cut-45s").sha256
    assert rig("verify", "cut-45s", "--sha256", sha256.upper())[0] == 0
    code, _, err = rig("verify", "no-cut", "--sha256", sha256)
    assert (code, "another SHA-256" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["verify", "cut-45s", "--sha256", "abc"], "--sha256: not a SHA-256 (found 'abc', expected 64 hex digits)"),
        (["verify", "cut-45s", "no-cut", "--sha256", "0" * 64], "one SHA-256 is of one file (found 2 files)"),
        (["verify", "cut-45s", "--hardware-version", "two"], "not a whole number: 'two'"),
        (["verify", "cut-45s", "--hardware-version", "0x2"], "the image is for other hardware (found 0x0001 to 0x0001"),
        (["verify"], "the following arguments are required: FILE|FIXTURE; see 'rig firmware verify --help'"),
        (["look", "x"], "invalid choice: 'look'"),
        ([], "the following arguments are required: VERB"),
        (["make", "mine", "--payload", "x"], "--payload: this is for a fixture of your own: --from is missing"),
        (["make", "--from", "1", "--to", "2"], "a fixture of your own needs one NAME (found none)"),
        (["make", "mine", "--from", "1"], "--to: missing (expected a text)"),
        (["make", "nothing"], "no recipe 'nothing'"),
        (["list", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_what_is_asked_wrongly_is_one_line_and_exit_2(words: list[str], line: str, rig: Rig) -> None:
    code, out, err = rig(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert line in err


def test_make_makes_the_packaged_fixtures_byte_by_byte(rig: Rig, as_json: AsJson, tmp_path: Path) -> None:
    out = tmp_path / "made"
    code, told, _ = rig("make", "--out", str(out))
    assert (code, {line.split(":")[0] for line in told.splitlines()}) == (0, {"made"})
    made = {file.relative_to(out): file.read_bytes() for file in out.rglob("*") if file.is_file()}
    kept = {file.relative_to(packaged()): file.read_bytes() for file in packaged().rglob("*") if file.is_file()}
    assert made == kept
    code, body = as_json("make", "--out", str(out))
    assert (code, {row["state"] for row in body["fixtures"]}) == (0, {"unchanged"})


def test_make_never_replaces_another_content_without_force(rig: Rig, tmp_path: Path) -> None:
    rig("make", "no-cut", "--out", str(tmp_path))
    manifest = tmp_path / "no-cut" / "manifest.toml"
    manifest.write_text("mine")
    code, _, err = rig("make", "--out", str(tmp_path))
    assert code == 2
    assert err == f"rig: {manifest}: is there already, with another content (expected --force to replace it)\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back-45s", "no-cut"]
    assert manifest.read_text() == "mine"
    assert rig("make", "no-cut", "--out", str(tmp_path), "--force")[:2] == (
        0,
        f"replaced: {tmp_path / 'no-cut'}\nunchanged: {tmp_path / 'back-45s'}\n",
    )


def test_a_pair_of_ones_own_is_made_listed_and_verified(rig: Rig, as_json: AsJson, tmp_path: Path) -> None:
    (tmp_path / "old.bin").write_bytes(b"old firmware")
    (tmp_path / "new.bin").write_bytes(b"new firmware")
    out = str(tmp_path / "mine")
    both = ["--maker", "Example", "--hardware", "E-100", "--manufacturer", "0x10AA", "--image-type", "2", "--out", out]
    there = ["--from", "2.3.0", "--to", "2.4.0", "--back", "to-2.3", "--payload", str(tmp_path / "new.bin")]
    back = ["--from", "2.4.0", "--to", "2.3.0", "--payload", str(tmp_path / "old.bin"), "--hardware-versions", "1", "3"]
    assert rig("make", "to-2.4", *there, *both)[:2] == (0, f"made: {out}/to-2.4\n")
    assert "no such fixture beside this one" in rig("verify", f"{out}/to-2.4")[2]
    assert rig("make", "to-2.3", *back, *both)[0] == 0
    assert rig("verify", f"{out}/to-2.4", f"{out}/to-2.3")[0] == 0
    code, body = as_json("list", out)
    assert code == 0
    assert [(row["name"], row["version_from"], row["version_to"], row["back"]) for row in body["fixtures"]] == [
        ("to-2.3", "2.4.0", "2.3.0", None),
        ("to-2.4", "2.3.0", "2.4.0", "to-2.3"),
    ]
    assert [(row["synthetic"], row["expected"]) for row in body["fixtures"]] == [(False, None)] * 2


def test_list_shows_versions_verdict_way_back_and_hash(rig: Rig, as_json: AsJson) -> None:
    code, out, _ = rig("list")
    assert code == 0
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert lines["name"] == ["from", "to", "expected", "synthetic", "way", "back", "sha256"]
    sha256 = load("cut-181s").sha256
    assert lines["cut-181s"] == ["1.0.0", "1.1.0", "FAIL", "limit_exceeded", "yes", "back-45s", f"{sha256[:16]}..."]
    _, body = as_json("list")
    assert [row["name"] for row in body["fixtures"]] == names()
    row = next(row for row in body["fixtures"] if row["name"] == "cut-181s")
    assert row["expected"] == {"verdict": "FAIL", "reason": "limit_exceeded"}
    assert (row["sha256"], row["synthetic"], row["back"], row["good"]) == (sha256, True, "back-45s", True)


def test_list_tells_what_is_wrong_and_lists_the_rest(rig: Rig, as_json: AsJson, tmp_path: Path) -> None:
    for name in ("no-cut", "back-45s", "late"):
        shutil.copytree(packaged() / name, tmp_path / name)
    shutil.copytree(packaged() / "late", tmp_path / ".late.1.partial")
    (tmp_path / "late" / "image.ota").write_bytes(b"")
    code, out, err = rig("list", str(tmp_path))
    assert (code, err.count("\n")) == (2, 1)
    assert "late/image.ota: offset 0: not a Zigbee OTA upgrade file (found an empty file" in err
    assert [line.split()[0] for line in out.splitlines()] == ["name", "back-45s", "no-cut"]
    code, body = as_json("list", str(tmp_path))
    assert (code, body["schema"]) == (2, "rig.error/1")
    assert [(row["name"], row["good"]) for row in body["fixtures"]] == [
        ("back-45s", True),
        ("late", False),
        ("no-cut", True),
    ]


def test_a_folder_without_a_fixture_is_refused(rig: Rig, tmp_path: Path) -> None:
    assert "no fixture in this folder (expected NAME/manifest.toml)" in rig("list", str(tmp_path))[2]
