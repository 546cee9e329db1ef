"""`airfoil run DAG_ID`: run a DAG once, for a date, for a range of dates, or here in this terminal."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation

if TYPE_CHECKING:
    from datetime import tzinfo

    from airfoil.cli.dag_runner import DagRunner
    from airfoil.cli.dates import TypedDate

CONTINUES = (
    "The run goes on without this command; `airfoil status` shows it, `airfoil logs DAG.TASK` reads its logs."
)
REPROCESS = ("none", "failed", "completed")


def run(  # noqa: PLR0913, PLR0917 - one argument for each option
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
    date: Annotated[str | None, typer.Option(metavar="D", help="The run's logical date.")] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="D", help="First logical date of a range (a backfill).")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="D", help="Its last logical date.")] = None,
    reprocess: Annotated[
        str, typer.Option(metavar="WHICH", help="Dates that ran already: none (default), failed, completed.")
    ] = "none",
    yes: Annotated[bool, typer.Option("--yes", help="Start more than 20 runs without asking.")] = False,
    here: Annotated[
        bool, typer.Option("--here", help="Run in this terminal, in one process: breakpoint() works.")
    ] = False,
    task: Annotated[str | None, typer.Option(metavar="ID", help="With --here: only this task.")] = None,
    pdb: Annotated[
        bool, typer.Option("--pdb", help="With --here: open the debugger where a task failed.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print nothing but one JSON object at the end.")
    ] = False,
) -> None:
    """Run a DAG, follow its tasks, end with its outcome.

    Exit code: 0 the run succeeded, 1 it failed (of a range: one of its runs). A paused DAG is unpaused; a DAG whose
    file is new or changed is waited for. --json prints: schema (1), dag_id, run_id, state, seconds, airflow_url,
    mlflow_url, tasks [task_id, map_index, state, try_number, seconds]; of a range: schema (1), dag_id, state,
    left_alone, runs [run_id, logical_date, state, seconds, airflow_url, failed_tasks].
    """
    parameters = parse_parameters(conf, param or [])
    refuse_combinations(
        here={"--here": here, "--task": task, "--pdb": pdb},
        dated={"--date": date, "--from": begin, "--to": end},
        other={"--json": as_json, "--yes": yes, "--reprocess": reprocess != "none"},
    )
    if reprocess not in REPROCESS:
        raise typer.BadParameter(f"choose one of {', '.join(REPROCESS)}", param_hint="--reprocess")
    request = Request(
        dag_id,
        parameters,
        _date(date, "--date"),
        _date(begin, "--from"),
        _date(end, "--to"),
        reprocess,
        agreed=yes,
        as_json=as_json,
    )
    invocation = context.ensure_object(Invocation)
    if here:
        from airfoil.cli.here import run_here

        run_here(invocation, dag_id, parameters, date, task, pdb=pdb)

    from airfoil.cli.dag_runner import DagRunner

    project = invocation.project()
    settings = invocation.settings(project)
    with DagRunner(invocation, project, settings, invocation.running(project), quiet=as_json) as runner:
        raise typer.Exit(run_range(runner, request) if request.begin else run_once(runner, request))


@dataclass(frozen=True)
class Request:
    """What the options say."""

    dag_id: str
    conf: dict[str, Any]
    date: "TypedDate | None" = None
    begin: "TypedDate | None" = None
    end: "TypedDate | None" = None
    reprocess: str = "none"
    agreed: bool = False
    as_json: bool = False


def run_once(runner: "DagRunner", request: Request) -> int:
    """Run the DAG, follow the run, print its end; the exit code."""
    from airfoil.cli.dag_runner import show_end

    dag_id = request.dag_id
    with console.interruptible("A run that was started already goes on; see `airfoil status`."):
        if request.date is None:
            run_id = runner.start(dag_id, request.conf)
        else:
            from airfoil.cli.backfill import repeat_or_refuse

            runner.prepare(dag_id)
            moment = request.date.begin(_zone(runner, dag_id))
            _refuse_future(moment, "--date")
            run_id = repeat_or_refuse(runner, dag_id, moment, request.reprocess, request.conf)
    with console.interruptible(CONTINUES):
        if not request.as_json:
            console.out(f"Running {dag_id}: {runner.airflow_url(dag_id, run_id)}")
        result = runner.finish(dag_id, run_id)
        if not request.as_json:
            runner.explain(result)
    if request.as_json:
        console.emit_json(result.to_dict())
    else:
        show_end(result)
    return console.SUCCESS if result.succeeded else console.FAILURE


def run_range(runner: "DagRunner", request: Request) -> int:
    """Run the DAG for every date of a range; the exit code."""
    from airfoil.cli import range_run
    from airfoil.cli.backfill import Backfill, Wanted

    assert request.begin is not None  # noqa: S101 - only called for a range
    assert request.end is not None  # noqa: S101 - refuse_combinations saw to it
    with console.interruptible(range_run.CONTINUE):
        dag = runner.prepare(request.dag_id)
        zone = _zone(runner, request.dag_id)
        begin, end = request.begin.begin(zone), request.end.end(zone)
        if end < begin:
            raise typer.BadParameter("it lies before --from", param_hint="--to")
        _refuse_future(begin, "--from")
        wanted = Wanted(request.dag_id, begin, min(end, datetime.now(zone)), request.conf, request.reprocess)
        ask = None if request.as_json else typer.confirm
        backfill = Backfill(runner, wanted, dag, zone)
        return range_run.run_range(
            runner, backfill, wanted, agreed=request.agreed, as_json=request.as_json, ask=ask
        )


def refuse_combinations(here: dict[str, object], dated: dict[str, object], other: dict[str, object]) -> None:
    """Refuse options that contradict each other, before anything is looked at."""
    if here["--here"]:
        wrong = [name for name, value in {**dated, **other}.items() if value and name != "--date"]
        if wrong:
            raise typer.BadParameter("it does not go with --here", param_hint=wrong[0])
    else:
        for name in ("--task", "--pdb"):
            if here[name]:
                raise typer.BadParameter("it needs --here", param_hint=name)
    if bool(dated["--from"]) != bool(dated["--to"]):
        raise typer.BadParameter("a range needs both of them", param_hint="--from and --to")
    if dated["--date"] and dated["--from"]:
        raise typer.BadParameter("name one date or a range", param_hint="--date")
    if other["--reprocess"] and not any(dated.values()):
        raise typer.BadParameter("it needs --date or a range", param_hint="--reprocess")


def _date(text: str | None, option: str) -> "TypedDate | None":
    if text is None:
        return None
    from airfoil.cli.dates import parse_date

    try:
        return parse_date(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _zone(runner: "DagRunner", dag_id: str) -> "tzinfo":
    from airfoil.cli.dates import time_zone

    return time_zone(runner.patience(lambda: runner.airflow.time_zone(dag_id)))


def _refuse_future(moment: datetime, option: str) -> None:
    if moment > datetime.now(moment.tzinfo):
        raise typer.BadParameter(f"{moment:%Y-%m-%d %H:%M %Z} lies in the future", param_hint=option)


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
