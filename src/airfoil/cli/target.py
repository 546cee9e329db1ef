"""`airfoil target`: which platform the commands of this project mean, this machine's or a Compose server."""

from pathlib import Path
from typing import Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation

app = typer.Typer(
    rich_markup_mode=None,
    invoke_without_command=True,
    help="""Show or choose the platform that commands mean.

    With a Compose server as target, `run`, `retry`, `logs`, `models`, `connections` and `variables` talk to it, and
    `airflow`, `mlflow`, `feast` run inside its containers. Nothing is started or stopped by the choice.
    """,
)


@app.callback()
def show(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show or choose the platform that commands mean."""
    if context.invoked_subcommand is not None:
        return
    from airfoil.stack import target

    chosen = target.active(context.ensure_object(Invocation).project())
    if as_json:
        found = {"target": target.EMBEDDED, "folder": None, "url": None}
        if chosen is not None:
            found = {"target": target.COMPOSE, "folder": str(chosen.folder), "url": chosen.url}
        console.emit_json(found)
    elif chosen is None:
        console.out("embedded: the platform on this machine (`airfoil up`).")
    else:
        console.out(f"compose: {chosen.url}, from the files in {chosen.folder}.")


use = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Choose: compose or embedded.")
app.add_typer(use, name="use")


@use.command("compose")
def use_compose(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="The server's files (default: deploy/compose of the project)."),
    ] = None,
) -> None:
    """Let commands mean the Compose server that `airfoil deploy compose` has rendered."""
    from airfoil.stack import target

    project = context.ensure_object(Invocation).project()
    chosen = target.use_compose(project, folder or project.root / "deploy" / "compose")
    console.out(f"Commands now mean {chosen.url}. Back: `airfoil target use embedded`.")


@use.command("embedded")
def use_embedded(context: typer.Context) -> None:
    """Let commands mean the platform on this machine."""
    from airfoil.stack import target

    target.use_embedded(context.ensure_object(Invocation).project())
    console.out("Commands now mean the platform on this machine.")
