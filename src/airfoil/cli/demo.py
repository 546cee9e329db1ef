"""`airfoil demo`: start the platform, run the example DAGs, kill a training on the way, show what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from airfoil.cli import console, platform
from airfoil.cli.context import Invocation
from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from airfoil.cli.demo_crash import Crash

TRAINING_DAG = "example_dag"
TRAINING = "train_wine_classifier"
MODEL = "wine"
DAGS = ("simple_test_dag", TRAINING_DAG)
GOES_ON = (
    "The platform and runs that were started go on: `airfoil status` shows them, `airfoil down` stops all."
)


def demo(context: typer.Context) -> None:
    """Start the platform, run the example DAGs, and kill a training on the way.

    Ends with what the kill left in MLflow, the runs, addresses and logins, the memory in use and three next commands;
    the platform goes on running.
    """
    began = time.monotonic()
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    missing = [dag for dag in DAGS if not (project.root / settings.airflow.dags / f"{dag}.py").exists()]
    if missing:
        raise ConfigurationError(
            f"This project has no {' and no '.join(missing)}, which the demo runs.",
            "Make one that has: `airfoil init DIR`, then `airfoil demo` in it.",
        )
    state = platform.start_platform(invocation, project, settings)

    from datetime import UTC, datetime

    from airfoil.cli import demo_end, summary
    from airfoil.cli.dag_runner import DagRunner, Result, final_line
    from airfoil.cli.demo_crash import Crash
    from airfoil.clients.claims import Claims
    from airfoil.clients.ledger import Ledger
    from airfoil.clients.run_keys import RunKey
    from airfoil.stack.page import wording

    results: list[Result] = []
    with (
        console.interruptible(GOES_ON),
        DagRunner(invocation, project, settings, state) as runner,
        invocation.mlflow_http(project, settings, state) as mlflow,
    ):
        # Both at once: the second runs while the first is watched.
        run_ids = {dag_id: runner.start(dag_id, {}) for dag_id in DAGS}
        key = RunKey(TRAINING_DAG, run_ids[TRAINING_DAG], TRAINING)
        crash = Crash(runner.airflow, mlflow, state.manager_pid, key, invocation.sleep)
        _show_crash(crash, ours="airflow" not in state.foreign)
        for dag_id, run_id in run_ids.items():
            console.out(f"\nRunning {dag_id}")
            result = runner.finish(dag_id, run_id)
            runner.explain(result)
            console.out(final_line(result))
            results.append(result)
        left = crash.aftermath(MODEL)
        held = demo_end.show_aftermath(left, TRAINING, MODEL, mlflow.server.uri)
        demo_end.show_champions(mlflow, Ledger(Claims()), datetime.now(UTC).astimezone())
    console.out()
    console.table(
        ("DAG", "STATE", "TOOK", "MLFLOW RUN"),
        [
            (
                result.dag_id,
                result.view.state,
                "" if result.view.seconds is None else wording.duration(result.view.seconds),
                result.mlflow_url or "",
            )
            for result in results
        ],
        right=("TOOK",),
    )
    console.out()
    summary.show_addresses(project, settings, state)
    demo_end.show_memory(state)
    demo_end.show_next()
    succeeded = held and all(result.succeeded for result in results)
    end = "Demo done" if succeeded else "Demo ended with a failure"
    console.out(
        f"\n{end} after {wording.duration(time.monotonic() - began)}. The platform goes on: `airfoil down` stops it."
    )
    raise typer.Exit(console.SUCCESS if succeeded else console.FAILURE)


def _show_crash(crash: Crash, *, ours: bool) -> None:
    if not ours:
        console.note("The training runs on an Airflow that is not ours: it is not killed.")
        return
    pid = crash.happen()
    if pid is None:
        console.note(f"{TRAINING} was over before it could be killed.")
        return
    console.out(f"kill -9 {pid}: {TRAINING} is dead in the middle of its work, as after a crash.")
