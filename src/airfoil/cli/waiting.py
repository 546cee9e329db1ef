"""How a wait for something else than services is shown: a spinner with seconds on a terminal, lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from airfoil.cli import console

if TYPE_CHECKING:
    from collections.abc import Iterator

WORTH_SAYING_SECONDS = 1.0


@contextlib.contextmanager
def shown(what: str) -> Iterator[None]:
    """Say what is being done, and in the end how long it took."""
    began = time.monotonic()
    if console.is_terminal():
        with _spinner(what):
            yield
    else:
        console.note(f"{what} ...")
        yield
    seconds = time.monotonic() - began
    took = f" ({seconds:.1f} s)" if seconds >= WORTH_SAYING_SECONDS else ""
    if console.is_terminal():
        console.note(f"{what}{took}")


@contextlib.contextmanager
def _spinner(what: str) -> Iterator[None]:
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console.rich_console(), transient=True) as progress:
        progress.add_task(what, total=None)
        yield
