"""What MLflow's own client is about to do here: its server, its experiment, and the parent of its next run.

Only for code that has imported mlflow already: it asks that library where it goes and with which login. Must not know
Airflow; whoever calls says to what in Airflow a run belongs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from airfoil.clients.exchange import API, Exchange, get
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import RunInfo, Runs

FORGET_FAILURE_SECONDS = 60.0


def tracking_server() -> MlflowServer | None:
    """Return the server that mlflow talks to, with the login it uses; None for a folder or a database."""
    import mlflow
    from mlflow.utils.credentials import read_mlflow_creds

    uri = mlflow.get_tracking_uri()
    if urlsplit(uri).scheme not in {"http", "https"}:
        return None
    login = read_mlflow_creds()
    return MlflowServer(
        uri=uri,
        username=login.username,
        password=login.password,
        token=os.environ.get("MLFLOW_TRACKING_TOKEN") or None,
        ca_file=os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None,
        tries=2,
    )


def active_experiment() -> str:
    """Return the id of the experiment that mlflow's next run goes into."""
    from mlflow.tracking import fluent

    return str(fluent._get_experiment_id())  # noqa: SLF001 - mlflow tells nobody else, and a test holds the name


def parent_in(experiment: str, key: RunKey, tags: Mapping[str, str]) -> Exchange[RunInfo]:
    """Return the run of a DAG run; if there is none it is made in the experiment with this id."""
    answer = yield from get(f"{API}/experiments/get", experiment_id=experiment)
    return (yield from Runs().parent(key, experiment=str(answer["experiment"]["name"]), tags=tags))


class Parents:
    """The parents that this process has asked for, so that a hundred runs in one task ask once."""

    def __init__(
        self,
        *,
        server: Callable[[], MlflowServer | None] = tracking_server,
        experiment: Callable[[], str] = active_experiment,
        connect: Callable[[MlflowServer], MlflowHttp] = MlflowHttp,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Know none yet."""
        self._server = server
        self._experiment = experiment
        self._connect = connect
        self._clock = clock
        self._known: dict[tuple[str, RunKey], str] = {}
        self._silent_until = 0.0

    def find(self, key: RunKey, tags: Mapping[str, str]) -> str:
        """Return the id of the run of a DAG run; empty where mlflow keeps runs in a folder, or just after a failure."""
        if self._clock() < self._silent_until:
            return ""
        server = self._server()
        if server is None:
            return ""
        place = (server.uri, key.parent)
        if place not in self._known:
            try:
                with self._connect(server) as http:
                    self._known[place] = http.do(parent_in(self._experiment(), key.parent, tags)).id
            except Exception:
                self._silent_until = self._clock() + FORGET_FAILURE_SECONDS
                raise
        return self._known[place]
