"""Runs a DAG and tells its story: find, unpause, trigger, follow, explain what failed. Shared by `run` and `demo`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from airfoil.cli import console, dag_search, follow, watch
from airfoil.cli.run_printer import RunPrinter, Silence
from airfoil.errors import AirfoilError, ServiceAnswerError
from airfoil.stack.page import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.cli.context import Invocation
    from airfoil.settings import Settings
    from airfoil.stack.airflow_rest import AirflowRest
    from airfoil.stack.project import Project
    from airfoil.stack.state import StackState

FAILED_LOG_LINES = 20
FAILED_TASKS_SHOWN = 5
REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class Result:
    """How a run ended, and where to look at it."""

    dag_id: str
    run_id: str
    view: follow.RunView
    airflow_url: str
    mlflow_url: str | None

    @property
    def succeeded(self) -> bool:
        """Whether the run ended well."""
        return self.view.state == "success"

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON object of `run --json`."""
        links = {"airflow_url": self.airflow_url, "mlflow_url": self.mlflow_url}
        return follow.outcome(self.dag_id, self.run_id, self.view, links)


class DagRunner:
    """Runs DAGs on one running platform."""

    def __init__(
        self,
        invocation: Invocation,
        project: Project,
        settings: Settings,
        state: StackState,
        *,
        quiet: bool = False,
    ) -> None:
        self._invocation = invocation
        self._project = project
        self._settings = settings
        self._state = state
        self._airflow: AirflowRest = invocation.airflow(project, state, REQUEST_SECONDS)
        self._printer: RunPrinter | Silence = Silence() if quiet else RunPrinter()
        self._patience = watch.Patience(self._printer.notice, self._is_running, sleep=invocation.sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._airflow.close()

    def start(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Create a run and give its id."""
        ready_at = self._state.ready_at or self._state.started_at
        folder = self._project.root / self._settings.airflow.dags
        dag = dag_search.find(self._airflow, dag_id, folder, ready_at, self._patience)
        if dag.get("is_paused"):
            self._patience(lambda: self._airflow.set_paused(dag_id, paused=False))
            self._printer.notice(f"{dag_id} was paused; it is not any more.")
        run_id = new_run_id()
        try:
            watch.trigger(self._airflow, dag_id, conf, run_id, self._patience)
        except ServiceAnswerError as error:
            page = f"{self._airflow.base_url}/dags/{quote(dag_id, safe='')}"
            raise ServiceAnswerError(error.message, f"What the DAG takes is told here: {page}") from error
        return run_id

    def finish(self, dag_id: str, run_id: str) -> Result:
        """Follow a run to its end."""
        with self._printer:
            view = watch.follow_run(self._airflow, dag_id, run_id, self._printer, patience=self._patience)
        return Result(
            dag_id, run_id, view, self.airflow_url(dag_id, run_id), self._mlflow_url(dag_id, run_id)
        )

    def explain(self, result: Result) -> None:
        """Print the end of each failed task's log and how to see all of it."""
        failed = result.view.failed_tasks
        for task in failed[:FAILED_TASKS_SHOWN]:
            console.out()
            console.out(f"Last lines of {result.dag_id}.{task.label} (try {task.try_number}):")
            for line in self._last_lines(result, task):
                console.out(f"  {line}")
            console.out(f"All of it: airfoil logs {quoted(f'{result.dag_id}.{task.label}')}")
        if len(failed) > FAILED_TASKS_SHOWN:
            console.out()
            console.out(f"{len(failed) - FAILED_TASKS_SHOWN} more tasks failed; see {result.airflow_url}")

    def airflow_url(self, dag_id: str, run_id: str) -> str:
        """Give the page of a run."""
        return f"{self._airflow.base_url}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe=':')}"

    def _last_lines(self, result: Result, task: follow.TaskView) -> list[str]:
        try:
            text = self._patience(
                lambda: self._airflow.task_log(
                    result.dag_id, result.run_id, task.task_id, task.try_number, task.map_index
                )
            )
        except AirfoilError as error:
            return [f"(the log cannot be read: {error})"]
        return text.splitlines()[-FAILED_LOG_LINES:] or ["(empty)"]

    def _mlflow_url(self, dag_id: str, run_id: str) -> str | None:
        """Find the run's MLflow page; a missing link is no reason to fail."""
        try:
            with self._invocation.mlflow(self._project, self._settings, self._state) as mlflow:
                found = mlflow.runs_of_dag_run(dag_id, run_id)
        except AirfoilError:
            return None
        # Newest first; the oldest is the one that the others belong to.
        return str(found[-1]["url"]) if found else None

    def _is_running(self) -> bool:
        return self._invocation.platform.current(self._project) is not None


def final_line(result: Result) -> str:
    """Say how it ended."""
    seconds = "" if result.view.seconds is None else f" after {wording.duration(result.view.seconds)}"
    return (
        f"{console.mark(result.view.state)} {result.dag_id}: {console.state_text(result.view.state)}{seconds}"
    )


def new_run_id() -> str:
    """Name a run as Airflow names manual ones, with a random end: two at the same moment are two runs."""
    return f"manual__{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}_{secrets.token_hex(4)}"


def quoted(text: str) -> str:
    """Quote for a shell where needed (`train[3]` is a pattern)."""
    import shlex

    return shlex.quote(text)
