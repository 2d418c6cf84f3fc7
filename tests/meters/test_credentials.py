"""Credentials: where they may come from, and that they are shown nowhere."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path

import pytest

from rig.errors import ExitCode, InputError
from rig.meters.credentials import Credentials, Secret, variable

MARK = "Zq7-marker-9931"


def file_of(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "credentials.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_the_environment_comes_first_and_then_the_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, f'password = "{MARK}"\nkey = "from the file"\n')
    known = Credentials(path, {"RIG_METER_KEY": "from the environment", "RIG_METER": "x", "OTHER": "y"})
    assert known.get("password").reveal() == MARK
    assert known.get("key").reveal() == "from the environment"


def test_a_missing_one_says_where_it_could_come_from(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        Credentials(None, {}).get("password")
    assert caught.value.code is ExitCode.BAD_INPUT
    assert "RIG_METER_PASSWORD, or credentials_file in the bench file's [meter]" in caught.value.one_line()
    with pytest.raises(InputError, match="needs the credential 'password'") as caught:
        Credentials(file_of(tmp_path, 'other = "x"\n'), {}).get("password")
    assert "or 'password' in that file" in caught.value.one_line()
    assert variable("password") == "RIG_METER_PASSWORD"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601, 0o610, 0o666])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = file_of(tmp_path, f'password = "{MARK}"\n', mode)
    with pytest.raises(InputError, match="others may read the credentials; say: chmod 600") as caught:
        Credentials(path, {})
    assert f"found {mode:04o}, expected 0600" in caught.value.one_line()
    assert MARK not in caught.value.one_line()


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_of_its_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    assert Credentials(file_of(tmp_path, f'password = "{MARK}"\n', mode), {}).get("password").reveal() == MARK


def test_what_is_no_file_of_credentials_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        Credentials(tmp_path / "nowhere", {})
    with pytest.raises(InputError, match="Is a directory"):
        Credentials(tmp_path, {})
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    with pytest.raises(InputError, match="no plain file"):
        Credentials(fifo, {})
    with pytest.raises(InputError, match="too long"):
        Credentials(file_of(tmp_path, "# " + "x" * 70_000), {})


@pytest.mark.parametrize(
    "text",
    [
        f"password = {MARK}",
        f'password = "{MARK}',
        f'"{MARK}',
        f"{MARK}\n",
        f'password = "{MARK}"\npassword = "{MARK}"\n',
    ],
)
def test_a_file_that_is_no_toml_is_told_without_a_piece_of_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError) as caught:
        Credentials(file_of(tmp_path, text), {})
    told = caught.value.one_line() + str(caught.value.to_json()) + str(caught.value.__cause__)
    assert "not valid TOML" in told
    assert MARK not in told


def test_a_value_that_is_no_text_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a credential is text in quotes") as caught:
        Credentials(file_of(tmp_path, "pin = 1234\n"), {})
    assert caught.value.where.key == "pin"


def test_a_secret_shows_itself_only_where_it_is_asked_to() -> None:
    secret = Secret("password", MARK)
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{[secret]}", f"{ {'a': secret} }"):
        assert MARK not in shown
    assert not hasattr(secret, "__dict__")
    for copier in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="stays in its process"):
            copier(secret)


def test_foreign_words_lose_every_value() -> None:
    known = Credentials(None, {"RIG_METER_A": MARK, "RIG_METER_B": MARK[:4], "RIG_METER_C": ""})
    assert known.hide(f"refused {MARK} and {MARK[:4]}!") == "refused *** and ***!"
