"""Waiting for a DAG run: asks Airflow again and again, and keeps trying while it is away.

Knows no printing: what it sees goes to a `Telling`. Clock, sleep and client come from outside.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from airfoil.cli import follow
from airfoil.errors import NeighbourError, ServiceAnswerError, ServiceUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
PATIENCE_SECONDS = 120.0
RETRY_SECONDS = 1.0


class Airflow(Protocol):
    """The part of AirflowRest that following needs."""

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Get a run."""

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """List its task instances."""


class Telling(Protocol):
    """Who is told what happens."""

    def look(self, view: follow.RunView, changes: list[follow.Change]) -> None:
        """Hear of a new look at the run."""

    def notice(self, text: str) -> None:
        """Hear of something that is not the run itself."""


@dataclass(frozen=True)
class Patience:
    """Asks until there is an answer, for as long as a restart of the api-server may take."""

    notice: Callable[[str], None]
    is_running: Callable[[], bool] = lambda: True
    """Whether there is still a platform to wait for."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    limit_seconds: float = PATIENCE_SECONDS

    def __call__(self, ask: Callable[[], T], *, valid: bool = False) -> T:
        """Give the answer; `valid` says that the question itself is good, so that a refusal is worth another try."""
        transient = (ServiceUnreachableError, ServiceAnswerError) if valid else (ServiceUnreachableError,)
        away_since: float | None = None
        while True:
            try:
                answer = ask()
            except transient as error:
                now = self.clock()
                if away_since is None:
                    away_since = now
                    self.notice(f"Airflow does not answer; trying for up to {self.limit_seconds:.0f} s more.")
                if not self.is_running():
                    raise NeighbourError(
                        "The platform was stopped meanwhile.", "Start it again: `airfoil up`."
                    ) from error
                if now - away_since >= self.limit_seconds:
                    raise
                self.sleep(RETRY_SECONDS)
                continue
            if away_since is not None:
                self.notice(f"Airflow answers again after {self.clock() - away_since:.0f} s.")
            return answer


def follow_run(
    airflow: Airflow,
    dag_id: str,
    run_id: str,
    telling: Telling,
    *,
    patience: Patience,
    wall_clock: Callable[[], float] = time.time,
    before: follow.RunView | None = None,
) -> follow.RunView:
    """Tell everything that happens (since the look `before`) until the run has ended; give the last look."""
    began = patience.clock()
    while True:
        # The run first: when it has ended, the tasks asked for after it have their last states.
        run = patience(lambda: airflow.run(dag_id, run_id), valid=True)
        tasks = patience(lambda: airflow.task_instances(dag_id, run_id), valid=True)
        view = follow.look(run, tasks, wall_clock())
        telling.look(view, follow.changes(before, view))
        if view.ended:
            return view
        before = view
        patience.sleep(follow.poll_seconds(patience.clock() - began))


def trigger(
    airflow: Any,
    dag_id: str,
    conf: Mapping[str, Any],
    run_id: str,
    patience: Patience,
    logical_date: str | None = None,
) -> dict[str, Any]:
    """Create the run; asking again is safe because the run's id is ours."""
    return patience(lambda: dict(airflow.trigger(dag_id, conf, logical_date, run_id)))
