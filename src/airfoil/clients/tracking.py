"""One MLflow server as a task sees it: open the run of a DAG run or of a task, and log with the object that comes back.

Calls go over plain HTTP with ids passed explicitly; no active run, no environment variable, no global state. How a run
is found or made is `runs.py`'s business, what is logged `task_run.py`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self, TypeVar

from airfoil.clients.exchange import API, Exchange
from airfoil.clients.experiments import experiment_id
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import FIRST_TRY, Attempt, RunInfo, Runs
from airfoil.clients.task_run import MlflowRun

if TYPE_CHECKING:
    from airfoil.clients.claims import Claims
    from airfoil.clients.mlflow_http import MlflowHttp

T = TypeVar("T")


class Tracking:
    """Experiments and runs of one MLflow server. Close it, or use it in a `with` block."""

    def __init__(
        self,
        http: MlflowHttp,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        claims: Claims | None = None,
    ) -> None:
        """Keep the connection; nothing is sent yet."""
        self._http = http
        self._clock = clock
        self._pause = pause
        self.runs = Runs(claims, clock)
        """The runs of this server; carry its exchanges out with `do`."""

    def __enter__(self) -> Self:
        """Use the connection for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def uri(self) -> str:
        """The server's address."""
        return self._http.server.uri

    def close(self) -> None:
        """Close pooled connections."""
        self._http.close()

    def do(self, conversation: Exchange[T]) -> T:
        """Carry out an exchange and return its result."""
        return self._http.do(conversation)

    def check(self) -> None:
        """Ask for something that needs a working server, an accepted login and an allowed host; raise if not."""
        self._http.post(f"{API}/experiments/search", {"max_results": 1})

    def experiment_id(self, name: str) -> str:
        """Return the id of an experiment, which is created when it does not exist."""
        return self.do(experiment_id(name))

    def url_of(self, run: RunInfo) -> str:
        """The page of a run, for people."""
        return run.url_at(self._http.server.page)

    def open_dag_run(
        self,
        key: RunKey,
        *,
        experiment: str,
        tags: Mapping[str, str] | None = None,
        attempt: Attempt = FIRST_TRY,
        on_superseded: Callable[[RunInfo], None] | None = None,
    ) -> MlflowRun:
        """Open the run of a whole DAG run to log into it; the same one whoever asks."""
        info = self.do(self.runs.parent(key, experiment=experiment, tags=tags or {}, attempt=attempt))
        return self._opened(key.parent, info, on_superseded)

    def open_task(
        self,
        key: RunKey,
        *,
        experiment: str,
        fingerprint: str = "",
        tags: Mapping[str, str] | None = None,
        parent_tags: Mapping[str, str] | None = None,
        attempt: Attempt = FIRST_TRY,
        cached: str | None = None,
        on_superseded: Callable[[RunInfo], None] | None = None,
    ) -> MlflowRun:
        """Open the run of one task instance, below the run of its DAG run; both are made when there are none.

        It is the same run in every try while the fingerprint is the same. `cached` is the run's id, if somebody
        remembers it.
        """
        parent = self.do(self.runs.parent(key, experiment=experiment, tags=parent_tags or {}))
        info = self.do(
            self.runs.child(
                key,
                parent,
                fingerprint=fingerprint,
                tags=tags or {},
                cached=cached,
                attempt=attempt,
            )
        )
        return self._opened(key, info, on_superseded)

    def _opened(
        self, key: RunKey, info: RunInfo, on_superseded: Callable[[RunInfo], None] | None
    ) -> MlflowRun:
        return MlflowRun(
            self._http,
            self.runs,
            key,
            info,
            clock=self._clock,
            pause=self._pause,
            on_superseded=on_superseded,
        )
