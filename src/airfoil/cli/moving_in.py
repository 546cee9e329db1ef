"""`airfoil import mlruns PATH`: runs and models of a file store of old, brought to the platform's MLflow."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from airfoil.cli import console

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Move in: what other tools kept, on this platform."
)
_SHOWN_NOTES = 20


@app.callback()
def group() -> None:
    """Move in: what other tools kept, on this platform."""


@app.command("mlruns")
def mlruns(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The folder mlruns.")],
    only_runs: Annotated[
        bool, typer.Option("--only-runs", help="Leave registered models and their aliases out.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON object: schema, runs, runs_there, versions, aliases, notes."
        ),
    ] = False,
) -> None:
    """Bring the runs, files and registered models of a folder mlruns to the platform's MLflow.

    The stages of old become aliases: Production is champion, Staging is staging. The folder is only read. A second time
    brings what is new; an import that was cut off goes on.
    """
    from airfoil.cli.models import registry
    from airfoil.clients.mlruns.file_store import FileStore
    from airfoil.clients.mlruns.moving_in import move_in

    store = FileStore(path.expanduser().absolute())
    with registry(context) as (http, ledger), console.interruptible("The next time goes on from here."):
        done = move_in(
            http,
            ledger,
            store,
            who=getpass.getuser(),
            only_runs=only_runs,
            progress=lambda count, name: (
                None if as_json or count % 100 else console.out(f"{count} runs ({name})")
            ),
        )
    if as_json:
        console.emit_json({"schema": 1, **vars(done)})
        return
    console.out(
        f"{done.runs} runs brought, {done.runs_there} were there already; {done.versions} model versions."
    )
    for line in done.aliases:
        console.out(f"  {line}")
    for sentence in done.notes[:_SHOWN_NOTES]:
        console.note(f"Note: {sentence}")
    if len(done.notes) > _SHOWN_NOTES:
        console.note(f"Note: and {len(done.notes) - _SHOWN_NOTES} more; --json has all.")
    console.out("Look: airfoil open mlflow")
