"""`airfoil reset`, and what `airfoil down --purge` shares with it: list what will go, ask, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation

if TYPE_CHECKING:
    from airfoil.stack.project import Project
    from airfoil.stack.removal import Removal

_MIB = 2**20


def reset(
    context: typer.Context,
    keep_models: Annotated[
        bool, typer.Option("--keep-models", help="Keep MLflow's database and artifacts.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Begin anew: remove databases, logs and intermediate data; keep secrets, ports and snapshots.

    Lists what will go, with sizes, and asks. Databases on servers and artifacts in S3 are never touched.
    """
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)

    from airfoil.stack import removal

    remove_after_asking(
        invocation, project, removal.plan_reset(project, settings, keep_models=keep_models), yes=yes
    )
    console.out("Next: airfoil up")


def purge(invocation: Invocation, project: Project, *, yes: bool) -> None:
    """Remove everything in `.airfoil`, also when the settings cannot be read."""
    from airfoil.errors import SettingsError
    from airfoil.stack import removal

    try:
        settings = invocation.settings(project)
    except SettingsError:
        settings = None
    remove_after_asking(invocation, project, removal.plan_purge(project, settings), yes=yes)


def remove_after_asking(invocation: Invocation, project: Project, planned: Removal, *, yes: bool) -> None:
    """Show the plan, get a yes, stop the platform, remove."""
    from airfoil.stack import removal

    if not planned.items:
        console.out("There is nothing to remove.")
        return
    runs = invocation.platform.here(project) is not None
    console.out("These will be removed:")
    for item in planned.items:
        console.out(f"  {item.size_bytes / _MIB:9.1f} MiB  {item.path}")
    for sentence in planned.stays:
        console.out(sentence)
    if runs:
        console.out("The platform runs; it will be stopped first.")
    if not yes:
        console.require_yes("Remove them?", "Nothing was removed")
    invocation.platform.down(project, lambda _: None)
    removal.carry_out(project, planned)
    console.out(f"Removed, {planned.size_bytes / _MIB:.1f} MiB.")
