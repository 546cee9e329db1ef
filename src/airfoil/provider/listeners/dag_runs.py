"""Hears that a scheduler starts and that DAG runs end, and tells the keeper of MLflow runs.

It runs inside the scheduler's loop (and in the API server, when a person marks a DAG run): it must not block, not raise
and not ask anybody, neither MLflow nor the database.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

from airfoil.provider.run_keeper import RunKeeper

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun


class DagRunListener:
    """Tells a keeper what happens; one per process, and the same object in processes forked later."""

    def __init__(self, keeper: RunKeeper | None = None) -> None:
        """Take a keeper; nothing is started."""
        self.keeper = keeper or RunKeeper()

    @hookimpl
    def on_starting(self, component: Any) -> None:
        """Begin to look for MLflow runs that were left behind, in schedulers."""
        if is_scheduler(component, sys.argv):
            self.keeper.begin()

    @hookimpl
    def before_stopping(self, component: Any) -> None:
        """Stop looking; nobody waits for it."""
        if type(component).__name__ == "Job":
            self.keeper.end()

    @hookimpl
    def on_dag_run_success(self, dag_run: DagRun, msg: str) -> None:
        """Have the MLflow run of this DAG run closed."""
        del msg
        self._tell(dag_run)

    @hookimpl
    def on_dag_run_failed(self, dag_run: DagRun, msg: str) -> None:
        """Have the MLflow run of this DAG run closed."""
        del msg
        self._tell(dag_run)

    def _tell(self, dag_run: DagRun) -> None:
        with suppress(Exception):  # the scheduler's own work comes first; rounds find what is missed here
            self.keeper.settle_soon(dag_run.dag_id, dag_run.run_id)


def is_scheduler(component: Any, argv: list[str]) -> bool:
    """Whether a scheduler is starting.

    Schedulers, triggerers and DAG processors all announce a `Job` that does not know its kind yet (Airflow 3.3), so the
    command line decides; tasks that were forked from a scheduler have its command line and announce something else.
    """
    return type(component).__name__ == "Job" and argv[1:2] == ["scheduler"]
