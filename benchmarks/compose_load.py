"""Two hundred DAG runs of ten tasks at once on two Celery workers: our server beside Airflow's own Compose file.

`python -m benchmarks.compose_load`, or `make bench NAME=compose_load`. Needs Docker, and our images built
(`docker compose build` in deploy/compose). One side after the other; nothing else may run meanwhile.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import statistics
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airfoil.stack.deploy import env_file
from benchmarks import machine, result
from benchmarks.airflow_api import AirflowApi, moment
from benchmarks.containers import Containers, run
from benchmarks.contender import BenchmarkError
from benchmarks.progress import Progress
from benchmarks.result import Figure, Goal, Result, Side
from benchmarks.trial import hold, options_of

NAME = "compose_load"
RUNS, TASKS, WORKERS, CONCURRENCY, PARALLELISM = 200, 10, 2, 4, 32
MOST_OF_PEER = 1 / 1.5
"""Seconds a task, of the peer's."""
HERE = Path(__file__).parent
ROOT = HERE.parent
PEER_FOLDER = HERE / "compose_peer"
PEER_IMAGE = "airfoil-load-peer"
DAG, ENDED = "load", {"success", "failed"}
_PAGE = 100
_WARM_RUNS = 4
_LOOK_SECONDS = 2.0
_DEADLINE_SECONDS = 3600.0
SERVICES = (
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "airflow-worker",
)
FIGURES = (
    Figure("tasks_per_second", "Tasks a second", "", 2, is_plotted=True),
    Figure("seconds", "All of them", "s", 1),
    Figure("queued_p95_seconds", "From queued to started, 95 % within", "s", 1, is_plotted=True),
    Figure("cpu_seconds_per_task", "Processor time a task, of all containers", "s", 3, is_plotted=True),
    Figure("lost", "Tasks without a trace", "", 0),
    Figure("twice", "Tasks that ran twice", "", 0),
)
LEAD = (
    "Ten tasks in each of two hundred runs, all asked for at once; each writes one line into a file, so that what ran "
    "is known without asking Airflow. Two Celery workers with four processes each, the same database and limits."
)
NOTES = (
    (
        "The peer has the services, settings and commands of the Compose file in Airflow's documentation, on the same "
        "base image and versions; where that file says nothing, both sides are given the same."
    ),
    "Ours stores the logs of tasks in S3 and counts metrics meanwhile; the peer keeps logs on a volume.",
    (
        "Airflow's supervisor sleeps up to five seconds with its slot taken where a task's sockets close a moment "
        "before its process is gone. Ours wakes at the end of the process; that is most of the difference in time."
    ),
    "A few runs go first on both sides, so that nobody's first task is in the figures.",
)


@dataclass(frozen=True)
class Load:
    """What came of the runs of one side."""

    seconds: float
    cpu_seconds: float
    queued_seconds: Sequence[float]
    ledger: Sequence[str]
    """A line for each time that a task ran."""
    states: Mapping[str, int]
    """Runs by how they ended."""
    wanted: int

    @property
    def lost(self) -> int:
        """Tasks that never ran, or whose run did not end well."""
        unwell = sum(count for state, count in self.states.items() if state != "success")
        return max(self.wanted - len(set(self._tasks())), unwell)

    @property
    def twice(self) -> int:
        """Tasks that ran more than once."""
        return sum(1 for count in Counter(self._tasks()).values() if count > 1)

    def figures(self) -> dict[str, float]:
        """As the report shows them."""
        return {
            "tasks_per_second": self.wanted / self.seconds,
            "seconds": self.seconds,
            "queued_p95_seconds": statistics.quantiles(self.queued_seconds, n=20)[-1],
            "cpu_seconds_per_task": self.cpu_seconds / self.wanted,
            "lost": float(self.lost),
            "twice": float(self.twice),
        }

    def _tasks(self) -> list[str]:
        return [line.rpartition(" ")[0] for line in self.ledger]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the line, keep and publish a full-size result."""
    return hold(NAME, _compare, _options(arguments))


def _compare(folder: Path, scale: float, say: Progress) -> Result:
    runs = max(2, round(RUNS * scale))
    found: dict[str, Load] = {}
    for side, measure in ((result.OURS, measure_ours), (result.PEER, measure_peer)):
        found[side] = measure(folder / side, runs, say)
        say(f"{side}: {found[side].figures()}")
    return assemble(found, runs)


def assemble(found: Mapping[str, Load], runs: int) -> Result:
    """The result of both sides."""
    numbers = {side: load.figures() for side, load in found.items()}
    share = numbers[result.OURS]["seconds"] / numbers[result.PEER]["seconds"]
    return Result(
        name=NAME,
        title="A server under load",
        lead=LEAD,
        size={"runs": runs, "tasks": runs * TASKS, "workers": WORKERS},
        versions=machine.versions("airfoil", "apache-airflow-core"),
        samples=1,
        sides=[
            Side(result.OURS, "airfoil deploy compose", "docker compose up --scale airflow-worker=2"),
            Side(result.PEER, "Airflow's Compose file", "docker compose up --scale airflow-worker=2"),
        ],
        figures=FIGURES,
        numbers=numbers,
        equal=not any(load.lost or load.twice for load in found.values()),
        goals=[
            Goal("Time, of the peer's", share, MOST_OF_PEER),
            Goal("Tasks of ours lost or run twice", found[result.OURS].lost + found[result.OURS].twice, 0),
        ],
        notes=NOTES,
        machine=machine.describe(),
        details={side: {"states": dict(load.states)} for side, load in found.items()},
    )


def measure_ours(folder: Path, runs: int, say: Progress) -> Load:
    """On a server that is rendered for a project of its own."""
    airfoil = [sys.executable, "-m", "airfoil"]
    run([*airfoil, "init", str(folder / "shop")])
    _only_the_load(folder / "shop" / "dags")
    run([*airfoil, "--project", str(folder / "shop"), "deploy", "compose"])
    server = folder / "shop" / "deploy" / "compose"
    ledger = _ledger(folder)
    more = server / "load.yaml"
    more.write_text(
        "services:\n  airflow-worker:\n    environment: { LOAD_LEDGER: /ledger/tasks }\n"
        f"    volumes: ['{ledger}:/ledger']\n",
        encoding="utf-8",
    )
    files = [
        path for path in (server / "compose.yaml", server / "compose.override.yaml", more) if path.exists()
    ]
    values = env_file.spoken_values((server / env_file.NAME).read_text(encoding="utf-8"))
    name, password = values["_AIRFLOW_WWW_USER_USERNAME"], values["_AIRFLOW_WWW_USER_PASSWORD"]
    limits = {"WORKER_CONCURRENCY": str(CONCURRENCY), "AIRFLOW_PARALLELISM": str(PARALLELISM)}
    with Containers(server, files, "airfoil-load", limits) as containers:
        return _measure(containers, runs, ledger, name, password, say)


def measure_peer(folder: Path, runs: int, say: Progress) -> Load:
    """On the services of Airflow's own Compose file."""
    build_peer(folder / "image")
    _only_the_load(folder / "dags")
    ledger = _ledger(folder)
    password = secrets.token_hex(16)
    environment = {
        "PEER_IMAGE": PEER_IMAGE,
        "PEER_PASSWORD": password,
        "LOAD_DAGS": str(folder / "dags"),
        "LOAD_LEDGER_FOLDER": str(ledger),
        "WORKER_CONCURRENCY": str(CONCURRENCY),
        "AIRFLOW_PARALLELISM": str(PARALLELISM),
    }
    with Containers(folder, [PEER_FOLDER / "compose.yaml"], PEER_IMAGE, environment) as containers:
        return _measure(containers, runs, ledger, "load", password, say)


def build_peer(folder: Path) -> None:
    """Make the peer's image."""
    folder.mkdir(parents=True)
    shutil.copy(PEER_FOLDER / "Dockerfile", folder)
    shutil.copy(ROOT / "src" / "airfoil" / "constraints.txt", folder)
    run(
        ["docker", "build", "--quiet", "--network", "host", "--tag", PEER_IMAGE, str(folder)],
        timeout_seconds=1800,
    )


def _measure(
    containers: Containers, runs: int, ledger: Path, username: str, password: str, say: Progress
) -> Load:
    say(f"{containers.project}: healthy after {containers.up(*SERVICES, workers=WORKERS):.0f} s")
    url = f"http://{containers.address('airflow-api-server')}:8080"
    with AirflowApi(url, lambda: password, username=username) as airflow:
        _wait_for_dag(airflow)
        hold_runs(airflow, "warm", _WARM_RUNS, say)
        before, cpu = _lines(ledger), containers.cpu_seconds()
        seconds, states = hold_runs(airflow, "load", runs, say)
        cpu = containers.cpu_seconds() - cpu
        queued = [seconds for name in _run_ids("load", runs) for seconds in _queued(airflow, name)]
    return Load(seconds, cpu, queued, _lines(ledger)[len(before) :], states, runs * TASKS)


def hold_runs(airflow: AirflowApi, name: str, runs: int, say: Progress) -> tuple[float, dict[str, int]]:
    """Ask for all runs at once and wait until the last has ended; seconds, and how many ended in which state."""
    began, names = time.monotonic(), _run_ids(name, runs)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: airflow.trigger(DAG, one), names))
    say(f"{runs} runs asked for after {time.monotonic() - began:.1f} s")
    while True:
        states = Counter(
            airflow.insist("GET", f"/dags/{DAG}/dagRuns/{one}")["state"] for one in (names[0], names[-1])
        )
        if set(states) <= ENDED:
            states = _states(airflow, name)
            if set(states) <= ENDED and sum(states.values()) == runs:
                return time.monotonic() - began, dict(states)
        if time.monotonic() - began > _DEADLINE_SECONDS:
            raise BenchmarkError(f"{runs} runs did not end within {_DEADLINE_SECONDS:.0f} s: {dict(states)}")
        time.sleep(_LOOK_SECONDS)


def _states(airflow: AirflowApi, name: str) -> Counter[str]:
    found: Counter[str] = Counter()
    offset = 0
    while True:
        page = airflow.insist(
            "GET", f"/dags/{DAG}/dagRuns", params={"limit": _PAGE, "offset": offset, "order_by": "id"}
        )["dag_runs"]
        found.update(one["state"] for one in page if one["dag_run_id"].startswith(f"{name}-"))
        if len(page) < _PAGE:
            return found
        offset += _PAGE


def _queued(airflow: AirflowApi, run_id: str) -> list[float]:
    found: list[dict[str, Any]] = airflow.insist(
        "GET", f"/dags/{DAG}/dagRuns/{run_id}/taskInstances", params={"limit": _PAGE}
    )["task_instances"]
    return [
        moment(one["start_date"]) - moment(one["queued_when"])
        for one in found
        if one["start_date"] and one["queued_when"]
    ]


def _wait_for_dag(airflow: AirflowApi) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        found = airflow.insist("GET", "/dags", params={"limit": _PAGE})["dags"]
        if any(one["dag_id"] == DAG for one in found):
            return
        time.sleep(1)
    raise BenchmarkError("The DAG of the load did not appear.")


def _run_ids(name: str, runs: int) -> list[str]:
    return [f"{name}-{number:04}" for number in range(runs)]


def _only_the_load(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(PEER_FOLDER / "load.py", folder)


def _ledger(folder: Path) -> Path:
    path = folder / "ledger"
    path.mkdir()
    path.chmod(0o777)  # a user of the container's writes there
    return path


def _lines(ledger: Path) -> list[str]:
    path = ledger / "tasks"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    return options_of(NAME, __doc__, "the files of both sides are written").parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
