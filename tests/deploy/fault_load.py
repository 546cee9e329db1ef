"""A load that is kept alive while parts of a server die, and what must be true of it afterwards.

It asks Airflow inside the private network, as a program on the server would; an answer that does not come is asked for
again, with the same run id.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
import uuid
from collections import Counter, defaultdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx
from tests.deploy import alerting, engine, load

if TYPE_CHECKING:
    from tests.deploy.compose_server import Server

DAG = "faults"
TASKS = ("nap_0", "nap_1", "register", "train", "wait")
NOTED = {"nap_0", "nap_1", "train"}
IN_FLIGHT = 3
"""Runs under way at any time: as soon as one has ended, another is asked for."""
LOOK_SECONDS = 1.0
SLOTS = 32
"""AIRFLOW_PARALLELISM, where nobody has set it."""
ENDED = {"success", "failed"}
LATE_SECONDS = 120.0
"""The run of MLflow that stands for a DAG run is closed a moment after it; by the reaper within a minute."""
TOLERATED = (httpx.HTTPError, AssertionError, ValueError, KeyError)


def deliver(server: Server) -> None:
    """Put the DAG into the project, and wait until Airflow knows it."""
    shutil.copy(Path(__file__).with_name("fault_dag.py"), server.folder.parents[1] / "dags" / "faults.py")
    load.wait_for_dag(server, DAG)


class Load:
    """Runs that are asked for as long as the block lasts; `names` is all of them."""

    def __init__(self, server: Server, in_flight: int = IN_FLIGHT) -> None:
        self._server = server
        self._in_flight = in_flight
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, daemon=True)
        self._prefix = uuid.uuid4().hex[:8]
        self.names: list[str] = []

    def __enter__(self) -> Self:
        """Ask for the first."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ask for no more."""
        self._stop.set()
        self._thread.join(60)

    def _keep_alive(self) -> None:
        open_runs: set[str] = set()
        while not self._stop.is_set():
            try:
                with load.asked(self._server) as airflow:
                    while not self._stop.wait(LOOK_SECONDS):
                        for name in list(open_runs):
                            if airflow.call("GET", f"/dags/{DAG}/dagRuns/{name}")["state"] in ENDED:
                                open_runs.discard(name)
                        while len(open_runs) < self._in_flight:
                            self._ask(airflow, open_runs)
            except TOLERATED:  # whatever of the server is down just now
                self._stop.wait(LOOK_SECONDS)

    def _ask(self, airflow: Any, open_runs: set[str]) -> None:
        name = f"{self._prefix}-{len(self.names):04}"
        body = {"logical_date": None, "dag_run_id": name}
        try:
            airflow.call("POST", f"/dags/{DAG}/dagRuns", json=body)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 409:  # it was heard, the answer was lost
                raise
        self.names.append(name)
        open_runs.add(name)

    def ended_tasks(self) -> int:
        """How many bodies have come to their end, by their own word."""
        return sum(line["event"] == "end" for line in self.ledger())

    def ledger(self) -> list[dict[str, Any]]:
        """What the tasks of this load wrote, read on the machine: no container is needed for it."""
        volume = f"{self._server.variables['COMPOSE_PROJECT_NAME']}_work"
        path = Path(json.loads(engine.docker("volume", "inspect", volume))[0]["Mountpoint"]) / "faults"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [row for row in map(json.loads, lines) if row["run"].startswith(self._prefix)]

    def wait_until_ended(self, seconds: float) -> dict[str, str]:
        """Wait until every run has ended; how."""
        return until_ended(self._server, self.names, DAG, seconds)

    def further_tries(self) -> int:
        """How many bodies began that were not the first try."""
        return sum(line["event"] == "begin" and line["try"] > 1 for line in self.ledger())

    def faults(self, states: dict[str, str]) -> list[str]:
        """What is not as it should be, now that all has ended."""
        wrong = [f"{name} is {state}" for name, state in states.items() if state != "success"]
        records = Records(self._server).faults(set(self.names))
        return [*wrong, *self._tasks_at_fault(), *records, *self._slots_at_fault()]

    def _slots_at_fault(self) -> list[str]:
        """Slots of the scheduler that tasks hold which have ended: a server would do less and less."""
        deadline = time.monotonic() + LATE_SECONDS
        found: object = None
        while time.monotonic() < deadline:
            try:
                found = alerting.values(self._server, "airflow_executor_open_slots")
            except OSError as error:
                found = error
            if found == [SLOTS]:
                return []
            time.sleep(2)
        return [f"open slots: {found}"]

    def _tasks_at_fault(self) -> list[str]:
        ends: dict[tuple[str, str], int] = defaultdict(int)
        begins: Counter[tuple[str, str, int]] = Counter()
        for line in self.ledger():
            ends[line["run"], line["task"]] += line["event"] == "end"
            if line["event"] == "begin":
                begins[line["run"], line["task"], line["try"]] += 1
        wanted = {(name, task) for name in self.names for task in NOTED}
        lost = [f"{task} of {name} never ended" for name, task in sorted(wanted) if not ends[name, task]]
        twice = [
            f"try {key[2]} of {key[1]} of {key[0]} began {n} times" for key, n in begins.items() if n > 1
        ]
        return lost + twice


class Batch:
    """The load of the benchmark, all runs asked for at once; its tasks are tried again, for their workers die."""

    def __init__(self, server: Server, runs: int) -> None:
        load.deliver_patient(server)
        self._server = server
        self.names = [f"{uuid.uuid4().hex[:8]}-{number:04}" for number in range(runs)]
        with load.asked(server) as airflow:
            for name in self.names:
                airflow.trigger(load.PATIENT, name)

    def wait_until_ended(self, seconds: float) -> dict[str, str]:
        """Wait until every run has ended; how."""
        return until_ended(self._server, self.names, load.PATIENT, seconds)

    def further_tries(self) -> int:
        """How many bodies ran that were not the first try."""
        return sum(not line.endswith(" 1") for line in self._lines())

    def faults(self, states: dict[str, str]) -> list[str]:
        """What is not as it should be, now that all has ended."""
        lines = self._lines()
        unwell = [f"{name} is {state}" for name, state in states.items() if state != "success"]
        twice = [f"{line} ran {n} times" for line, n in Counter(lines).items() if n > 1]
        ran = {line.rpartition(" ")[0] for line in lines}
        return [*unwell, *twice, *sorted(load.all_tasks(self.names) - ran)]

    def _lines(self) -> list[str]:
        return load.ledger(self._server, self.names)


def until_ended(server: Server, names: list[str], dag: str, seconds: float) -> dict[str, str]:
    """Wait until every one of these runs has ended; how. An answer that does not come is asked for again."""
    deadline = time.monotonic() + seconds
    found: dict[str, str] = {}
    while not found or not set(found.values()) <= ENDED:
        late = [name for name, state in found.items() if state not in ENDED]
        if time.monotonic() > deadline:
            open_tasks = {name: server.tasks(dag, name) for name in late[:5]}
            raise AssertionError(f"{Counter(found.values())} after {seconds:.0f} s: {open_tasks}")
        try:
            with load.asked(server) as airflow:
                found = load.states(airflow, names, dag)
        except TOLERATED:
            found = {}
        time.sleep(1)
    return found


class Records:
    """What MLflow and the S3 store hold of the runs of a load."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def faults(self, names: set[str]) -> list[str]:
        """Runs left RUNNING, versions that are missing or there twice, artifacts that are lost or other than said."""
        (experiment,) = [
            one["experiment_id"]
            for one in self._server.mlflow("experiments/search", max_results=1000)["experiments"]
            if one["name"] == DAG
        ]
        deadline = time.monotonic() + LATE_SECONDS
        while orphans := [one for one in self._runs(experiment) if one["info"]["status"] == "RUNNING"]:
            if time.monotonic() > deadline:
                break
            time.sleep(2)
        trained = {
            one["info"]["run_id"]: one
            for one in self._runs(experiment)
            if _tag(one, "airflow.run_id") in names and _param(one, "digest")
        }
        wrong = [f"{one['info']['run_name']} is RUNNING" for one in orphans]
        by_run = Counter(_tag(one, "airflow.run_id") for one in trained.values())
        wrong += [f"{by_run[name]} trainings of {name}" for name in sorted(names) if by_run[name] != 1]
        versions = Counter(one["run_id"] for one in self._versions())
        wrong += [f"{versions[run]} versions of run {run}" for run in trained if versions[run] != 1]
        with self._server.client(auth=self._server.mlflow_login) as client:
            for run, one in trained.items():
                wrong += self._artifacts_at_fault(client, run, one)
        return wrong

    def _artifacts_at_fault(self, client: httpx.Client, run: str, one: dict[str, Any]) -> list[str]:
        answer = client.get("/mlflow/get-artifact", params={"run_uuid": run, "path": "content.txt"})
        if not answer.is_success:
            return [f"content.txt of {run}: {answer.status_code}"]
        if hashlib.sha256(answer.content).hexdigest() != _param(one, "digest"):
            return [f"content.txt of {run} is another"]
        return []

    def _runs(self, experiment: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            page = self._server.mlflow(
                "runs/search", experiment_ids=[experiment], max_results=1000, page_token=token
            )
            found += page.get("runs", [])
            token = page.get("next_page_token", "")
            if not token:
                return found

    def _versions(self) -> list[dict[str, Any]]:
        with self._server.client(auth=self._server.mlflow_login) as client:
            answer = client.get(
                "/mlflow/api/2.0/mlflow/model-versions/search",
                params={"filter": f"name='{DAG}'", "max_results": 10_000},
            )
        assert answer.is_success, answer.text[:1000]
        return list(answer.json().get("model_versions", []))


def _tag(run: dict[str, Any], name: str) -> str:
    return {one["key"]: one["value"] for one in run["data"].get("tags", [])}.get(name, "")


def _param(run: dict[str, Any], name: str) -> str:
    return {one["key"]: one["value"] for one in run["data"].get("params", [])}.get(name, "")
