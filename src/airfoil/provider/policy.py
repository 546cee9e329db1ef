"""The rules of this platform for every task, applied by Airflow when a DAG file is read (entry point `airflow.policy`).

A task that names a queue of `[airfoil] edge_queues` runs on a worker of another host, without a word about executors in
its DAG file. Airflow imports this module in each of its processes: it must stay light.
"""

from __future__ import annotations

from typing import Any

from airflow.policies import hookimpl

EDGE = "EdgeExecutor"


@hookimpl
def task_policy(task: Any) -> None:
    """Send a task to the executor that serves its queue; one that names an executor keeps it."""
    from airflow.sdk.configuration import conf

    queues = str(conf.get("airfoil", "edge_queues", fallback="") or "")
    if not queues or task.executor or task.queue not in {name.strip() for name in queues.split(",")}:
        return
    if EDGE not in str(conf.get("core", "executor", fallback="")):
        return
    if task.is_mapped:
        task.partial_kwargs["executor"] = EDGE
    else:
        task.executor = EDGE
