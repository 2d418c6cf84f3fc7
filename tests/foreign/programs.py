"""The environment of the programs that nobody here wrote, and how a test starts one of them.

It is made by `make .venv-foreign/.done`; `RIG_FOREIGN` names another. Without it the tests that need it skip.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VENV = Path(os.environ.get("RIG_FOREIGN", HERE.parents[1] / ".venv-foreign"))
PYTHON = VENV / "bin" / "python"

needs_foreign = pytest.mark.skipif(not PYTHON.exists(), reason=f"no {VENV}: make .venv-foreign/.done")


@contextmanager
def server(program: str, *words: str) -> Iterator[str]:
    """A program of this folder in the foreign environment, and the line that it printed when it was ready."""
    with subprocess.Popen([PYTHON, HERE / program, *words], stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        try:
            yield it.stdout.readline().strip()
        finally:
            it.kill()


def told(program: str, *words: str) -> str:
    """What a program of this folder printed. It must end well."""
    done = subprocess.run([PYTHON, HERE / program, *words], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout
