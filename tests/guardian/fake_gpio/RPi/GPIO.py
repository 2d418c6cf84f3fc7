"""The call set of `RPi.GPIO` on files: lines stay driven when a process dies, as on a Raspberry Pi's kernel.

`$RIG_FAKE_GPIO/<pin>` holds a line's level; each level that is driven is told, `pin level`, as a line of `told` there.
A pin with a file `<pin>.stuck` does not follow. With a file `broken` there, the guardian that loads this has a fault.
"""

import os
from pathlib import Path

BCM, OUT, IN, PUD_UP, PUD_DOWN = 11, 0, 1, 22, 21
_FOLDER = Path(os.environ["RIG_FAKE_GPIO"])
_PULLS: dict[int, int] = {}


if (_FOLDER / "broken").exists():
    from rig.guardian.core import Core

    Core.beat = lambda self: 1 / 0


def setmode(mode: int) -> None:
    assert mode == BCM


def setwarnings(flag: bool) -> None:
    del flag


def setup(channel: int, direction: int, pull_up_down: int = PUD_DOWN, initial: int | None = None) -> None:
    if direction == IN:
        _PULLS[channel] = int(pull_up_down == PUD_UP)
    elif initial is not None:
        output(channel, initial)


def output(channel: int, value: int) -> None:
    if not (_FOLDER / f"{channel}.stuck").exists():
        draft = _FOLDER / f"{channel}.{os.getpid()}"
        draft.write_text(str(value))
        draft.rename(_FOLDER / str(channel))  # who reads meanwhile sees a level, not an empty file
    with (_FOLDER / "told").open("a") as told:
        told.write(f"{channel} {value}\n")  # one write, at the end, whoever else writes


def input(channel: int) -> int:  # noqa: A001 - its name in the library
    file = _FOLDER / str(channel)
    return int(file.read_text()) if file.exists() else _PULLS.get(channel, 0)


def cleanup(channel: int) -> None:
    del channel  # a line that is given back stays as it is: nothing may rely on more
