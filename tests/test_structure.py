"""What the project promises about itself: small files, a wheel that carries its data, nothing of any machine in it."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 400


def _tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_of_code_is_longer_than_a_person_reads() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in _tracked()
        if path.suffix == ".py" and (lines := path.read_text(encoding="utf-8").count("\n")) > LONGEST_FILE
    }
    assert long == {}


def test_every_module_says_what_it_knows() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "rig").rglob("*.py")
        if not path.read_text(encoding="utf-8").startswith('"""')
    ]
    assert silent == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    forbidden = re.compile(rb"/home/[a-z]|/root/|https?://[^ ]+\.(whl|tar\.gz|tgz)|files\.python" + rb"hosted")
    named = [str(p.relative_to(ROOT)) for p in _tracked() if forbidden.search(p.read_bytes()) and p != Path(__file__)]
    assert named == []


def test_the_wheel_carries_the_twin_the_fixtures_the_profiles_and_the_schemas(tmp_path: Path) -> None:
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    names = zipfile.ZipFile(tmp_path / done.stdout.strip().splitlines()[-1]).namelist()
    for wanted in (
        "rig/twin/benches/twin.toml",
        "rig/firmware_fixtures/cut-45s/manifest.toml",
        "rig/twin/benches/twin-hot-shoe.toml",
        "rig/meters/profiles/synthetic-esme.toml",
        "rig/meters/profiles/eig-shark-100s.toml",
        "rig/records/schemas/rig.run-1.json",
        "rig/records/schemas/rig.soak-1.json",
        "rig/records/schemas/rig.compare-1.json",
        "rig/plans/overnight.toml",
        "rig/wiring/single-phase.toml",
        "rig/wiring/single-phase.harness.yml",
        "rig/py.typed",
    ):
        assert wanted in names
    assert not [n for n in names if n.startswith(("tests/", "bench/"))]
