"""Requests to restart a service: files in the project's run folder, written by the command line, taken by the manager.

A file rather than a signal: it names the service, and a manager of another release merely overlooks it. The manager
keeps this module loaded: nothing heavy.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from airfoil.errors import NeighbourError, ServiceFailed
from airfoil.stack import logs, process
from airfoil.stack import state as states
from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from airfoil.stack.project import Project
    from airfoil.stack.state import ServiceState, StackState

PREFIX = "restart-"
LOOK_SECONDS = 0.05
HEARING_SECONDS = 20.0
LAST_LINES = 10


def ask(project: Project, name: str) -> None:
    """Ask for a restart of this service."""
    write_private(_file(project, name), "")


def is_open(project: Project, name: str) -> bool:
    """Tell whether a request still waits for the manager."""
    return _file(project, name).exists()


def withdraw(project: Project, name: str) -> None:
    """Take a request back, if it is still there."""
    _file(project, name).unlink(missing_ok=True)


def take(project: Project, names: Iterable[str]) -> list[str]:
    """Take every request for one of these services; they are gone afterwards."""
    found = [name for name in names if is_open(project, name)]
    for name in found:
        withdraw(project, name)
    return found


def forget_all(project: Project) -> None:
    """Drop what was asked of an earlier manager: nobody waits for it any more."""
    for file in project.run.glob(f"{PREFIX}*"):
        file.unlink(missing_ok=True)


def restart(
    project: Project,
    name: str,
    on_progress: Callable[[StackState], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> StackState:
    """Let the manager end one service and start it again; wait until it is ready."""
    running = states.load(project.state_file)
    if running is None or not _is_managed(running):
        raise NeighbourError("Nothing manages the platform just now.", "Start it: `airfoil up`.")
    before = running.service(name)
    ask(project, name)
    # Ends the manager's sleep; whoever does not wait for this signal does not notice it.
    process.signal_process(running.manager_pid, running.manager_started, signal.SIGCHLD)
    deadline = clock() + HEARING_SECONDS
    seen: StackState | None = None
    try:
        while True:
            found = states.load(project.state_file)
            if found is not None and found != seen:
                seen = found
                on_progress(found)
            row = seen.service(name) if seen is not None else None
            if is_open(project, name):
                if clock() > deadline:
                    raise ServiceFailed("The manager does not hear.", "Restart all: `airfoil restart`.")
            elif seen is not None and row is not None and row.state == "failed":
                raise _failure(row)
            elif seen is not None and row is not None and _is_another(row, before):
                return seen
            if not _is_managed(running):
                raise ServiceFailed("The manager ended meanwhile.", "Start it again: `airfoil up`.")
            sleep(LOOK_SECONDS)
    finally:
        withdraw(project, name)


def _is_managed(state: StackState) -> bool:
    return process.is_alive(state.manager_pid, state.manager_started)


def _is_another(row: ServiceState, before: ServiceState | None) -> bool:
    """Tell whether a service is ready as another process than before."""
    same = before is not None and (row.pid, row.pid_started) == (before.pid, before.pid_started)
    return row.state == "ready" and not same


def _failure(row: ServiceState) -> ServiceFailed:
    return ServiceFailed(
        f"{row.title} did not come back: {row.detail.rstrip('.')}.",
        f"See `airfoil logs {row.name}`, mend it, then `airfoil restart {row.name}`.",
        details=logs.last_lines(row.log, LAST_LINES),
    )


def _file(project: Project, name: str) -> Path:
    return project.run / f"{PREFIX}{name}"
