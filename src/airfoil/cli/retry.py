"""`airfoil retry DAG`: run again what failed in a run, and what comes after it; finished tasks are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation
from airfoil.cli.run import CONTINUES
from airfoil.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airfoil.cli.dag_runner import DagRunner
    from airfoil.cli.follow import RunView

SHOWN_TASKS = 12
FAILED = ("failed", "upstream_failed")


def retry(
    context: typer.Context,
    dag_id: Annotated[str, typer.Argument(metavar="DAG_ID", help="The DAG whose run failed.")],
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="The run (default: the latest that failed).")
    ] = None,
    from_task: Annotated[
        str | None,
        typer.Option("--from", metavar="TASK", help="Begin with this task, whatever became of it."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print nothing but one JSON object at the end.")
    ] = False,
) -> None:
    """Run the failed tasks of a run again, and what comes after them.

    Tasks that succeeded before them are not run again. Exit code: 0 the run succeeded, 1 it failed or there was
    nothing to retry. --from runs one task and everything after it, in the latest run unless --run names another.
    --json prints what `airfoil run --json` prints.
    """
    from airfoil.cli.dag_runner import DagRunner, show_end

    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    with DagRunner(invocation, project, settings, invocation.running(project), quiet=as_json) as runner:
        with console.interruptible("What was cleared already runs again; see `airfoil status`."):
            runner.prepare(dag_id)
            run_id = run or _run_to_retry(runner, dag_id, any_state=from_task is not None)
            before = runner.look(dag_id, run_id)
            wanted = _tasks_after(dag_id, run_id, before, from_task) if from_task else _failed(before)
            if not wanted:
                raise nothing_failed(dag_id, run_id, before)
            count = runner.patience(lambda: runner.airflow.clear_tasks(dag_id, run_id, wanted))
        with console.interruptible(CONTINUES):
            if not as_json:
                console.out(f"Running {count} of {len(before.tasks)} tasks of {dag_id} again ({run_id}):")
            result = runner.finish(dag_id, run_id, runner.look(dag_id, run_id))
            if not as_json:
                runner.explain(result)
    if as_json:
        console.emit_json(result.to_dict())
    else:
        show_end(result)
    raise typer.Exit(console.SUCCESS if result.succeeded else console.FAILURE)


def _run_to_retry(runner: DagRunner, dag_id: str, *, any_state: bool) -> str:
    query: dict[str, Any] = {"order_by": "-id"} if any_state else {"order_by": "-id", "state": "failed"}
    found = runner.patience(lambda: runner.airflow.runs(dag_id, query, limit=1))
    if found:
        return str(found[0]["dag_run_id"])
    if any_state:
        raise NotFoundError(f"{dag_id} has not run yet.", f"Run it: `airfoil run {dag_id}`.")
    raise NotFoundError(f"No run of {dag_id} has failed.", f"Run it: `airfoil run {dag_id}`.")


def _failed(view: RunView) -> list[str | tuple[str, int]]:
    return [
        task.task_id if task.map_index < 0 else (task.task_id, task.map_index)
        for task in view.tasks
        if task.state in FAILED
    ]


def _tasks_after(dag_id: str, run_id: str, view: RunView, task_id: str) -> Sequence[str | tuple[str, int]]:
    known = list(dict.fromkeys(task.task_id for task in view.tasks))
    if task_id not in known:
        import difflib

        near = difflib.get_close_matches(task_id, known, n=1)
        move = f"Did you mean {near[0]}?" if near else f"Its tasks: {', '.join(known[:SHOWN_TASKS])}."
        raise NotFoundError(f"{dag_id} has no task {task_id}.", move)
    if not view.ended:
        raise ConfigurationError(
            f"The run {run_id} is still {view.state}.", "Wait for its end, or name another one with --run."
        )
    return [task_id]


def nothing_failed(dag_id: str, run_id: str, view: RunView) -> ConfigurationError:
    """Say that there is nothing to do, and what is possible instead."""
    return ConfigurationError(
        f"Nothing to retry: no task failed in the run {run_id} of {dag_id} ({view.state}).",
        f"To run a part of it again: `airfoil retry {dag_id} --run {run_id} --from TASK`.",
    )
