"""The stack that a command means: that of this machine, or the Compose server which the project has as its target.

A server is started and stopped where it runs, by Docker Compose, so those calls are refused with the command for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NoReturn

from airfoil.errors import ConfigurationError
from airfoil.stack import launch, target
from airfoil.stack.state import ServiceState, StackState

if TYPE_CHECKING:
    from collections.abc import Callable

    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.target import ComposeTarget


def up(project: Project, settings: Settings, on_progress: Callable[[StackState], None]) -> StackState:
    """Start the stack of this machine."""
    _refuse(project, "up -d")
    return launch.up(project, settings, on_progress)


def down(project: Project, on_progress: Callable[[StackState], None]) -> bool:
    """Stop the stack of this machine, also when commands mean a server: it may still run from before."""
    return launch.down(project, on_progress)


def restart(project: Project, name: str, on_progress: Callable[[StackState], None]) -> StackState:
    """End a service of this machine and start it again."""
    _refuse(project, f"restart {name}")
    return launch.restart(project, name, on_progress)


def current(project: Project) -> StackState | None:
    """Give the state of what runs here, or a server's addresses; whether that answers is seen when it is asked."""
    chosen = target.active(project)
    return launch.current(project) if chosen is None else _state(project, chosen)


def here(project: Project) -> StackState | None:
    """Give the state of what runs on this machine, whatever commands mean."""
    return launch.current(project)


def environment(project: Project, settings: Settings) -> dict[str, str]:
    """Give what pass-through commands need in their environment."""
    return launch.environment(project, settings)


def _state(project: Project, chosen: ComposeTarget) -> StackState:
    now = time.time()
    page = ServiceState("page", "Status page", "service", "ready", now, url=f"{chosen.url}/status/")
    return StackState(
        project=str(project.root),
        stack_id="",
        engine="plain",
        phase="ready",
        started_at=0.0,
        updated_at=now,
        manager_pid=0,
        manager_started=0.0,
        services=(page,),
        foreign={name: row["url"] for name, row in chosen.logins().items()},
    )


def refuse_upkeep(project: Project, words: str) -> None:
    """Say how a server does this, if commands mean one: it opens databases, which only a container there can."""
    chosen = target.active(project)
    if chosen is not None:
        raise ConfigurationError(
            f"Commands of this project mean the Compose server in {chosen.folder}, whose part maintenance does this.",
            f"In that folder: `docker compose {target.MAINTENANCE} {words}`. "
            "To work with this machine: `airfoil target use embedded`.",
        )


def _refuse(project: Project, arguments: str) -> None:
    chosen = target.active(project)
    if chosen is not None:
        refuse(chosen, arguments)


def refuse(chosen: ComposeTarget, arguments: str) -> NoReturn:
    """Say that Docker Compose does this for a server."""
    raise ConfigurationError(
        f"Commands of this project mean the Compose server in {chosen.folder}, which Docker Compose starts and stops.",
        f"In that folder: `docker compose {arguments}`. To work with this machine: `airfoil target use embedded`.",
    )
