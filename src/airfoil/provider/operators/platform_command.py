"""The task that runs one of the platform's own commands: `airfoil backup create`, `airfoil clean`.

A task may not open Airflow's database, and these commands must. They run in a process of their own, which finds what it
needs in the project: `[airfoil] project`, written by the stack.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError, NeighbourError
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.task_tracking import one_sentence

if TYPE_CHECKING:
    from airflow.sdk import Context

_STOP_SECONDS = 30


class PlatformCommandOperator(ProfiledOperator):
    """Runs `airfoil COMMAND...` in the project that this Airflow belongs to; what it prints is in the task's log.

    Returns the last line. A command that fails is a failed task, with its own sentence.
    """

    template_fields = ("command",)
    ui_color = "#e8e8e8"

    def __init__(self, *, command: Sequence[str], **kwargs: Any) -> None:
        """Take the words of the command, without `airfoil`."""
        super().__init__(**kwargs)
        self.command = command
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> str:  # noqa: ARG002 - Airflow's signature
        """Run it and hand on its lines as they come."""
        with one_sentence():
            words = [str(word) for word in self.command]
            last = ""
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airfoil", "--project", project(), *words],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            with self._process as process:
                for line in process.stdout or ():
                    last = line.rstrip() or last
                    self.log.info("%s", line.rstrip())
            if process.returncode:
                raise NeighbourError(f"`airfoil {' '.join(words)}` failed: {last}", "Its log is above.")
            return last

    def on_kill(self) -> None:
        """End the command with the task."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()


def project() -> str:
    """Return the folder of the project."""
    from airflow.sdk.configuration import conf

    found = str(conf.get("airfoil", "project", fallback="") or "").strip()
    if not found:
        raise ConfigurationError(
            "This Airflow belongs to no project of Airfoil: [airfoil] project is empty",
            "Set it to the project's folder on the workers, or take this DAG out.",
        )
    return found


def _environment() -> dict[str, str]:
    """Leave out what Airflow tells tasks and nobody else: that they may not open its database."""
    return {
        name: value for name, value in os.environ.items() if not value.startswith("airflow-db-not-allowed:")
    }
