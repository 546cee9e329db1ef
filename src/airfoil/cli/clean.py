"""`airfoil clean`: remove history, data and logs that have had their time."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation

TITLES = {
    "airflow": "Airflow's history",
    "mlflow": "MLflow's deleted runs",
    "work": "Data of runs",
    "logs": "Logs of tasks",
}


class Part(StrEnum):
    """What can be tidied up."""

    AIRFLOW = "airflow"
    MLFLOW = "mlflow"
    WORK = "work"
    LOGS = "logs"


def clean(
    context: typer.Context,
    parts: Annotated[list[Part], typer.Argument(metavar="PART...", help="airflow, mlflow, work, logs.")],
    older_than: Annotated[
        float | None,
        typer.Option(metavar="DAYS", min=1, help="Default: airflow 90, mlflow 30, work 7, logs 30."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and remove nothing.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, dry_run, removed.")
    ] = False,
) -> None:
    """Remove what has had its time; the platform may run meanwhile.

    What a registered model comes from stays, and the ledger, and everything of DAG runs that are not over. The DAG
    database_cleanup does this every week.
    """
    from airfoil.stack import targeted, tidying

    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    targeted.refuse_upkeep(project, " ".join(("clean", *dict.fromkeys(parts))))
    settings = invocation.settings(project)
    environment = invocation.platform.environment(project, settings)
    removed = {}
    for part in dict.fromkeys(parts):
        days = tidying.KEPT_DAYS[part] if older_than is None else older_than
        removed[part.value] = tidying.tidy(project, settings, environment, part, days, dry_run=dry_run)
        if not as_json:
            counts = ", ".join(f"{count} {name}" for name, count in removed[part.value].items())
            verb = "would go" if dry_run else "removed"
            console.out(f"{TITLES[part]}, older than {days:g} days: {counts} {verb}.")
    if as_json:
        console.emit_json({"schema": 1, "dry_run": dry_run, "removed": removed})
