"""What `airfoil status` prints: the same picture as the status page, in a terminal.

The picture itself (`airfoil.stack.page.status`) and its words come from the stack; here is only layout.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

from airfoil.cli import console
from airfoil.stack.page import neighbours, wording
from airfoil.stack.page import status as pictures
from airfoil.stack.page.facts import Facts
from airfoil.stack.page.neighbours import Closable
from airfoil.stack.page.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from airfoil.cli.context import Invocation
    from airfoil.stack.page.status import Status
    from airfoil.stack.project import Project

Client = TypeVar("Client", bound=Closable)
PATIENCE_SECONDS = 3.0
WATCH_SECONDS = 2.0
LEVEL_STYLES = {"good": "green", "busy": "cyan", "warning": "yellow", "bad": "red", "off": "dim"}
SEVERITY_MARKS = {"error": ("✗", "red"), "warning": ("!", "yellow"), "notice": ("·", "dim")}
SHOWN_RUNS = 5
BORROWED_WORDS = {"answers": "answers", "silent": "cannot be used now", "unknown": "was asked"}
BORROWED_STYLES = {"answers": "green", "silent": "red", "unknown": "cyan"}
# The password itself is printed by `up` and `demo` only: a status is shown around.
LOGIN = "Login admin, its password is in .airfoil/secrets.json"


class Picture:
    """Takes pictures of one project's platform."""

    def __init__(self, invocation: Invocation, project: Project) -> None:
        self._platform = invocation.platform
        self._project = project
        self._clients: list[Closable] = []
        self._sources = Sources(
            project,
            connect_airflow=self._kept(neighbours.connect_airflow(project)),
            connect_mlflow=self._kept(neighbours.connect_mlflow(project)),
        )

    def take(self) -> Status:
        """Look once."""
        if self._platform.current(self._project) is None:
            return pictures.build(str(self._project.root), None, Facts(now=time.time(), manager_alive=False))
        return asyncio.run(self._sources.status(PATIENCE_SECONDS))

    def close(self) -> None:
        """Wait for no further answer, and hang up."""
        self._sources.close()
        for client in self._clients:
            client.close()

    def _kept(self, connect: Callable[[str], Client]) -> Callable[[str], Client]:
        def connect_and_keep(url: str) -> Client:
            client = connect(url)
            self._clients.append(client)
            return client

        return connect_and_keep


def exit_code(status: Status) -> int:
    """0 when ready, 3 when nothing runs, 1 for everything between."""
    if status.stack is None or status.stack.phase == "stopped":
        return console.NOT_RUNNING
    return (
        console.SUCCESS if status.stack.phase == "ready" and status.stack.manager_alive else console.FAILURE
    )


def show(status: Status) -> None:
    """Print a picture."""
    console.print_rich(*parts(status))


def watch(picture: Picture, *, as_json: bool, sleep: Callable[[float], None] = time.sleep) -> None:
    """Show a picture every other second until somebody interrupts."""
    if as_json or not console.is_terminal():
        while True:
            status = picture.take()
            if as_json:
                console.emit_json(status.to_dict(), compact=True)
            else:
                show(status)
                console.out()
            sleep(WATCH_SECONDS)
    from rich.console import Group
    from rich.live import Live

    with Live(console=console.rich_console(), auto_refresh=False, screen=True) as live:
        while True:
            live.update(Group(*parts(picture.take())), refresh=True)
            sleep(WATCH_SECONDS)


def parts(status: Status) -> list[RenderableType]:
    """Lay a picture out."""
    from rich.text import Text

    headline = status.headline
    head = Text(headline.text, style=f"bold {LEVEL_STYLES[headline.level]}")
    if headline.note:
        head.append(f"  {headline.note}", style="not bold default")
    found: list[RenderableType] = [head]
    if status.services:
        found.extend(["", _services(status), "", Text(_budgets(status), style="dim")])
        if all(server.name != "airflow" for server in status.foreign):
            found.append(Text(LOGIN, style="dim"))
    if status.foreign:
        found.append("")
        found.extend(_borrowed(status))
    if status.airflow.runs:
        found.extend(["", _runs(status)])
    if status.problems:
        found.append("")
        found.extend(_problems(status))
    return found


def _services(status: Status) -> Any:
    rows = [
        (
            service.name,
            service.state,
            wording.duration(status.now - service.since),
            str(service.restarts) if service.restarts else "",
            wording.mib(service.memory_mib) if service.memory_mib else "",
            service.url or "",
        )
        for service in status.services
    ]
    columns = ("SERVICE", "STATE", "SINCE", "RESTARTS", "MEMORY", "URL")
    return console.rich_table(columns, rows, right=("SINCE", "RESTARTS", "MEMORY"))


def _borrowed(status: Status) -> list[RenderableType]:
    """Name the servers that are not ours, and what is not promised there."""
    from rich.text import Text

    found: list[RenderableType] = []
    for server in status.foreign:
        line = Text(f"{server.title} is not ours: ", style="default")
        line.append(f"{server.url}, ")
        word = BORROWED_WORDS.get(server.state, server.state)
        line.append(
            f"{word}{f', version {server.version}' if server.version else ''}",
            BORROWED_STYLES.get(server.state, ""),
        )
        found.append(line)
        found.extend(Text(f"  {sentence}", style="dim") for sentence in server.lost)
    return found


def _runs(status: Status) -> Any:
    rows = []
    for run in status.airflow.runs[:SHOWN_RUNS]:
        took = None if run.started_at is None else (run.ended_at or status.now) - run.started_at
        rows.append(
            (
                run.dag_id,
                run.state,
                "" if took is None else wording.duration(took),
                "" if run.started_at is None else wording.ago(status.now - run.started_at),
                run.url,
            )
        )
    return console.rich_table(("DAG", "STATE", "TOOK", "STARTED", "URL"), rows, right=("TOOK",))


def _budgets(status: Status) -> str:
    found = []
    memory, start = status.memory_mib, status.start_seconds
    if memory.actual is not None:
        of = f" of {wording.mib(memory.budget)}" if memory.budget else ""
        found.append(f"Memory {wording.mib(memory.actual)}{of}")
    if start.actual is not None:
        found.append(f"started in {wording.duration(start.actual)}")
    return ", ".join(found)


def _problems(status: Status) -> list[RenderableType]:
    from rich.text import Text

    found: list[RenderableType] = []
    for problem in status.problems:
        mark, style = SEVERITY_MARKS[problem.severity]
        line = Text(f"{mark} ", style=style)
        line.append(problem.message, style="default")
        found.append(line)
        rest = " ".join(part for part in (problem.next_move, problem.url) if part)
        if rest:
            found.append(Text(f"  {rest}", style="dim"))
    return found
