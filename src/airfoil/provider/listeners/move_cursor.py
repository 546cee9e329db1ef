"""Hears that a process with a database of its own starts, and has the place of moved models kept in it.

It must do nothing else: what is to be kept, and how, is the matter of `provider.move_cursor`.
"""

from __future__ import annotations

from typing import Any

from airflow.listeners import hookimpl

from airfoil.provider import move_cursor


class MoveCursorListener:
    """Installs the keeping of the place in schedulers and triggerers, before either stores an event."""

    @hookimpl
    def on_starting(self, component: Any) -> None:
        """Begin. Tasks, which have no database, announce something else than a `Job`."""
        if type(component).__name__ == "Job":
            move_cursor.install()
