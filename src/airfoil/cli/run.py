"""`airfoil run DAG_ID`: trigger a DAG, follow it, end with its outcome."""

import json
from typing import Annotated, Any

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation

CONTINUES = (
    "The run goes on without this command; `airfoil status` shows it, `airfoil logs DAG.TASK` reads its logs."
)


def run(
    context: typer.Context,
    dag_id: Annotated[str, typer.Argument(metavar="DAG_ID", help="The DAG to run.")],
    conf: Annotated[
        str | None, typer.Option(metavar="JSON", help="Parameters of the run as one JSON object.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="K=V", help="One parameter; V is JSON (5, true, [1, 2]) or else text. Repeatable."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print nothing but one JSON object at the end.")
    ] = False,
) -> None:
    """Run a DAG, follow its tasks, end with its outcome.

    Exit code: 0 the run succeeded, 1 it failed. A paused DAG is unpaused; a DAG whose file is new or changed is waited
    for. --json prints: schema (1), dag_id, run_id, state, seconds, airflow_url, mlflow_url, tasks [task_id, map_index,
    state, try_number, seconds].
    """
    parameters = parse_parameters(conf, param or [])

    from airfoil.cli.dag_runner import DagRunner, final_line

    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    with DagRunner(invocation, project, settings, invocation.running(project), quiet=as_json) as runner:
        with console.interruptible("A run that was started already goes on; see `airfoil status`."):
            run_id = runner.start(dag_id, parameters)
        with console.interruptible(CONTINUES):
            if not as_json:
                console.out(f"Running {dag_id}: {runner.airflow_url(dag_id, run_id)}")
            result = runner.finish(dag_id, run_id)
            if not as_json:
                runner.explain(result)
    if as_json:
        console.emit_json(result.to_dict())
    else:
        console.out(final_line(result))
        console.out(f"  Airflow  {result.airflow_url}")
        if result.mlflow_url:
            console.out(f"  MLflow   {result.mlflow_url}")
    raise typer.Exit(console.SUCCESS if result.succeeded else console.FAILURE)


def parse_parameters(conf: str | None, pairs: list[str]) -> dict[str, Any]:
    """Join --conf and --param; a --param wins."""
    found: dict[str, Any] = {}
    if conf is not None:
        try:
            parsed = json.loads(conf, parse_constant=_no_constant)
        except ValueError as error:
            raise typer.BadParameter(f"{conf!r} is not JSON ({error})", param_hint="--conf") from None
        if not isinstance(parsed, dict):
            raise typer.BadParameter(
                f"{conf!r} is not a JSON object; write '{{\"name\": value}}'", param_hint="--conf"
            )
        found.update(parsed)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint="--param")
        try:
            found[name] = json.loads(text, parse_constant=_no_constant)
        except ValueError:
            found[name] = text
    return found


def _no_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(name)
