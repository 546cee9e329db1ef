"""What one call of `airfoil` works on: the project, its settings, the stack, and clients for what runs.

The seam of the command line: tests hand in another `Stack`. Everything heavy is imported when first asked for.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from airfoil.errors import NeighbourError, ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from airfoil.clients.mlflow_http import MlflowHttp
    from airfoil.settings import Settings
    from airfoil.stack.airflow_rest import AirflowRest
    from airfoil.stack.airflow_store import AirflowStore
    from airfoil.stack.mlflow_rest import MlflowRest
    from airfoil.stack.project import Project
    from airfoil.stack.state import StackState

# Where windows can be: X11, Wayland, Windows around WSL; BROWSER is a person's own word.
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER")


STORE_SECONDS = 10.0


class Stack(Protocol):
    """What `airfoil.stack.targeted` offers."""

    def up(
        self, project: Project, settings: Settings, on_progress: Callable[[StackState], None]
    ) -> StackState:
        """Start what does not run and wait until everything is ready."""

    def down(self, project: Project, on_progress: Callable[[StackState], None]) -> bool:
        """Stop everything; True when something was running."""

    def restart(self, project: Project, name: str, on_progress: Callable[[StackState], None]) -> StackState:
        """End one service and start it again; wait until it is ready."""

    def current(self, project: Project) -> StackState | None:
        """Give the state of what runs, or None."""

    def here(self, project: Project) -> StackState | None:
        """Give the state of what runs on this machine, whatever commands mean."""

    def environment(self, project: Project, settings: Settings) -> dict[str, str]:
        """Give what pass-through commands need in their environment."""


def open_in_browser(url: str) -> bool:
    """Open an address in a window of its own; a browser inside the terminal is not meant."""
    import webbrowser

    if sys.platform == "linux" and not any(os.environ.get(name) for name in DISPLAYS):
        return False
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False


@dataclass
class Invocation:
    """The global options of one call, and what follows from them."""

    stack: Stack | None = None
    debug: bool = False
    start: Path | None = None
    """From --project; None means the current folder."""
    sleep: Callable[[float], None] = time.sleep
    """How commands wait between two looks."""
    browse: Callable[[str], bool] = open_in_browser
    """How an address is opened; False where nothing can."""
    transport: httpx.BaseTransport | None = None
    """How conversations with MLflow travel, when not over the network."""

    @property
    def platform(self) -> Stack:
        """The stack runner."""
        if self.stack is None:
            from airfoil.stack import targeted

            self.stack = cast("Stack", targeted)
        return self.stack

    def project(self) -> Project:
        """Find the project that --project or the current folder lies in."""
        from airfoil.stack import authorities, target
        from airfoil.stack.project import Project

        found = Project.find(self.starting_folder())
        chosen = target.active(found)
        if chosen is not None and chosen.authority is not None:
            authorities.trust(found, chosen.authority, and_public=chosen.has_other_mlflow)
        return found

    def starting_folder(self) -> Path:
        """Give the folder that --project names, else the current one."""
        if self.start is None:
            return _current_folder()
        if not self.start.is_dir():
            raise ProjectError(
                f"--project {self.start} is not a folder.", "Make a project: `airfoil init DIR`."
            )
        return self.start

    def settings(self, project: Project) -> Settings:
        """Read the project's settings."""
        from airfoil.settings import load

        return load(project.root, os.environ)

    def running(self, project: Project) -> StackState:
        """Give the state of the running stack, or say how to start it."""
        state = self.platform.current(project)
        if state is None:
            raise not_running()
        return state

    @staticmethod
    def airflow(project: Project, state: StackState, timeout_seconds: float = 5) -> AirflowRest:
        """Make a client of the Airflow that this stack works with."""
        from airfoil.stack import servers
        from airfoil.stack.airflow_rest import AirflowRest

        server = servers.airflow_of(project, state)
        return AirflowRest(server.url, server.username, server.password, timeout_seconds)

    @staticmethod
    def mlflow(
        project: Project, settings: Settings, state: StackState, timeout_seconds: float = 5
    ) -> MlflowRest:
        """Make a client of the MLflow that this stack works with."""
        from airfoil.stack import servers
        from airfoil.stack.mlflow_rest import MlflowRest

        server = servers.mlflow_of(project, state, auth=settings.mlflow.auth)
        return MlflowRest(server.url, server.username or None, server.password, timeout_seconds)

    def mlflow_http(self, project: Project, settings: Settings, state: StackState) -> MlflowHttp:
        """Make a client that carries out conversations with the MLflow that this stack works with."""
        from airfoil.clients.mlflow_http import MlflowHttp
        from airfoil.clients.mlflow_server import MlflowServer
        from airfoil.stack import servers

        server = servers.mlflow_of(project, state, auth=settings.mlflow.auth)
        address = MlflowServer(server.url, server.username or None, server.password)
        return MlflowHttp(address, transport=self.transport)

    @contextlib.contextmanager
    def store(self, project: Project, settings: Settings) -> Iterator[AirflowStore]:
        """Open Airflow's connections and variables: over the API of what runs, else in our database."""
        from airfoil.stack import introduction, servers
        from airfoil.stack.airflow_rest import AirflowRest
        from airfoil.stack.airflow_store import ProcessStore, RestStore

        foreign = servers.resolve(settings, project, os.environ).get("airflow")
        if foreign is not None:
            introduction.meet(foreign)
            client = AirflowRest(foreign.url, foreign.username, foreign.password, STORE_SECONDS)
        else:
            state = self.platform.current(project)
            service = state.service("api-server") if state else None
            if state is None or service is None or service.state not in {"ready", "unhealthy"}:
                yield ProcessStore(self.platform.environment(project, settings))
                return
            client = self.airflow(project, state, STORE_SECONDS)
        with client:
            yield RestStore(client)


def not_running() -> NeighbourError:
    """Say that nothing runs here."""
    return NeighbourError("The platform is not running.", "Start it: `airfoil up`.")


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:  # the folder was removed under the shell
        raise ProjectError(
            "The current folder does not exist any more.", "Go to your project: `cd DIR`."
        ) from error
