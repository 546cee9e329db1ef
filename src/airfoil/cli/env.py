"""`airfoil env`: what a notebook, a shell or another tool needs, in the form it reads."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

HIDDEN = "***"


def env(
    context: typer.Context,
    dotenv: Annotated[bool, typer.Option("--dotenv", help="Lines NAME='value' for a .env file.")] = False,
    fish: Annotated[bool, typer.Option("--fish", help="For the fish shell.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object: schema, variables, secrets.")
    ] = False,
    secrets: Annotated[
        bool,
        typer.Option("--secrets", help="Show passwords on a terminal, too; elsewhere they are always there."),
    ] = False,
) -> None:
    """Print the variables with which other tools work on this project: eval "$(airfoil env)".

    MLflow's address and login, AIRFLOW_API_URL, _USERNAME and _PASSWORD, PYTHONPATH, and where Feast's repository is.
    """
    if dotenv + fish + as_json > 1:
        raise typer.BadParameter("--dotenv, --fish and --json exclude each other")
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)

    from airfoil.stack import outside

    found = outside.variables(project, settings, os.environ)
    if invocation.platform.current(project) is None:
        console.note("The platform is not running: these are the addresses of its last start.")
    hidden = set() if secrets or not console.is_terminal() else outside.SECRET_NAMES & set(found)
    if as_json:
        shown = {name: HIDDEN if name in hidden else value for name, value in found.items()}
        console.emit_json(
            {"schema": 1, "variables": shown, "secrets": sorted(outside.SECRET_NAMES & set(found))}
        )
        return
    for line in lines(found, hidden, for_dotenv if dotenv else for_fish if fish else for_sh):
        console.out(line)


def lines(found: Mapping[str, str], hidden: AbstractSet[str], say: Callable[[str, str], str]) -> list[str]:
    """Say each variable; one that is not shown becomes a comment, so that what is copied stays valid."""
    return [
        f"# {name} is not shown on a terminal; add --secrets" if name in hidden else say(name, found[name])
        for name in sorted(found)
    ]


def for_sh(name: str, value: str) -> str:
    """Say it to sh, bash, zsh."""
    return f"export {name}={shlex.quote(value)}"


def for_fish(name: str, value: str) -> str:
    """Say it to fish, where a backslash counts inside single quotes."""
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


def for_dotenv(name: str, value: str) -> str:
    """Say it to tools that read .env files: plain single quotes where they do, escapes where they do not."""
    if "'" not in value and "\n" not in value and "\\" not in value:
        return f"{name}='{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}="{escaped}"'
