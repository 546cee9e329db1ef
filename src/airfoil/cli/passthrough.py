"""`airfoil airflow|mlflow|feast ...`: the tool itself, inside the platform's environment, arguments untouched.

The tool replaces this process, so signals, exit codes and the terminal are its own.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from airfoil.cli.context import Invocation
from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from airfoil.stack.project import Project
    from airfoil.stack.target import ComposeTarget

TOOLS = ("airflow", "mlflow", "feast")
HELP = {
    "airflow": "Run Airflow's command line.",
    "mlflow": "Run MLflow's command line.",
    "feast": "Run Feast's command line in the project's feature repository.",
}
ASKS_NOTHING_OF_THE_REPOSITORY = frozenset({"--help", "--version", "version", "init"})


class UntouchedCommand(TyperCommand):
    """A command that parses none of its arguments, `--help` and `--` included."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep every argument as it is."""
        ctx.args = list(args)
        return []


def register(app: typer.Typer, tool: str) -> None:
    """Add the command of one tool."""

    def command(context: typer.Context) -> None:
        start_tool(context.ensure_object(Invocation), tool, context.args)

    app.command(tool, cls=UntouchedCommand, help=HELP[tool], add_help_option=False)(command)


def start_tool(invocation: Invocation, tool: str, arguments: list[str]) -> None:
    """Replace this process by the tool that is installed beside this Python."""
    project = invocation.project()
    _start_in_target(project, tool, arguments)
    settings = invocation.settings(project)
    if tool == "airflow" and settings.airflow.url:
        raise ConfigurationError(
            f"Airflow's command line works on a database, and that of the Airflow at {settings.airflow.url} is not "
            f"ours.",
            "Run `airflow` where that Airflow runs; `airfoil run`, `status`, `logs` and `connections` ask it over "
            "its API.",
        )
    executable = Path(sys.executable).parent / tool
    if not executable.exists():
        raise ConfigurationError(
            f"{tool} is not installed beside {sys.executable}.",
            "Install it: `uv pip install 'airfoil[stack]'`.",
        )
    environment = {**os.environ, **invocation.platform.environment(project, settings)}
    if tool == "feast":
        _enter_repository(settings.feast.repo, project.root, arguments)
    sys.stdout.flush()
    os.execvpe(executable, [tool, *arguments], environment)  # noqa: S606 - our own tool, no shell


def _start_in_target(project: "Project", tool: str, arguments: list[str]) -> None:
    """Replace this process by the tool inside the server, if the project's commands mean one."""
    from airfoil.stack import target

    chosen = target.active(project)
    if chosen is None:
        return
    place = ["-w", target.FEATURES] if tool == "feast" else []
    terminal = [] if sys.stdin.isatty() and sys.stdout.isatty() else ["-T"]
    start_compose(chosen, "exec", *terminal, *place, target.AIRFLOW_SERVICE, tool, *arguments)


def start_compose(chosen: "ComposeTarget", *arguments: str) -> None:
    """Replace this process by Docker Compose at work on a server."""
    from airfoil.stack.target import without_docker

    command = chosen.command(*arguments)
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)  # noqa: S606 - the user's own Docker, no shell
    except FileNotFoundError as error:
        raise without_docker() from error


def _enter_repository(repository: Path, root: Path, arguments: list[str]) -> None:
    """Feast reads the repository from the current folder."""
    folder = root / repository
    if folder.is_dir():
        os.chdir(folder)
    elif not ASKS_NOTHING_OF_THE_REPOSITORY.intersection(arguments) and arguments:
        raise ConfigurationError(
            f"There is no feature repository: {folder} does not exist.",
            "Make one (`airfoil feast init`), or set [feast] repo in airfoil.toml.",
        )
