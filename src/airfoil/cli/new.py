"""`airfoil new dag|training NAME`: write a DAG that works, with its test; `airfoil new contract TABLE`: a contract."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation

if TYPE_CHECKING:
    from airfoil.cli.new_files import Plan

app = typer.Typer(
    help="Write a new DAG with its test, or a contract for a table.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("dag")
def new_dag(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its id: letters, digits and _.")],
    schedule: Annotated[
        str | None,
        typer.Option(metavar="CRON", help="When it runs: '0 2 * * *' or @daily (default: never by itself)."),
    ] = None,
) -> None:
    """Write a short DAG and its test."""
    from airfoil.cli.new_files import Plan, schedule_literal

    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    plan = Plan.of(project, invocation.settings(project), name)
    plan.render("dag", title=name.replace("_", " ").capitalize(), schedule=schedule_literal(schedule))
    _write(plan)
    console.out("\nNext:\n  airfoil check\n  airfoil run " + name)


@app.command("training")
def new_training(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The DAG's id: letters, digits and _.")],
    source: Annotated[Path, typer.Option("--from", metavar="FILE.csv", help="The table to learn from.")],
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to predict.")],
    run: Annotated[
        bool | None,
        typer.Option("--run/--no-run", help="Run it at once, or not (default: asked in a terminal)."),
    ] = None,
) -> None:
    """Look at a table, and write a DAG that learns a column of it: data contract, training, gate and test.

    Schema and kind of task (classification or regression) are inferred; columns that cannot or should not be learnt
    from are named with the reason.
    """
    from airfoil.cli.new_files import Plan
    from airfoil.cli.new_training import describe, fill

    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    plan = Plan.of(project, invocation.settings(project), name)
    contract = fill(plan, source.expanduser(), target)
    _write(plan)
    console.out()
    for line in describe(contract):
        console.out(line)
    if _shall_run(invocation, name, wanted=run):
        raise typer.Exit(_run(invocation, name))
    console.out(f"\nNext:\n  airfoil check\n  airfoil run {name}")


@app.command("contract")
def new_contract(
    table: Annotated[
        str,
        typer.Argument(metavar="TABLE", help="A good one: a file, a folder, a pattern, https:// or s3://."),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to", "-o", metavar="FILE", help="Its file; - prints it (default: TABLE.contract.yaml)."
        ),
    ] = "",
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What the table is called (default: its file).")
    ] = "",
    room: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="How much wider ranges are than what was seen (0.5)."),
    ] = None,
) -> None:
    """Read a contract off a table that is known to be good: columns, types, ranges, values, keys.

    A person should look at it before it guards anything; comments in it say what else it could ask. No project needed.
    """
    from airfoil.cli.new_contract import draft, file_of, write

    made = draft(table, name, room=room)
    if to == "-":
        console.out(made.text.rstrip())
        return
    path = Path(to) if to else file_of(made)
    write(made, path)
    console.out(f"Wrote {path}: {len(made.contract.columns)} columns of {made.called}")
    console.out(f"\nLook at it, then:\n  airfoil data check TABLE --contract {path}")


def _write(plan: "Plan") -> None:
    for path in plan.write():
        console.out(f"Wrote {path}")
    for hint in plan.hints:
        console.out(hint)


def _shall_run(invocation: Invocation, name: str, *, wanted: bool | None) -> bool:
    """Run when that is wished; ask a person, when there is a platform to run it on."""
    if wanted is not None:
        return wanted
    if invocation.platform.current(invocation.project()) is None:
        return False
    return console.is_terminal() and sys.stdin.isatty() and typer.confirm(f"Run {name} now?", default=True)


def _run(invocation: Invocation, name: str) -> int:
    from airfoil.cli.dag_runner import DagRunner
    from airfoil.cli.run import Request, run_once

    project = invocation.project()
    settings = invocation.settings(project)
    with DagRunner(invocation, project, settings, invocation.running(project)) as runner:
        return run_once(runner, Request(name, {}))
