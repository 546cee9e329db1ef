"""Runs a DAG and tells its story: find, unpause, trigger, follow, explain what failed. Shared by `run` and `demo`."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from airfoil.cli import console, dag_search, follow, watch
from airfoil.cli.failure_story import FailureStory
from airfoil.cli.run_printer import RunPrinter, Silence
from airfoil.errors import AirfoilError, NotFoundError, ServiceAnswerError
from airfoil.stack.page import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airfoil.cli.context import Invocation
    from airfoil.settings import Settings
    from airfoil.stack.airflow_rest import AirflowRest
    from airfoil.stack.project import Project
    from airfoil.stack.state import StackState

REQUEST_SECONDS = 10.0
_SCHEMA = re.compile(r"\s+Failed validating '.*(?=\)\.$)", re.DOTALL)
"""What Airflow says after the sentence about a parameter: its schema, in which a mistake is hard to find."""


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
        self.story = FailureStory(self._airflow, self._patience, project.root)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._airflow.close()

    @property
    def airflow(self) -> AirflowRest:
        """The platform's Airflow."""
        return self._airflow

    @property
    def patience(self) -> watch.Patience:
        """How to ask it."""
        return self._patience

    @property
    def notice(self) -> Callable[[str], None]:
        """Where to say what is not about a task."""
        return self._printer.notice

    def prepare(self, dag_id: str) -> dict[str, Any]:
        """Find the DAG as its file is now, and see to it that its runs run."""
        ready_at = self._state.ready_at or self._state.started_at
        dag = self._find(dag_id, ready_at)
        if dag.get("is_paused"):
            self._patience(lambda: self._airflow.set_paused(dag_id, paused=False))
            self._printer.notice(f"{dag_id} was paused; it is not any more.")
        return dag

    def start(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Create a run and give its id."""
        self.prepare(dag_id)
        return self.trigger(dag_id, conf, new_run_id())

    def trigger(
        self, dag_id: str, conf: Mapping[str, Any], run_id: str, logical_date: str | None = None
    ) -> str:
        """Create a run of a DAG that is prepared; give its id."""
        try:
            watch.trigger(self._airflow, dag_id, conf, run_id, self._patience, logical_date)
        except ServiceAnswerError as error:
            page = f"{self._airflow.base_url}/dags/{quote(dag_id, safe='')}"
            said = _SCHEMA.sub("", error.message)
            raise ServiceAnswerError(said, f"What the DAG takes is told here: {page}") from error
        return run_id

    def _find(self, dag_id: str, ready_at: float) -> dict[str, Any]:
        url = self._state.foreign.get("airflow")
        if url is None:
            folder = self._project.root / self._settings.airflow.dags
            return dag_search.find(self._airflow, dag_id, folder, ready_at, self._patience)
        try:  # it reads other files than ours: there is nothing to wait for
            return dag_search.find(self._airflow, dag_id, Path(os.devnull), 0.0, self._patience)
        except NotFoundError as error:
            move = (
                f"{error.next_move} The DAG folder of this project is not deployed to {url}; do that first."
            )
            raise NotFoundError(f"The Airflow at {url} has no DAG {dag_id}.", move) from error

    def finish(self, dag_id: str, run_id: str, before: follow.RunView | None = None) -> Result:
        """Follow a run to its end; with an earlier look, only what has changed since is told."""
        with self._printer:
            view = watch.follow_run(
                self._airflow, dag_id, run_id, self._printer, patience=self._patience, before=before
            )
        return self.result(dag_id, run_id, view)

    def result(self, dag_id: str, run_id: str, view: follow.RunView) -> Result:
        """Tell how a run ended, with the links to it."""
        return Result(
            dag_id, run_id, view, self.airflow_url(dag_id, run_id), self._mlflow_url(dag_id, run_id)
        )

    def look(self, dag_id: str, run_id: str) -> follow.RunView:
        """Look at a run once."""
        run = self._patience(lambda: self._airflow.run(dag_id, run_id))
        tasks = self._patience(lambda: self._airflow.task_instances(dag_id, run_id))
        return follow.look(run, tasks, time.time())

    def explain(self, result: Result) -> None:
        """Print why each failed task failed, the end of its log, and how to see all of it."""
        self.story.tell(result.dag_id, result.run_id, result.view.failed_tasks, result.airflow_url)

    def airflow_url(self, dag_id: str, run_id: str) -> str:
        """Give the page of a run."""
        return f"{self._airflow.base_url}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe=':')}"

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


def show_end(result: Result) -> None:
    """Print how it ended, where to look at it, and what to type when it failed."""
    console.out(final_line(result))
    console.out(f"  Airflow  {result.airflow_url}")
    if result.mlflow_url:
        console.out(f"  MLflow   {result.mlflow_url}")
    if not result.succeeded:
        console.out(f"  Retry    {retry_command(result.dag_id, result.run_id)}")


def retry_command(dag_id: str, run_id: str) -> str:
    """Give what runs the failed tasks again."""
    return f"airfoil retry {shlex.quote(dag_id)} --run {shlex.quote(run_id)}"


def new_run_id() -> str:
    """Name a run as Airflow names manual ones, with a random end: two at the same moment are two runs."""
    return f"manual__{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}_{secrets.token_hex(4)}"
