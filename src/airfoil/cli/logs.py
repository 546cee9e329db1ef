"""`airfoil logs`: service logs from their files, task logs from Airflow."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation

if TYPE_CHECKING:
    from airfoil.stack.project import Project

LINES_OF_ONE = 100
LINES_OF_EACH = 10
FOLLOW_SECONDS = 0.25
LOG_SUFFIX = ".log"


def logs(
    context: typer.Context,
    target: Annotated[
        str | None, typer.Argument(metavar="[SERVICE|DAG.TASK]", help="A service, or a task (its last run).")
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on printing what is added.")] = False,
    lines: Annotated[
        int | None,
        typer.Option(
            "-n", "--lines", metavar="LINES", min=0, help="How many of the last lines to print first."
        ),
    ] = None,
) -> None:
    """Print the log of a service or of a task.

    Without a name: the last lines of every service. DAG.TASK is the task's log in its last run; `DAG.TASK[3]` names
    one instance of a mapped task.
    """
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    _show_in_target(project, target, lines, keep_following=follow)
    with console.interruptible("The platform is not affected."):
        known = service_names(project.logs)
        if target is None or target in known:
            names = known if target is None else [target]
            default = LINES_OF_EACH if target is None else LINES_OF_ONE
            count = default if lines is None else lines
            show_services(project.logs, names, count, invocation.sleep if follow else None)
        else:
            show_task(invocation, target, known, lines, keep_following=follow)


def _show_in_target(project: "Project", name: str | None, lines: int | None, *, keep_following: bool) -> None:
    """Let Docker Compose print the logs of a server's containers, if the project's commands mean a server."""
    from airfoil.cli import passthrough
    from airfoil.stack import target

    chosen = target.active(project)
    if chosen is None or (name is not None and "." in name):
        return
    count = lines if lines is not None else LINES_OF_EACH if name is None else LINES_OF_ONE
    options = ["--follow"] if keep_following else []
    passthrough.start_compose(chosen, "logs", "--tail", str(count), *options, *([name] if name else []))


def service_names(folder: Path) -> list[str]:
    """List the services that have a log."""
    return sorted(path.name.removesuffix(LOG_SUFFIX) for path in folder.glob(f"*{LOG_SUFFIX}"))


def show_services(folder: Path, names: list[str], count: int, sleep: Callable[[float], None] | None) -> None:
    """Print the end of each log; with a way to sleep, go on with what is added to any of them."""
    from airfoil.cli import log_files

    if not names:
        console.note("There are no logs yet: nothing was started here. Start it: `airfoil up`.")
        return
    width = log_files.width_of(names) if len(names) > 1 else 0
    files = {name: folder / f"{name}{LOG_SUFFIX}" for name in names}
    if sleep is None:
        for name, file in files.items():
            _print(name, width, log_files.last_lines(file, count))
        return
    followers = {name: log_files.LogFollower(file) for name, file in files.items()}
    try:
        for name, follower in followers.items():
            _print(name, width, follower.last_lines(count))
        while True:
            for name, follower in followers.items():
                _print(name, width, follower.new_lines())
            sleep(FOLLOW_SECONDS)
    finally:
        for follower in followers.values():
            follower.close()


def show_task(
    invocation: Invocation, target: str, services: list[str], count: int | None, *, keep_following: bool
) -> None:
    """Print the log of a task of the last run that has it."""
    from airfoil.cli import task_target
    from airfoil.cli.task_logs import TaskLogs
    from airfoil.cli.watch import Patience

    project = invocation.project()
    state = invocation.platform.current(project)
    if state is None and "." not in target:
        raise task_target.unknown(target, services, [])
    state = invocation.running(project)
    patience = Patience(
        console.note, lambda: invocation.platform.current(project) is not None, sleep=invocation.sleep
    )
    with invocation.airflow(project, state) as airflow:
        TaskLogs(airflow, patience).show(target, services, count, keep_following=keep_following)


def _print(name: str, width: int, lines: list[str]) -> None:
    prefix = f"{console.styled(f'{name:<{width}}', 'cyan')} | " if width else ""
    for line in lines:
        console.out(prefix + line)
