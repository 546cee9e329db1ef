"""What tracking costs a task: a `@task.mlflow` that does nothing against a `@task` that does nothing, in one DAG run.

`python -m benchmarks.tracking`, or `make bench NAME=tracking`. Once in plain Airflow, whose tasks share nothing with
Airfoil's pre-loaded parent, and once in the stack. Takes about six minutes; nothing else may run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from benchmarks import machine, readiness, result
from benchmarks.airflow_api import AirflowApi
from benchmarks.contender import LOOPBACK, BenchmarkError, Command, Contender
from benchmarks.ours import Ours
from benchmarks.peers import Peer
from benchmarks.progress import Progress
from benchmarks.publishing import publish
from benchmarks.result import Figure, Goal, Result, Side
from benchmarks.running import Running
from benchmarks.size import scale_from

NAME = "tracking"
DAG = "bench_tracking"
PAIRS = 30
MOST_EXTRA_SECONDS = 0.15
_PATIENCE_SECONDS = 900.0
_QUIET_SECONDS = 180.0
_LOOK_SECONDS = 1.0
_DONE = frozenset({"success", "failed"})
_DISTRIBUTIONS = ("airfoil", "apache-airflow-core", "mlflow")
_FILE = '''"""Tasks that do nothing, with and without an MLflow run, in turn."""
from airflow.sdk import chain, dag, task


@dag(schedule=None)
def {dag_id}():
    @task
    def plain():
        pass

    @task.mlflow
    def tracked():
        pass

    steps = []
    for number in range({count}):
        pair = [plain.override(task_id=f"plain_{{number}}")(), tracked.override(task_id=f"tracked_{{number}}")()]
        steps += pair if number % 2 else pair[::-1]
    chain(*steps)


{dag_id}()
'''
FIGURES = (
    Figure("seconds", "A task in plain Airflow", "s", 3, is_plotted=True),
    Figure("slow_seconds", "The slowest but one in ten there", "s", 3),
    Figure("stack_seconds", "A task in the stack", "s", 3, is_plotted=True),
    Figure("stack_slow_seconds", "The slowest but one in ten there", "s", 3),
)
LEAD = "How much longer a task takes because it has an MLflow run: made or found, tagged, closed, linked both ways."
NOTES = (
    "One DAG run of each kind of Airflow holds pairs of empty tasks, one after the other, in changing order.",
    "A task's time is Airflow's own: from its process's start, DAG file included, until it has ended.",
    "The first pair warms files and the DAG run's parent run, and is not counted.",
    "Plain: `airflow standalone` and `mlflow server`, which know nothing of each other but a connection.",
)


class PlainAirflow(Peer):
    """Plain Airflow and MLflow, with the connection that tells one of the other."""

    key = "plain"
    label = "airflow standalone + mlflow server, with the provider"

    @property
    def commands(self) -> tuple[Command, ...]:
        """As ever, and the connection; MLflow without its job runner, which nobody here uses."""
        connection = {"conn_type": "mlflow", "host": f"http://{LOOPBACK}", "port": self._ports["mlflow"]}
        more = {
            "AIRFLOW_CONN_MLFLOW_DEFAULT": json.dumps(connection),
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        return tuple(
            replace(command, environment={**command.environment, **more}) for command in super().commands
        )


@dataclass(frozen=True)
class Pairs:
    """Seconds of the tasks of one DAG run, without the first pair."""

    plain: tuple[float, ...]
    tracked: tuple[float, ...]
    finished_runs: int
    """How many of the tracked tasks MLflow knows as FINISHED."""

    @property
    def extra_seconds(self) -> float:
        """What tracking costs a task."""
        return statistics.median(self.tracked) - statistics.median(self.plain)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the line, keep and publish a full-size result."""
    options = _options(arguments)
    try:
        pairs = max(2, round(PAIRS * scale_from()))
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="airfoil-bench-"))
    say = Progress(NAME)
    try:
        plain = measure(
            PlainAirflow(folder / "plain", on_other_ports=options.other_ports), folder / "logs", pairs, say
        )
        stack = measure(Ours(folder / "ours"), folder / "logs", pairs, say)
    except (BenchmarkError, httpx.HTTPError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = assemble(plain, stack, pairs)
    return publish(found, say, is_full=pairs == PAIRS, is_checked=options.check)


def measure(contender: Contender, logs: Path, pairs: int, say: Progress) -> Pairs:
    """Set a contender up, start it, let one DAG run go through, stop it."""
    say.subject = contender.key
    contender.prepare()
    contender.dags.mkdir(parents=True, exist_ok=True)
    (contender.dags / f"{DAG}.py").write_text(_FILE.format(dag_id=DAG, count=pairs + 1), encoding="utf-8")
    machine.wait_for_quiet(_QUIET_SECONDS, say)
    with Running(contender, logs / contender.key) as running:
        contender.learn(running)
        readiness.wait(contender, running, DAG)
        say("ready")
        with AirflowApi(contender.endpoints.airflow, contender.password, timeout_seconds=60) as api:
            api.unpause(DAG)
            run_id = api.trigger(DAG)
            instances = _instances_when_done(api, run_id, running)
        finished = _finished_runs(contender, run_id)
        running.stop()
    found = Pairs(_seconds(instances, "plain"), _seconds(instances, "tracked"), finished - 1)
    say(f"{statistics.median(found.plain):.3f} s plain, {statistics.median(found.tracked):.3f} s tracked")
    return found


def assemble(plain: Pairs, stack: Pairs, pairs: int) -> Result:
    """The result of both."""
    return Result(
        name=NAME,
        title="The cost of tracking",
        lead=LEAD,
        size={"pairs": pairs},
        versions=machine.versions(*_DISTRIBUTIONS),
        samples=pairs,
        sides=[
            Side(result.OURS, "@task.mlflow", "@task.mlflow\ndef tracked(): pass"),
            Side(result.PEER, "@task", "@task\ndef plain(): pass"),
        ],
        figures=FIGURES,
        numbers={
            result.OURS: _figures(plain.tracked, stack.tracked),
            result.PEER: _figures(plain.plain, stack.plain),
        },
        equal=all(len(one.plain) == len(one.tracked) == one.finished_runs == pairs for one in (plain, stack)),
        goals=[
            Goal("More for a tracked task in plain Airflow", plain.extra_seconds, MOST_EXTRA_SECONDS, "s"),
            Goal("More for a tracked task in the stack", stack.extra_seconds, MOST_EXTRA_SECONDS, "s"),
        ],
        notes=NOTES,
        machine=machine.describe(),
        details={
            "plain": {"plain": plain.plain, "tracked": plain.tracked},
            "stack": {"plain": stack.plain, "tracked": stack.tracked},
        },
    )


def _figures(plain: Sequence[float], stack: Sequence[float]) -> dict[str, float]:
    return {
        "seconds": statistics.median(plain),
        "slow_seconds": _slow(plain),
        "stack_seconds": statistics.median(stack),
        "stack_slow_seconds": _slow(stack),
    }


def _slow(seconds: Sequence[float]) -> float:
    """The 90th percentile."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * 0.9))]


def _seconds(instances: Sequence[Mapping[str, Any]], kind: str) -> tuple[float, ...]:
    numbered = {
        int(one["task_id"].rpartition("_")[2]): float(one["duration"])
        for one in instances
        if one["task_id"].startswith(f"{kind}_") and one["state"] == "success"
    }
    return tuple(numbered[number] for number in sorted(numbered) if number)


def _instances_when_done(api: AirflowApi, run_id: str, running: Running) -> list[dict[str, Any]]:
    until = time.monotonic() + _PATIENCE_SECONDS
    while api.run(DAG, run_id)["state"] not in _DONE:
        running.check()
        if time.monotonic() > until:
            raise BenchmarkError(f"The run did not end in {_PATIENCE_SECONDS:.0f} s.\n{running.tails()}")
        time.sleep(_LOOK_SECONDS)
    found: list[dict[str, Any]] = []
    path = f"/dags/{DAG}/dagRuns/{run_id}/taskInstances"
    while True:
        page = api.insist("GET", path, params={"limit": 50, "offset": len(found)})
        found += page["task_instances"]
        if len(found) >= page["total_entries"]:
            return found


def _finished_runs(contender: Contender, run_id: str) -> int:
    """The FINISHED runs that MLflow has for the tasks of a DAG run."""
    with httpx.Client(
        base_url=f"{contender.endpoints.mlflow}/api/2.0/mlflow", trust_env=False, timeout=30
    ) as mlflow:
        experiments = mlflow.post("/experiments/search", json={"max_results": 100}).raise_for_status().json()
        query = {
            "experiment_ids": [one["experiment_id"] for one in experiments["experiments"]],
            "filter": f"tags.`airflow.run_id` = '{run_id}' and attributes.status = 'FINISHED'",
            "max_results": 1000,
        }
        runs = mlflow.post("/runs/search", json=query).raise_for_status().json().get("runs", [])
    tags = [{tag["key"]: tag["value"] for tag in run["data"]["tags"]} for run in runs]
    return sum("airflow.task_id" in one for one in tags)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tracking", description=__doc__)
    parser.add_argument("--other-ports", action="store_true", help="leave the default ports alone")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
