"""What `run` and `retry` print of tasks that failed: the error, the line of the person's own code, the end of the log.

It reads Airflow's logs through a `DagRunner`'s means and decides nothing about the run.
"""

from __future__ import annotations

import linecache
import shlex
from typing import TYPE_CHECKING, Any, Protocol

from airfoil.cli import console
from airfoil.cli.follow import epoch_seconds
from airfoil.errors import AirfoilError
from airfoil.stack import task_failure, task_log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airfoil.cli.follow import TaskView
    from airfoil.cli.watch import Patience

FAILED_LOG_LINES = 20
FAILED_TASKS_SHOWN = 5
CAUSES_SHOWN = 3


class Airflow(Protocol):
    """The part of AirflowRest that this needs."""

    def log_entries(
        self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int
    ) -> list[Any]:
        """Read the log of one try."""


class FailureStory:
    """Tells why the tasks of a run failed."""

    def __init__(self, airflow: Airflow, patience: Patience, root: Path) -> None:
        self._airflow = airflow
        self._patience = patience
        self._root = root

    def tell(self, dag_id: str, run_id: str, tasks: Sequence[TaskView], page_url: str) -> None:
        """Print the story of each failed task, up to a limit."""
        for task in tasks[:FAILED_TASKS_SHOWN]:
            entries, lines = self._read(dag_id, run_id, task)
            label = f"{dag_id}.{task.label}"
            console.out()
            for line in self.headline(label, entries):
                console.out(line)
            console.out(f"Last lines of {label} (try {task.try_number}):")
            for line in lines[-FAILED_LOG_LINES:] or ["(empty)"]:
                console.out(f"  {line}")
            console.out(f"All of it: airfoil logs {shlex.quote(label)}")
        if len(tasks) > FAILED_TASKS_SHOWN:
            console.out()
            console.out(f"{len(tasks) - FAILED_TASKS_SHOWN} more tasks failed; see {page_url}")

    def headline(self, label: str, entries: list[Any]) -> list[str]:
        """Say in a few lines what went wrong and where; nothing when the log does not tell."""
        found = task_failure.failure(entries, self._root)
        if found is None:
            return []
        lines = [f"{console.mark('failed')} {label}: {console.styled(found.error, 'red')}"]
        if found.place is not None:
            lines.append(f"  {found.place}")
            if source := self._source(found.place, found.at):
                lines.append(f"    {source}")
        lines += [f"  caused by {cause}" for cause in found.causes[:CAUSES_SHOWN]]
        return lines

    def reason(self, dag_id: str, run_id: str, task: TaskView) -> str:
        """Say in one line why a task failed, or nothing."""
        entries, _ = self._read(dag_id, run_id, task)
        found = task_failure.failure(entries, self._root)
        if found is None:
            return ""
        return f"{found.error} ({found.place})" if found.place else found.error

    def _read(self, dag_id: str, run_id: str, task: TaskView) -> tuple[list[Any], list[str]]:
        try:
            entries = self._patience(
                lambda: self._airflow.log_entries(
                    dag_id, run_id, task.task_id, task.try_number, task.map_index
                )
            )
        except AirfoilError as error:
            return [], [f"(the log cannot be read: {error})"]
        return entries, task_log.lines(entries)

    def _source(self, place: task_failure.Place, at: str) -> str:
        """Give the text of a line, unless its file was changed since: then the number means another line."""
        file = self._root / place.file
        failed_at = epoch_seconds(at)
        try:
            if failed_at is not None and file.stat().st_mtime > failed_at:
                return ""
        except OSError:
            return ""
        linecache.checkcache(str(file))
        return linecache.getline(str(file), place.line).strip()
