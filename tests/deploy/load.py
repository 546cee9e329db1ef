"""The load of the benchmark on a server that runs: its DAG, its runs, and what the tasks themselves wrote down."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.airflow_api import AirflowApi
from benchmarks.compose_load import DAG, PEER_FOLDER, TASKS

if TYPE_CHECKING:
    from tests.deploy.compose_server import Server

PATIENT = "patient"
LEDGER = "/opt/airflow/work/load"
SHOW_SECONDS = 120
_PAGE = 100


def deliver(server: Server) -> None:
    """Put the DAG into the project, and wait until Airflow knows it."""
    shutil.copy(PEER_FOLDER / "load.py", server.folder.parents[1] / "dags" / "load.py")
    wait_for_dag(server, DAG)


def deliver_patient(server: Server) -> None:
    """The same as a DAG of its own, whose tasks are tried again: their workers are going to be killed."""
    text = (PEER_FOLDER / "load.py").read_text(encoding="utf-8")
    words = {
        "def load(": f"def {PATIENT}(",
        "\nload()": f"\n{PATIENT}()",
        "@task\n": "@task(retries=6, retry_delay=2)\n",
    }
    for old, new in words.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (server.folder.parents[1] / "dags" / f"{PATIENT}.py").write_text(text, encoding="utf-8")
    wait_for_dag(server, PATIENT)


def wait_for_dag(server: Server, dag: str) -> None:
    """Wait until Airflow knows a DAG."""
    deadline = time.monotonic() + SHOW_SECONDS
    while not any(one["dag_id"] == dag for one in server.api("GET", f"/dags?dag_id_pattern={dag}")["dags"]):
        assert time.monotonic() < deadline, f"{dag} did not appear"
        time.sleep(1)


@contextmanager
def asked(server: Server) -> Iterator[AirflowApi]:
    """Airflow's API past a proxy that may be down."""
    name, password = server.login
    with AirflowApi(
        f"http://{server.address('airflow-api-server')}:8080", lambda: password, username=name
    ) as airflow:
        yield airflow


def states(airflow: AirflowApi, names: list[str], dag: str = DAG) -> dict[str, str]:
    """How each run stands."""
    found: dict[str, str] = {}
    for offset in range(0, 10_000, _PAGE):
        query = {"limit": _PAGE, "offset": offset, "order_by": "-id"}
        page = airflow.insist("GET", f"/dags/{dag}/dagRuns", params=query)["dag_runs"]
        found |= {one["dag_run_id"]: one["state"] for one in page}
        if len(page) < _PAGE or set(names) <= set(found):
            return {name: found.get(name, "lost") for name in names}
    raise AssertionError("more runs than were asked for")


def tries_of(server: Server, names: list[str]) -> Counter[str]:
    """How often each task of these runs has run, by its own word."""
    return Counter(line.rpartition(" ")[0] for line in ledger(server, names))


def ledger(server: Server, names: list[str]) -> list[str]:
    """A line for each time that a task of these runs ran: run, task, try."""
    text = server.compose("exec", "-T", "airflow-worker", "cat", LEDGER)
    wanted = set(names)
    return [line for line in text.splitlines() if line.partition(" ")[0] in wanted]


def all_tasks(names: list[str]) -> set[str]:
    """What must have run."""
    return {f"{name} note_{number}" for name in names for number in range(TASKS)}
