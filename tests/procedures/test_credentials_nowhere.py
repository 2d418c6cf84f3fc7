"""A run that needs a credential: it reaches the meter, and nothing else. Every byte that a run leaves is searched."""

from __future__ import annotations

import base64
import logging
import re
import struct
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path

import pytest
from pymodbus.client.mixin import ModbusClientMixin

from rig.cli import main
from rig.twin import bench as twin_bench
from rig.twin.modbus import TwinModbus

TEXT, PIN = "Zq7!marker-9931", "2882400001"
REGISTER, WORDS = 900, 8
_UNLOCK = f"""
[credentials]
password = {{ type = "ascii", words = {WORDS} }}
pin = {{ type = "uint32" }}

[[activation]]
function = 16
register = {REGISTER}
credential = "password"

[[activation]]
function = 16
register = {REGISTER + WORDS}
credential = "pin"

"""
ON_THE_WIRE = TEXT.encode().ljust(2 * WORDS, b"\0") + struct.pack(">I", int(PIN))

Answer = Callable[[bytes], bytes | None]


def forms(secret: bytes) -> list[bytes]:
    """How these bytes may be written: as they are, in hex, as registers in decimal and in hex, in base64, in UTF-16."""
    words = struct.unpack(f">{len(secret) // 2}H", secret[: len(secret) // 2 * 2])
    pairs = [words[i : i + 2] for i in range(len(words) - 1) if all(words[i : i + 2])]
    texts = [secret.hex(), secret.hex(" "), secret.hex(" ", 2), base64.b64encode(secret).decode().rstrip("=")]
    for first, second in pairs:
        texts += [f"{first}{by}{second}" for by in (", ", ",", " ", "\n")]
        texts += [f"{first:04x}{by}{second:04x}" for by in ("", " ", ", 0x", " 0x", ", ")]
        texts += [f"0x{first >> 8:x} 0x{first & 255:x} 0x{second >> 8:x} 0x{second & 255:x}"]
    return [secret, secret[: len(secret) // 2 * 2], *(text.encode() for text in texts)]


SECRETS = [TEXT.encode(), ON_THE_WIRE[-4:], *(s.encode("utf-16-le") for s in (TEXT, PIN))]
LEAKS = re.compile(
    b"|".join(re.escape(f) for f in {PIN.encode(), f"{int(PIN):#x}".encode(), *(f for s in SECRETS for f in forms(s))}),
    re.IGNORECASE,
)


def test_the_search_finds_every_form_of_them() -> None:
    for leak in (TEXT, TEXT.upper(), PIN, ON_THE_WIRE.hex(), ON_THE_WIRE.hex().upper(), repr(ON_THE_WIRE)):
        assert LEAKS.search(f"words {leak} more".encode())
    words = list(struct.unpack(f">{len(ON_THE_WIRE) // 2}H", ON_THE_WIRE))
    assert LEAKS.search(str(words[:WORDS]).encode())
    assert LEAKS.search(str(words[WORDS:]).encode())
    assert LEAKS.search(" ".join(f"{w:#06x}" for w in words).encode())
    assert not LEAKS.search(b"the rail was up")


@pytest.fixture
def unlocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """A twin whose meter wants both before it is activated: what was written to it, in order."""
    text = (resources.files("rig.meters") / "profiles" / "synthetic-esme.toml").read_text()
    profile = tmp_path / "locked.toml"
    profile.write_text(text.replace("[[activation]]", _UNLOCK + "[[activation]]"))
    template = twin_bench.template
    named = f'profile = "{profile}"'
    monkeypatch.setattr(
        twin_bench, "template", lambda name: template(name).replace('profile = "synthetic-esme"', named)
    )
    monkeypatch.setattr(twin_bench, "Twin", partial(twin_bench.Twin, depth=120_000))
    monkeypatch.setenv("RIG_METER_PASSWORD", TEXT)
    monkeypatch.setenv("RIG_METER_PIN", PIN)
    seen: list[bytes] = []
    locked(monkeypatch, seen, lambda pdu: pdu[:5])
    return seen


def locked(monkeypatch: pytest.MonkeyPatch, seen: list[bytes], answer: Answer) -> None:
    """The twin's meter answers so to what is written to the two registers."""
    serve = TwinModbus.answer

    def answers(self: TwinModbus, unit: int, pdu: bytes) -> bytes | None:
        if pdu[0] == 16 and REGISTER <= struct.unpack(">H", pdu[1:3])[0] <= REGISTER + WORDS:
            seen.append(pdu[6:])
            return answer(pdu)
        return serve(self, unit, pdu)

    monkeypatch.setattr(TwinModbus, "answer", answers)


def run(out: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, *words: str) -> tuple[int, int]:
    """The exit code, and how many bytes were searched."""
    caplog.set_level(logging.DEBUG)
    code = main(["run", "--out", str(out), *words])
    told = capfd.readouterr()
    files = [path for path in out.rglob("*") if path.is_file()] if out.exists() else []
    left = {str(path): path.read_bytes() for path in files}
    left |= {"stdout": told.out.encode(), "stderr": told.err.encode(), "logs": caplog.text.encode()}
    for name, data in left.items():
        found = LEAKS.search(data)
        assert found is None, f"{name}: {data[max(0, found.start() - 40) : found.end() + 40]!r}"
    return code, sum(map(len, left.values()))


@pytest.mark.parametrize("words", [[], ["--json"], ["--bench", "twin-rtu"]], ids=["tcp", "json", "rtu"])
def test_a_run_that_goes_well_leaves_no_credential_anywhere(
    words: list[str],
    unlocked: list[bytes],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    code, searched = run(tmp_path / "runs", capfd, caplog, *words)
    assert code == 0
    assert b"".join(unlocked) == ON_THE_WIRE, "they did reach the meter"
    assert searched > 100_000


ANSWERS: dict[str, Answer] = {
    "refused": lambda pdu: bytes([pdu[0] | 0x80, 3]),
    "silence": lambda _: None,
    "another register": lambda pdu: pdu[:1] + b"\0\1" + pdu[3:5],
    "sent back": lambda pdu: pdu,
}


@pytest.mark.parametrize("wire", ["twin", "twin-rtu"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_run_that_goes_wrong_leaves_none_either(
    answer: Answer,
    wire: str,
    unlocked: list[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    locked(monkeypatch, unlocked, answer)
    code, _ = run(tmp_path / "runs", capfd, caplog, "--bench", wire)
    assert code in (3, 4)
    assert unlocked[0] == ON_THE_WIRE[: 2 * WORDS]


def test_a_library_that_fails_with_the_values_in_its_words_tells_none(
    unlocked: list[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(self: object, address: int, values: list[int], **_: object) -> None:
        raise ValueError(f"cannot write {values} = {struct.pack(f'>{len(values)}H', *values)!r} to {address}")

    monkeypatch.setattr(ModbusClientMixin, "write_registers", fails)
    code, _ = run(tmp_path / "runs", capfd, caplog)
    assert code in (3, 4)
    assert unlocked == []


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("wrong", [f"{TEXT}{TEXT}", f"{TEXT}\N{POUND SIGN}"], ids=["too long", "no ASCII"])
def test_a_credential_that_does_not_fit_is_not_shown(
    wrong: str,
    words: list[str],
    unlocked: list[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("RIG_METER_PASSWORD", wrong)
    code, _ = run(tmp_path / "runs", capfd, caplog, *words)
    assert code == 2
    assert unlocked == []
    assert not list((tmp_path / "runs").glob("*"))
