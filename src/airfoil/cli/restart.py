"""`airfoil restart`: one service or the whole platform, ended in order and started again."""

from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation
from airfoil.errors import NotFoundError

if TYPE_CHECKING:
    from airfoil.stack.state import StackState

GOES_ON = "The restart goes on: `airfoil status` shows it."


def restart(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[SERVICE]", help="One service (default: the whole platform).")
    ] = None,
) -> None:
    """Restart one service, or the whole platform; nothing is lost.

    The whole platform comes back with the settings as they are now; one service keeps those it was started with. Tasks
    that run while the scheduler is restarted get a further try.
    """
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    if name is None:
        from airfoil.cli import platform

        platform.down(context)
        platform.up(context)
        return
    state = invocation.running(project)
    refuse_unknown(state, name)

    from airfoil.cli.progress import Progress
    from airfoil.stack.page import wording

    with console.interruptible(GOES_ON), Progress("") as progress:
        found = invocation.platform.restart(project, name, progress)
    row = found.service(name)
    where = f": {row.url}" if row is not None and row.url else ""
    console.out(f"{name} is ready again after {wording.duration(progress.seconds)}{where}.")


def refuse_unknown(state: "StackState", name: str) -> None:
    """Refuse what is not a service that can be restarted alone."""
    names = [row.name for row in state.services if row.kind == "service"]
    if name in names:
        return
    import difflib

    near = difflib.get_close_matches(name, names, n=1)
    move = f"Did you mean {near[0]}?" if near else f"Services: {', '.join(names)}."
    raise NotFoundError(f"There is no service {name} to restart.", move)
