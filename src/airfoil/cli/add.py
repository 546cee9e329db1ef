"""`airfoil add PACKAGE...`: name a package, lock it against the platform's versions, install it."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation

if TYPE_CHECKING:
    from airfoil.stack.packages.changes import Outcome, Wish
    from airfoil.stack.project import Project


def add(
    context: typer.Context,
    packages: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PACKAGE]...", help="Such as cowsay or 'cowsay>=6'; none: what is named already."
        ),
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="A virtualenv apart, for packages that do not fit beside the platform."
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the packages away instead.")] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Let every locked package move to its newest version that fits.")
    ] = False,
) -> None:
    """Add packages to the project: pyproject.toml, airfoil.lock, and installed.

    They are locked against the versions that the platform is tested with; nothing is changed when they do not fit.
    """
    from airfoil.cli import platform, waiting
    from airfoil.stack.packages import changes

    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    platform.require_platform_libraries()
    wish = changes.Wish(tuple(packages or ()), environment, remove, upgrade)
    with console.interruptible("What was not installed yet is installed by the next `airfoil up`."):
        outcome = changes.carry_out(project, wish, settings.project.name, waiting.shown)
    _report(invocation, project, wish, outcome)


def _report(invocation: Invocation, project: "Project", wish: "Wish", outcome: "Outcome") -> None:
    where = f" in the environment {wish.environment}" if wish.environment else ""
    if wish.remove:
        console.out(f"Removed {', '.join(wish.packages)}{where}.")
    elif outcome.found:
        console.out(f"Added {', '.join(outcome.found)}{where}.")
    else:
        console.out(f"{project.lock_file(wish.environment).name} is up to date.")
    if wish.environment:
        if not wish.remove:
            python = project.environment_python(wish.environment).relative_to(project.root)
            console.out(f"Its Python is {shlex.quote(str(python))}.")
    elif outcome.change.needs_restart and invocation.platform.current(project) is not None:
        console.out("The running platform has the old packages loaded; `airfoil up` starts it anew.")
