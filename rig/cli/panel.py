"""What a person sees while a run goes on: a live panel on a terminal, plain lines elsewhere, nothing with `--json`.

A reader that goes away (a closed pipe) never disturbs the run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rig.clock import NS
from rig.clock.system import SystemClock
from rig.procedures.progress import Panel, Progress, Silent

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_STRIP = 60
_MARKS = {"up": "█", "between": "▄", "down": "▁", "unknown": "?"}
_REFRESH_NS = NS // 15


@contextmanager
def progress_for(stream: TextIO, as_json: bool) -> Iterator[Progress]:
    """The listener that fits this stream."""
    if as_json:
        yield Silent()
    elif stream.isatty():
        with _live() as panel:
            yield panel
    else:
        yield Plain(stream)


class Plain:
    """A line for each step and note, and for each change of the rail in the watch."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._state = ""
        self._elapsed_s = 0.0
        self._gone = False

    def step(self, name: str, text: str) -> None:
        self._line(f"{name}: {text}")

    def note(self, text: str) -> None:
        self._line(f"note: {text}")

    def panel(self, now: Panel) -> None:
        self._elapsed_s = now.elapsed_s
        if now.step == "watch" and now.state != self._state:
            self._state = now.state
            self._line(f"rail {now.state} ({now.rail}), longest away so far {now.longest_s:.1f} s of {now.limit_s:g} s")

    def transferred(self, done: int, total: int) -> None:
        if done == total:
            self._line(f"transferred {total} bytes")

    def _line(self, text: str) -> None:
        self.line(f"{self._elapsed_s:9.1f} s  {text}")

    def line(self, text: str) -> None:
        """One line as it is."""
        if self._gone:
            return
        try:
            self._stream.write(f"{text}\n")
            self._stream.flush()
        except OSError:
            self._gone = True


@contextmanager
def _live() -> Iterator[Progress]:
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False, transient=False) as live:
        panel = LivePanel(live)
        yield panel
        panel.draw(force=True)


class LivePanel:
    """Step, rail now and as a strip, stopwatch of the current outage against the limit, longest so far, time left."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._clock = SystemClock()
        self._drawn_ns = 0
        self._now = Panel("start", 0.0, "unknown", "unknown", None, 0.0, 1.0, None)
        self._text = ""
        self._notes: deque[str] = deque(maxlen=3)
        self._strip: deque[str] = deque(maxlen=_STRIP)

    def step(self, name: str, text: str) -> None:
        self._now = Panel(name, *self._rest())
        self._text = text
        self.draw(force=True)

    def note(self, text: str) -> None:
        self._notes.append(text)
        self.draw(force=True)

    def panel(self, now: Panel) -> None:
        self._now = now
        self._strip.append(_MARKS[now.state])
        self.draw()

    def transferred(self, done: int, total: int) -> None:
        self._text = f"{done} of {total} bytes"
        self.draw()

    def draw(self, force: bool = False) -> None:
        """At most 15 times a second: a run on the virtual clock is hundreds of times faster than a person."""
        now_ns = self._clock.now()
        if force or now_ns - self._drawn_ns >= _REFRESH_NS:
            self._drawn_ns = now_ns
            self._live.update(self._render(), refresh=True)

    def begin_run(self) -> None:
        """Another run begins: what was told of the one before goes."""
        self._now = Panel("start", 0.0, "unknown", "unknown", None, 0.0, self._now.limit_s, None)
        self._text = ""
        self._notes.clear()
        self._strip.clear()

    def _rest(self) -> tuple[float, str, str, float | None, float, float, float | None]:
        n = self._now
        return n.elapsed_s, n.state, n.rail, n.away_s, n.longest_s, n.limit_s, n.left_s

    def _render(self) -> RenderableType:
        from rich.panel import Panel as Box
        from rich.table import Table
        from rich.text import Text

        now = self._now
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="bold", justify="right")
        rows.add_column()
        rows.add_row("step", f"{now.step}: {self._text}")
        rows.add_row("rail", Text(f"{now.rail} ({now.state})", style=_style(now.state)))
        rows.add_row("", Text("".join(self._strip).rjust(_STRIP)))
        rows.add_row("away", _stopwatch(now))
        rows.add_row("longest", f"{now.longest_s:.1f} s")
        left = "" if now.left_s is None else f", about {now.left_s:.0f} s left if the rail stays up"
        rows.add_row("elapsed", f"{now.elapsed_s:.0f} s{left}")
        for note in self._notes:
            rows.add_row("note", note)
        return Box(rows, title="ichis-rig", border_style=_style(now.state), width=90)


def _style(state: str) -> str:
    return {"up": "green", "down": "red", "between": "yellow"}.get(state, "dim")


def _stopwatch(now: Panel) -> str:
    if now.away_s is None:
        return f"–   (limit {now.limit_s:g} s)"
    filled = min(40, int(40 * now.away_s / now.limit_s))
    return f"{now.away_s:7.1f} s of {now.limit_s:g} s  {'━' * filled}{'╌' * (40 - filled)}"
