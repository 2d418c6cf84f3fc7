"""What `rig init` writes: a folder of first HIL tests that pass on the twin as they are. Knows files only."""

from __future__ import annotations

import shutil
import tempfile
from importlib import resources
from pathlib import Path
from string import Template

from rig.errors import InputError, Where

_TEXTS = ("conftest.py", "test_activation.py", "pytest.ini", "ci.yml")
_NOTE = """#
# FILL IN: the addresses below are of no network (RFC 5737). `rig doctor --propose` finds what it can; `rig wiring`
# checks a bench file against its harness. Nothing here is used before you say --rig-bench bench.toml.
"""
_NOWHERE = {
    "supply": "TCPIP::192.0.2.10::5555::SOCKET",
    "oscilloscope": "TCPIP::192.0.2.11::5555::SOCKET",
    "modbus": "192.0.2.12:502",
}


def write(folder: Path, bench_template: str) -> list[Path]:
    """Write the folder whole, or not at all; the files, in order. `bench_template` is a twin's, its addresses open.

    Raises InputError where something is there already, or it cannot be written.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                "something is there already", Where(str(folder), expected="a folder that is new, or empty")
            )
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
        try:
            for name in _TEXTS:
                text = (resources.files("rig.hil_start") / f"{name}.txt").read_text(encoding="utf-8")
                (draft / name).write_text(text, encoding="utf-8")
            (draft / "bench.toml").write_text(_bench(bench_template), encoding="utf-8")
            draft.chmod(0o755)
            draft.replace(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise InputError("the folder cannot be written", Where(str(folder), found=error.strerror)) from error
    return [folder / name for name in (*_TEXTS, "bench.toml")]


def _bench(template: str) -> str:
    """A real bench's file from the twin's: the same instruments, at addresses that lead nowhere."""
    head, _, rest = template.partition('schema = "rig.bench/1"')
    del head
    text = f'# The bench file of your bench.\n{_NOTE}schema = "rig.bench/1"{rest}'
    text = text.replace('name = "twin', 'name = "my-bench').replace("digital twin of", "bench file of")
    return Template(text).substitute(_NOWHERE)
