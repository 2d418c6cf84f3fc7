"""WireViz reads the same wires out of our harnesses as we do. It is GPL, so it runs as a process of its own.

`make wiring` installs it in a virtual environment of its own; without it these tests skip.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from rig.bench.wiring.harness import load_harness
from rig.bench.wiring.wires import wires
from tests.wiring.files import BENCHES, WIRING

PYTHON = Path(os.environ.get("RIG_WIREVIZ", WIRING.parent / ".venv-wireviz")) / "bin" / "python"

ASK = """
import json, sys
from pathlib import Path
from wireviz.wireviz import parse
harness = parse(Path(sys.argv[1]), return_types="harness")
rows = [
    [c.from_name, c.from_pin, cable.name, c.via_port, c.to_name, c.to_pin, cable.colors[c.via_port - 1]]
    for cable in harness.cables.values() for c in cable.connections
]
print(json.dumps(rows))
"""

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="WireViz is not here: make wiring installs it")


@pytest.mark.parametrize("bench", BENCHES, ids=[bench.stem for bench in BENCHES])
def test_wireviz_reads_the_same_wires(bench: Path) -> None:
    file = WIRING / f"{bench.stem}.harness.yml"
    done = subprocess.run([PYTHON, "-c", ASK, file], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    theirs = {tuple(row) for row in json.loads(done.stdout)}
    ours = {(w.a.part, w.a.pin, w.cable, w.core, w.b.part, w.b.pin, w.colour) for w in wires(load_harness(file))}
    assert len(ours) > 40
    assert ours == theirs
