"""What a person sees of a soak: how it stands above the current run's panel; without a terminal one line a cycle.

A reader that goes away (a closed pipe) never disturbs the soak.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rig.cli.panel import LivePanel, Plain
from rig.cli.soak_words import cycle_words, length_words, verdict_words
from rig.procedures.soak.progress import CycleRow, SilentSoak, SoakProgress, SoakState

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_COLOURS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow", "ERROR": "magenta"}
_LATEST = 5


@contextmanager
def soak_progress_for(stream: TextIO, as_json: bool) -> Iterator[SoakProgress]:
    """The listener that fits this stream."""
    if as_json:
        yield SilentSoak()
    elif stream.isatty():
        from rich.console import Console
        from rich.live import Live

        with Live(console=Console(highlight=False), auto_refresh=False, transient=False) as live:
            panel = SoakPanel(live)
            yield panel
            panel.draw(force=True)
    else:
        yield PlainSoak(stream)


class PlainSoak(SilentSoak):
    """A line for each cycle that has ended, and for each thing that happened between."""

    def __init__(self, stream: TextIO) -> None:
        self._out = Plain(stream)
        self._elapsed_s = 0.0

    def soak(self, state: SoakState) -> None:
        self._elapsed_s = state.elapsed_s

    def cycle(self, row: CycleRow, state: SoakState) -> None:
        self.soak(state)
        left = f"; about {length_words(state.left_s)} left" if state.left_s else ""
        self._line(f"{cycle_words(row, state.planned)}; so far {verdict_words(state.verdicts)}{left}")

    def happened(self, kind: str, text: str, elapsed_s: float) -> None:
        self._elapsed_s = elapsed_s
        self._line(f"{kind}: {text}")

    def _line(self, text: str) -> None:
        self._out.line(f"{length_words(self._elapsed_s):>9}  {text}")


class SoakPanel(LivePanel):
    """The soak's box, and under it the panel of the run that goes on."""

    def __init__(self, live: Live) -> None:
        super().__init__(live)
        self._state: SoakState | None = None
        self._latest: deque[tuple[str, str]] = deque(maxlen=_LATEST)

    def soak(self, state: SoakState) -> None:
        self._state = state
        self.begin_run()
        self.draw(force=True)

    def cycle(self, row: CycleRow, state: SoakState) -> None:
        self._state = state
        self._latest.append((cycle_words(row, state.planned), _COLOURS.get(row.verdict, "")))
        self.draw(force=True)

    def happened(self, kind: str, text: str, elapsed_s: float) -> None:
        del elapsed_s
        self._latest.append((f"{kind}: {text}", "dim"))
        self.draw(force=True)

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.panel import Panel as Box
        from rich.table import Table
        from rich.text import Text

        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="bold", justify="right")
        rows.add_column(overflow="fold")
        state = self._state
        if state is not None:
            done = f"{state.done} of {state.planned}" if state.planned is not None else f"{state.done}"
            rows.add_row("cycles", f"{done} done, now {state.cycle}")
            counts = Text(", ").join(
                Text(f"{count} {word}", style=_COLOURS.get(word, "")) for word, count in state.verdicts.items()
            )
            rows.add_row("verdicts", counts)
            longest = "none yet" if state.longest_s is None else f"at most {state.longest_s:.3f} s"
            unbounded = f", {state.unbounded} unbounded" if state.unbounded else ""
            rows.add_row("longest", f"{longest}{unbounded}")
            run_s = self._now.elapsed_s if state.cycle > state.done else 0.0  # the state is from before this run
            left = "" if state.left_s is None else f", about {length_words(max(0.0, state.left_s - run_s))} left"
            rows.add_row("since", f"{length_words(state.elapsed_s + run_s)}{left}")
        for text, style in self._latest:
            rows.add_row("", Text(text, style=style, no_wrap=True, overflow="ellipsis"))  # the run's panel needs room
        return Group(Box(rows, title="soak", width=90), super()._render())
