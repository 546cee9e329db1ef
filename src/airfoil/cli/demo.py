"""`airfoil demo`: start the platform, run the example DAGs, show where everything is."""

import time

import typer

from airfoil.cli import console, platform
from airfoil.cli.context import Invocation
from airfoil.errors import ConfigurationError

DAGS = ("simple_test_dag", "example_dag")
GOES_ON = (
    "The platform and runs that were started go on: `airfoil status` shows them, `airfoil down` stops all."
)


def demo(context: typer.Context) -> None:
    """Start the platform and run the example DAGs.

    Ends with a table of the runs, addresses and logins; the platform goes on running.
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

    from airfoil.cli import summary
    from airfoil.cli.dag_runner import DagRunner, Result, final_line
    from airfoil.stack.page import wording

    results: list[Result] = []
    with console.interruptible(GOES_ON), DagRunner(invocation, project, settings, state) as runner:
        # Both at once: the second runs while the first is watched.
        run_ids = {dag_id: runner.start(dag_id, {}) for dag_id in DAGS}
        for dag_id, run_id in run_ids.items():
            console.out(f"\nRunning {dag_id}")
            result = runner.finish(dag_id, run_id)
            runner.explain(result)
            console.out(final_line(result))
            results.append(result)
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
    succeeded = all(result.succeeded for result in results)
    end = "Demo done" if succeeded else "Demo ended with a failed run"
    console.out(
        f"\n{end} after {wording.duration(time.monotonic() - began)}. The platform goes on: `airfoil down` stops it."
    )
    raise typer.Exit(console.SUCCESS if succeeded else console.FAILURE)
