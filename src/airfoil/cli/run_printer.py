"""Shows a DAG run while it happens: finished tasks as lines that stay, running ones in a live part below them.

Without a terminal there is no live part, and the start of a task is a line as well.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from airfoil.cli import console
from airfoil.stack.page import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.live import Live

    from airfoil.cli.follow import Change, RunView

REDRAWS_PER_SECOND = 4
LABEL_WIDTH = 28
MAX_LIVE_LINES = 8


def change_text(change: Change, *, coloured: bool = False) -> str:
    """Say one change: `✓ train          success  3.2 s  (try 2)`."""
    state = console.state_text(change.state) if coloured else change.state
    parts = [f"{console.mark(change.state)} {change.label:<{LABEL_WIDTH}} {state}"]
    if change.count:
        parts.append(change.count)
    if change.seconds is not None:
        parts.append(wording.duration(change.seconds))
    if change.try_number > 1:
        parts.append(f"(try {change.try_number})")
    return "  ".join(parts)


class Silence:
    """Tells nothing: for `--json`, whose only output is the object at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def look(self, view: RunView, changes: Sequence[Change]) -> None:
        """Hear of a look."""

    def notice(self, text: str) -> None:
        """Hear of something else."""


class RunPrinter:
    """Prints what `watch.follow_run` sees."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, terminal: bool | None = None) -> None:
        self._clock = clock
        self._terminal = console.is_terminal() if terminal is None else terminal
        self._began = clock()
        self._live: Live | None = None
        self._seen: tuple[RunView, float] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def notice(self, text: str) -> None:
        """Print a sentence that is not about a task."""
        self._print(f"  {text}")

    def look(self, view: RunView, changes: Sequence[Change]) -> None:
        """Print what is new."""
        self._seen = (view, self._clock())
        if self._terminal and self._live is None:
            self._live = self._start()
        for change in changes:
            if self._terminal:
                # What goes on stands in the live part; only what stays true is a line.
                if change.state != "running":
                    self._print(change_text(change, coloured=True))
            else:
                self._print(f"{self._clock() - self._began:7.1f} s  {change_text(change)}")
        if view.ended and self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, text: str) -> None:
        if self._live is None:
            console.out(text)
            return
        from rich.text import Text

        self._live.console.print(Text.from_ansi(text), soft_wrap=True)

    def _start(self) -> Live:
        from rich.live import Live

        live = Live(
            get_renderable=self._render,
            console=console.rich_console(),
            refresh_per_second=REDRAWS_PER_SECOND,
            transient=True,
        )
        live.start()
        return live

    def _render(self) -> Any:
        from rich.text import Text

        return Text("\n".join(self.live_lines()), style="dim", no_wrap=True, overflow="ellipsis")

    def live_lines(self) -> list[str]:
        """Say what runs now, and for how long the run has been going."""
        from airfoil.cli import follow

        if self._seen is None:
            return []
        view, looked_at = self._seen
        later = self._clock() - looked_at
        running = follow.active(view)
        lines = [change_text(_aged(change, later)) for change in running[:MAX_LIVE_LINES]]
        if len(running) > MAX_LIVE_LINES:
            lines.append(f"  and {len(running) - MAX_LIVE_LINES} more")
        seconds = "" if view.seconds is None else wording.duration(view.seconds + later)
        done = sum(task.state in follow.ENDED_TASK for task in view.tasks)
        return [*lines, f"  {done} of {len(view.tasks)} tasks done  {seconds}"]


def _aged(change: Change, seconds: float) -> Change:
    from dataclasses import replace

    if change.seconds is None or change.state == "up_for_retry":
        return change
    return replace(change, seconds=change.seconds + seconds)
