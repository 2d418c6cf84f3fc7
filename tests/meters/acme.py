"""Acme's console, in front of the twin's meter; and the plug-in of docs/meter-plugin.md, installed as it stands."""

from __future__ import annotations

import importlib
import re
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from rig.twin.meter import ImageCode, TwinMeter
from rig.twin.ports import Timeline
from rig.twin.wire import SILENCE, Answer, LineServer

PAGE = Path(__file__).parents[2] / "docs" / "meter-plugin.md"
PASSWORD = "Zq7-acme-9931"
STATES = {
    ImageCode.NONE: "none",
    ImageCode.TRANSFERRING: "transferring",
    ImageCode.VERIFYING: "verifying",
    ImageCode.VERIFIED: "verified",
    ImageCode.REJECTED: "rejected",
    ImageCode.ACTIVATING: "activating",
    ImageCode.ACTIVATED: "activated",
    ImageCode.FAILED: "activation failed",
}


def blocks(kind: str) -> list[str]:
    """The blocks of the page in this language."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's package, as pip would leave it in a folder of Python's path."""
    (folder / "acme_meter.py").write_text(blocks("python")[0], encoding="utf-8")
    info = folder / "acme_meter-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-meter\nVersion: 1.0\n", encoding="utf-8")
    head, *entries = blocks("toml")[0].splitlines()
    group = re.fullmatch(r'\[project\.entry-points\."(.*)"\]', head)
    assert group is not None
    lines = [line.replace('"', "") for line in entries]
    (info / "entry_points.txt").write_text("\n".join([f"[{group[1]}]", *lines]) + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(__import__("sys").modules, "acme_meter", raising=False)
    importlib.invalidate_caches()


class Console(LineServer):
    """One meter's console. Nothing is activated without the password."""

    def __init__(self, meter: TwinMeter, timeline: Timeline, lock: AbstractContextManager[object]) -> None:
        self._meter = meter
        self._logged_in = False
        self.lines: list[str] = []
        super().__init__("console", self._say, timeline, lock)

    def _say(self, line: str) -> Answer:
        self.lines.append(line)
        if not self._meter.answers:
            return SILENCE
        return f"{self._answer(*line.split())}\n".encode()

    def _answer(self, word: str, *rest: str) -> str:
        meter = self._meter
        if word == "LOGIN":
            self._logged_in = rest == (PASSWORD,)
            return "OK"
        if word == "PART":
            return "OK" if meter.write_image(int(rest[0]), bytes.fromhex(rest[1])) else "FULL"
        if word == "VERIFY":
            meter.verify(int(rest[1]), bytes.fromhex(rest[0]))
            return "OK"
        if word == "ACTIVATE":
            if self._logged_in:
                meter.activate(bytes.fromhex(rest[0]))
            return "OK"
        return {"WHO": f"{meter.MODEL} {meter.SERIAL}", "VERSION": meter.version, "STATE": STATES[meter.image_code]}[
            word
        ]
