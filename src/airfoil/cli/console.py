"""Printing and exit codes: the only place that knows about colours, terminals and streams.

Results go to stdout, everything else (errors, notes, what goes on after Ctrl-C) to stderr. It must stay free of
heavy imports: rich is loaded by those functions that draw a table.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, RenderableType

    from airfoil.errors import AirfoilError

SUCCESS = 0
FAILURE = 1
USAGE = 2
NOT_RUNNING = 3
INTERRUPTED = 130

# Wide enough that nothing is cut in a file or a pipe, where the reader decides.
PIPE_COLUMNS = 400
CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
STATE_STYLES = {
    "ready": "green",
    "done": "green",
    "success": "green",
    "finished": "green",
    "ok": "green",
    "running": "cyan",
    "starting": "cyan",
    "stopping": "cyan",
    "up_for_retry": "yellow",
    "restarting": "yellow",
    "unhealthy": "yellow",
    "degraded": "yellow",
    "warn": "yellow",
    "failed": "red",
    "error": "red",
    "upstream_failed": "red",
}
MARKS = {
    "ok": "✓",
    "done": "✓",
    "ready": "✓",
    "success": "✓",
    "skipped": "-",
    "warn": "!",
    "up_for_retry": "!",
}
FAILED_MARK = "✗"
MASK = "•••"
"""Stands where a value is kept and not shown."""
FAILED_STATES = frozenset({"failed", "error", "upstream_failed"})


def is_terminal(stream: TextIO | None = None) -> bool:
    """Tell whether a person watches: a terminal that can redraw lines."""
    stream = sys.stdout if stream is None else stream
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO | None = None) -> bool:
    """Tell whether colours may be written (https://no-color.org: any non-empty NO_COLOR forbids them)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def styled(text: str, style: str, stream: TextIO | None = None) -> str:
    """Colour a text where colours may be written."""
    if not style or not has_colour(stream):
        return text
    return f"\x1b[{CODES[style]}m{text}\x1b[0m"


def state_text(state: str, stream: TextIO | None = None) -> str:
    """Colour a state by what it means."""
    return styled(state, STATE_STYLES.get(state.lower(), ""), stream)


def mark(state: str) -> str:
    """Give the sign that stands before a line about something in this state."""
    return FAILED_MARK if state in FAILED_STATES else MARKS.get(state, " ")


def out(text: str = "") -> None:
    """Print a line of the result; at once, because others read while we work."""
    print(text, flush=True)  # noqa: T201 - this is the place that prints


def note(text: str) -> None:
    """Print a line that is not part of the result."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - as above


def emit_json(value: Any, *, compact: bool = False) -> None:
    """Print a value as JSON: pretty for people, on one line for streams."""
    out(json.dumps(value, indent=None if compact else 2, ensure_ascii=False, default=str))


def show_error(error: AirfoilError) -> None:
    """Print evidence first, so that the sentence and the next move are what stays in sight."""
    for line in error.details:
        note(styled(f"  {line}", "dim", sys.stderr))
    note(f"{styled('Error:', 'red', sys.stderr)} {error}")
    if error.next_move:
        note(error.next_move)


class Interruption(Exception):  # noqa: N818 - a person's wish, not an error
    """Ctrl-C; the text says what goes on without us."""


def require_yes(question: str, nothing_done: str) -> None:
    """Get a yes from a person, or end with what was not done."""
    from airfoil.errors import ConfigurationError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigurationError(
            f"{nothing_done}: this needs a yes, and there is no terminal to ask on.",
            "Add --yes if that is what you want.",
        )
    if input(f"{question} [y/N] ").strip().lower() not in {"y", "yes"}:
        raise ConfigurationError(f"{nothing_done}.")


@contextlib.contextmanager
def interruptible(what_continues: str) -> Iterator[None]:
    """Say what goes on without us when somebody presses Ctrl-C in this block."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interruption(what_continues) from None


def rich_console() -> Console:
    """Make a rich console that writes where and how `out` does."""
    from rich.console import Console

    width = None if is_terminal() else PIPE_COLUMNS
    return Console(
        file=sys.stdout, width=width, no_color=not has_colour(), highlight=False, emoji=False, markup=False
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
    """Print columns without lines; a cell that is the name of a state is coloured."""
    print_rich(rich_table(columns, rows, right))


def print_rich(*parts: RenderableType) -> None:
    """Print what rich lays out, without the spaces it fills lines with."""
    drawer = rich_console()
    with drawer.capture() as captured:
        for part in parts:
            drawer.print(part, soft_wrap=not is_terminal())
    out("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))


def rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> Any:
    """Build the table that `table` prints (a live display redraws it)."""
    from rich.table import Table
    from rich.text import Text

    found = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        # Names and links must stay whole: they are copied.
        found.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=column in {"URL", "SERVICE", "DAG"},
        )
    for row in rows:
        found.add_row(*(Text(cell, style=STATE_STYLES.get(cell.lower(), "")) for cell in row))
    return found
