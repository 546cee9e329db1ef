"""What is under way while parts of a server die: plain tasks, one that is deferred, a training, a registration.

Every body writes into a file when it begins and when it ends, whatever Airflow believes. Copied into the project.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.sensors.time_delta import WaitSensor
from airflow.sdk import dag, get_current_context, task

from airfoil import register

LEDGER = "/opt/airflow/work/faults"


@contextmanager
def noted() -> Iterator[None]:
    """Write down the beginning of a body, and its end unless it raises or is killed."""
    _note("begin")
    yield
    _note("end")


def _note(event: str) -> None:
    instance = get_current_context()["ti"]
    line = {
        "event": event,
        "run": instance.run_id,
        "task": instance.task_id,
        "try": instance.try_number,
        "host": socket.gethostname(),
        "at": time.time(),
    }
    handle = os.open(LEDGER, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o666)
    os.write(handle, json.dumps(line).encode() + b"\n")
    os.close(handle)


@dag(
    dag_id="faults",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    default_args={"retries": 6, "retry_delay": timedelta(seconds=2)},
    max_active_runs=1000,
    max_active_tasks=10_000,
)
def faults() -> None:
    """Everything of a run at once, but the registration."""

    @task
    def nap() -> None:
        with noted():
            time.sleep(1)

    @task.mlflow
    def train(mlflow_run: Any) -> Any:
        from pandas import DataFrame
        from sklearn.linear_model import LinearRegression

        with noted():
            content = get_current_context()["run_id"] * 1000
            mlflow_run.log_params({"digest": hashlib.sha256(content.encode()).hexdigest()})
            mlflow_run.log_metrics({"rows": 4.0})
            mlflow_run.log_text(content, "content.txt")
            example = DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
            fitted = LinearRegression().fit(example, [2.0, 4.0, 6.0, 8.0])
            return mlflow_run.log_model(fitted, name="line", example=example)

    WaitSensor(task_id="wait", time_to_wait=timedelta(seconds=4), deferrable=True)
    nap.override(task_id="nap_0")()
    nap.override(task_id="nap_1")()
    register(train(), name="faults")


faults()
