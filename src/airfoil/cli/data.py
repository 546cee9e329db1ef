"""`airfoil data check TABLE`: look at a table here and now, without a platform."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console

if TYPE_CHECKING:
    from airfoil.steps.report import DatasetReport

app = typer.Typer(
    help="Check tables: contract, drift, anomalies.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def data() -> None:
    """Check tables: contract, drift, anomalies."""


@app.command("check")
def check(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="A file, a folder, a pattern, https:// or s3://.")
    ],
    contract: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What the table has to be, as YAML.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="TABLE", help="Hold it against this one: drift and anomalies.")
    ] = None,
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="NAME=TABLE", help="A table that foreign keys name; repeatable."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="COLUMN", help="Hold this column against nothing; repeatable."),
    ] = None,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What the table is called (default: its file).")
    ] = "",
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the report there.")
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object: passed, reason, outcomes, numbers, report."),
    ] = False,
) -> None:
    """Say whether a table is what its contract says, and how far it is from a reference. Nothing needs to run.

    Exit code: 0 when everything passed, 1 when something did not.
    """
    from airfoil.cli.data_check import examine, save

    report = examine(table, contract, reference, named=tables or (), without=without or (), name=name)
    if html is not None:
        save(report, html)
    if as_json:
        console.emit_json(_as_json(report))
    else:
        _print(report)
        if html is not None:
            console.note(f"\nThe report: {html}")
    raise typer.Exit(console.SUCCESS if report.passed else console.FAILURE)


def _print(report: "DatasetReport") -> None:
    from airfoil.cli import data_findings

    for part, outcome, found in data_findings.parts(report):
        level = "failed" if part in report.failed_parts else "ok"
        sign = console.styled(console.mark(level), console.STATE_STYLES[level])
        console.out(f"{sign} {part:<9}  {found}{f' ({outcome})' if outcome == 'not measured' else ''}")
    for table in data_findings.tables(report):
        console.out()
        console.table(table.columns, table.rows, table.right)
        if table.note:
            console.out(console.styled(table.note, "dim"))


def _as_json(report: "DatasetReport") -> dict[str, object]:
    return {
        "schema": 1,
        "dataset": report.dataset,
        "passed": report.passed,
        "reason": report.reason,
        "outcomes": report.outcomes,
        "numbers": report.numbers,
        "report": report.to_json(),
    }
