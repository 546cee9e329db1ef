"""When a contender is truly ready: the same questions to everybody, asked from outside.

Airflow says that its database and all its components are healthy, with heartbeats of this start; the chain DAG is there
over REST; MLflow is healthy and answers a search; and the status page, where there is one, is healthy too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.airflow_api import AirflowApi, unhealthy
from benchmarks.contender import BenchmarkError, Contender, Endpoints

if TYPE_CHECKING:
    from benchmarks.running import Running

Check = Callable[[], bool]
_LOOK_SECONDS = 0.1
_WATCH_SECONDS = 0.5  # looking at all processes costs CPU that the contender needs
_ANSWER_SECONDS = 2.0
_TIMEOUT_SECONDS = 300.0
# What an answer that is not there yet, or not yet in order, looks like.
_NOT_YET = (httpx.HTTPError, OSError, KeyError, TypeError, ValueError)


def wait(contender: Contender, running: Running, dag_id: str) -> dict[str, float]:
    """Seconds from the start until each question was answered well; the largest is the time until all is ready."""
    while True:
        places = contender.endpoints
        found = _ask_everybody(contender, running, places, dag_id)
        if found is not None:
            break
    if strangers := places.ports - set(running.meter.listening().values()):
        raise BenchmarkError(f"{contender.label}: somebody else listens on {sorted(strangers)}.")
    return found


def _ask_everybody(
    contender: Contender, running: Running, places: Endpoints, dag_id: str
) -> dict[str, float] | None:
    """All servers side by side; None when the contender has meanwhile moved to other ports."""
    found: dict[str, float] = {}
    stop = threading.Event()
    api = AirflowApi(places.airflow, contender.password, _ANSWER_SECONDS)
    with api, httpx.Client(timeout=_ANSWER_SECONDS, trust_env=False) as client:
        tracks = list(_tracks(places, api, client, running.began_epoch, dag_id))
        threads = [threading.Thread(target=_follow, args=(track, running, found, stop)) for track in tracks]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                running.meter.look()
                running.check()
                if contender.endpoints != places:
                    return None
                if running.seconds > _TIMEOUT_SECONDS:
                    missing = [name for track in tracks for name in track if name not in found]
                    raise BenchmarkError(
                        f"{contender.label} is not ready after {_TIMEOUT_SECONDS:.0f} s, "
                        f"missing: {', '.join(missing)}.\n{running.tails()}"
                    )
                time.sleep(_WATCH_SECONDS)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    return found if contender.endpoints == places else None


def _follow(
    track: dict[str, Check], running: Running, found: dict[str, float], stop: threading.Event
) -> None:
    """Ask the questions of one server in order, each until it is answered well."""
    for name, check in track.items():
        while not stop.is_set() and not _holds(check):
            stop.wait(_LOOK_SECONDS)
        if stop.is_set():
            return
        found[name] = running.seconds


def _holds(check: Check) -> bool:
    try:
        return check()
    except _NOT_YET:
        return False


def _tracks(
    places: Endpoints, api: AirflowApi, client: httpx.Client, since_epoch: float, dag_id: str
) -> list[dict[str, Check]]:
    tracks: list[dict[str, Check]] = [
        {
            "airflow_healthy": lambda: not unhealthy(api.health(), since_epoch),
            "dag_visible": lambda: _is_visible(api.call("GET", f"/dags/{dag_id}")),
        },
        {
            "mlflow_healthy": lambda: client.get(f"{places.mlflow}/health").is_success,
            "mlflow_answers": lambda: _searches(client, places.mlflow),
        },
    ]
    if places.page is not None:
        page = f"{places.page}/healthz"
        tracks.append({"page_healthy": lambda: client.get(page).raise_for_status().json()["status"] == "ok"})
    return tracks


def _is_visible(dag: Any) -> bool:
    return not dag["is_stale"] and not dag["has_import_errors"]


def _searches(client: httpx.Client, url: str) -> bool:
    path = f"{url}/api/2.0/mlflow/experiments/search"
    return bool(client.post(path, json={"max_results": 10}).raise_for_status().json()["experiments"])
