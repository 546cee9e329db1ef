"""Busy for some seconds in several ways at once; every body writes into a ledger who ran it, and when.

What a kill may hit is in flight together: Python, a Bash script whose environment is replaced, mapped instances, a
deferred task, and one that talks to MLflow. Only the last may be tried again by itself, as the shipped DAGs do.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.sensors.time_delta import WaitSensor
from airflow.sdk import dag, get_current_context, task

LEDGER = Path(__file__).parents[1] / "ledger.jsonl"
SCRIPT = """
note() {
  printf '{"event": "%s", "run": "%s", "task": "%s", "index": -1, "try": %s, "pid": %s, "at": %s}\\n' \
    "$1" "$AIRFLOW_CTX_DAG_RUN_ID" "$AIRFLOW_CTX_TASK_ID" "$AIRFLOW_CTX_TRY_NUMBER" "$$" "$EPOCHREALTIME" >> "$LEDGER"
}
note start
sleep {{ params.script_seconds }}
note end
"""


def note(event: str) -> None:
    """Add one line; a single write to a file opened for appending is never torn."""
    instance = get_current_context()["ti"]
    line = {
        "event": event,
        "run": instance.run_id,
        "task": instance.task_id,
        "index": -1 if instance.map_index is None else instance.map_index,
        "try": instance.try_number,
        "pid": os.getpid(),
        "at": time.time(),
    }
    handle = os.open(LEDGER, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
    finally:
        os.close(handle)


@contextmanager
def noted() -> Iterator[None]:
    """Write down the start of a body, and its end unless it raises or is killed."""
    note("start")
    yield
    note("end")


@dag(
    dag_id="busy",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={"script_seconds": 5, "nap_seconds": 3},
    default_args={"retries": 0},
    max_active_runs=4,
)
def busy() -> None:
    """Begin, do everything at once, finish."""

    @task
    def begin() -> list[float]:
        with noted():
            return [1.0, 1.5, 2.0]

    @task(priority_weight=20)
    def nap_one() -> None:
        with noted():
            time.sleep(1)

    @task(priority_weight=30)
    def nap_three() -> None:
        with noted():
            time.sleep(get_current_context()["params"]["nap_seconds"])

    @task
    def mapped(seconds: float) -> float:
        with noted():
            time.sleep(seconds)
        return seconds

    @task(priority_weight=50, retries=3, retry_delay=timedelta(seconds=3))
    def log_to_mlflow() -> str:
        from airfoil.provider.hooks.mlflow import MlflowHook

        with noted(), MlflowHook().run_of(get_current_context()) as run:
            run.log_params({"seconds": 2})
            time.sleep(2)
            run.log_metrics({"slept": 2.0})
        return run.url

    @task
    def finish(naps: list[float]) -> float:
        with noted():
            return sum(naps)

    script = BashOperator(
        task_id="script", bash_command=SCRIPT, env={"LEDGER": str(LEDGER)}, priority_weight=60
    )
    deferred = WaitSensor(
        task_id="deferred", time_to_wait=timedelta(seconds=5), deferrable=True, priority_weight=70
    )
    seconds = begin()
    last = finish(mapped.expand(seconds=seconds))
    seconds >> [deferred, script, log_to_mlflow(), nap_three(), nap_one()] >> last


busy()
