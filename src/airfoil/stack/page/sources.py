"""Where the page's knowledge comes from: state.json, Airflow, MLflow, and the processes of this machine.

The only part of the page with I/O to others. Three rules keep it cheap and polite: a file is read again only when it
changed, a neighbour is asked at most every other second and only when somebody wants to know, and nobody waits for a
slow one (the last answer is shown while the next one is on its way, in a thread).
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from airfoil.errors import AirfoilError, redact
from airfoil.stack import memory, process, secrets
from airfoil.stack import state as states
from airfoil.stack.page import facts, status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from airfoil.stack.page.facts import AirflowFacts, Facts, MlflowFacts
    from airfoil.stack.page.status import Status
    from airfoil.stack.project import Project
    from airfoil.stack.state import ServiceState, StackState

T = TypeVar("T")
NEIGHBOUR_TIMEOUT_SECONDS = 2.0
MAX_AGE_SECONDS = 2.0
ROWS = 8
ANSWERING = frozenset({"ready", "unhealthy"})
HIDDEN = "•••"
SHORTEST_SECRET = 8
"""Shorter values are no secrets of ours, and hiding them would tear words apart."""


class AirflowClient(Protocol):
    """What the page asks Airflow (airfoil.stack.airflow_rest.AirflowRest)."""

    def recent_runs(self, limit: int) -> list[dict[str, Any]]:
        """List the newest runs."""

    def import_errors(self) -> list[dict[str, Any]]:
        """List DAG files that do not import."""

    def close(self) -> None:
        """Close connections."""


class MlflowClient(Protocol):
    """What the page asks MLflow (airfoil.stack.mlflow_rest.MlflowRest)."""

    def latest_runs(self, limit: int) -> list[dict[str, Any]]:
        """List the newest runs."""

    def model_versions(self, limit: int) -> list[dict[str, Any]]:
        """List the newest model versions."""

    def close(self) -> None:
        """Close connections."""


class StateFile:
    """state.json, parsed again only when it changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._state: StackState | None = None

    def read(self) -> StackState | None:
        """Give the state, or None when there is no readable one."""
        try:
            stat = self._path.stat()
        except OSError:
            self._seen = self._state = None
            return None
        seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if seen != self._seen:
            self._state = states.load(self._path)
            self._seen = seen
        return self._state


class Latest(Generic[T]):
    """The last answer of something slow, asked again in a thread when it is too old; nobody waits longer than he wants."""

    def __init__(
        self, first: T, executor: ThreadPoolExecutor, max_age_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._value = first
        self._executor = executor
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._fetched_at: float | None = None
        self._pending: asyncio.Future[T] | None = None

    @property
    def value(self) -> T:
        """The last answer, without asking."""
        return self._value

    async def ask(self, fetch: Callable[[T], T], patience_seconds: float) -> T:
        """Give an answer that is new enough, or the last one if the new one takes too long. `fetch` gets the last one."""
        old = self._fetched_at is None or self._clock() - self._fetched_at >= self._max_age_seconds
        if self._pending is None and old:
            loop = asyncio.get_running_loop()
            self._pending = loop.run_in_executor(self._executor, fetch, self._value)
            self._pending.add_done_callback(self._arrived)
        if self._pending is not None:
            await asyncio.wait({self._pending}, timeout=patience_seconds)
        return self._value

    def _arrived(self, answer: asyncio.Future[T]) -> None:
        self._pending = None
        self._fetched_at = self._clock()
        if not answer.cancelled():
            self._value = answer.result()


class Neighbours:
    """Asks Airflow and MLflow, one connection each, made anew when the address changes."""

    def __init__(
        self,
        connect_airflow: Callable[[str], AirflowClient],
        connect_mlflow: Callable[[str], MlflowClient],
        clean: Callable[[str], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._connect_airflow = connect_airflow
        self._connect_mlflow = connect_mlflow
        self._clean = clean
        self._clock = clock
        self._airflow: tuple[str, AirflowClient] | None = None
        self._mlflow: tuple[str, MlflowClient] | None = None

    def ask_airflow(self, url: str, last: AirflowFacts) -> AirflowFacts:
        """Blocks. On failure the last lists stay and the error says why."""
        try:
            if self._airflow is None or self._airflow[0] != url:
                if self._airflow is not None:
                    self._airflow[1].close()
                self._airflow = (url, self._connect_airflow(url))
            client = self._airflow[1]
            runs = facts.dag_runs(client.recent_runs(ROWS), url)
            errors = facts.import_problems(client.import_errors())
        except AirfoilError as error:
            # A password may have changed with a new stack: log in from scratch next time.
            self._drop_airflow()
            return dataclasses.replace(last, error=self._clean(error.message), next_move=error.next_move)
        errors = tuple(facts.ImportProblem(one.file, self._clean(one.message)) for one in errors)
        return facts.AirflowFacts(answered_at=self._clock(), runs=runs, import_errors=errors)

    def ask_mlflow(self, url: str, last: MlflowFacts) -> MlflowFacts:
        """Blocks. On failure the last lists stay and the error says why."""
        try:
            if self._mlflow is None or self._mlflow[0] != url:
                if self._mlflow is not None:
                    self._mlflow[1].close()
                self._mlflow = (url, self._connect_mlflow(url))
            client = self._mlflow[1]
            runs = facts.tracked_runs(client.latest_runs(ROWS))
            models = facts.model_versions(client.model_versions(ROWS))
        except AirfoilError as error:
            self._drop_mlflow()
            return dataclasses.replace(last, error=self._clean(error.message), next_move=error.next_move)
        return facts.MlflowFacts(answered_at=self._clock(), runs=runs, models=models)

    def _drop_airflow(self) -> None:
        if self._airflow is not None:
            self._airflow[1].close()
        self._airflow = None

    def _drop_mlflow(self) -> None:
        if self._mlflow is not None:
            self._mlflow[1].close()
        self._mlflow = None
