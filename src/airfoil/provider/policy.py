"""The rules of this platform for every task, applied by Airflow when a DAG file is read (entry point `airflow.policy`).

A task that names a queue of `[airfoil] edge_queues` runs on a worker of another host, without a word about executors in
its DAG file. The queue of `[airfoil] maintenance_queue` is for the DAGs that come with Airfoil: its worker would run no
other (`runtime/container/own_dags.py`), and here its author is told. Airflow imports this module in each of its
processes: it must stay light.
"""

from __future__ import annotations

from typing import Any

from airflow.policies import hookimpl

EDGE = "EdgeExecutor"
OF_MAINTENANCE = ("platform_backup", "database_cleanup")


@hookimpl
def task_policy(task: Any) -> None:
    """Refuse the queue of maintenance; send a task to the executor of its queue, unless it names one."""
    from airflow.sdk.configuration import conf

    kept = str(conf.get("airfoil", "maintenance_queue", fallback="") or "")
    if kept and task.queue == kept and task.dag_id not in OF_MAINTENANCE:
        from airflow.exceptions import AirflowClusterPolicyViolation

        raise AirflowClusterPolicyViolation(
            f"The task {task.task_id} of {task.dag_id} names the queue {kept}, where a server's keys are. "
            f"Take another queue; that one runs {' and '.join(OF_MAINTENANCE)} alone."
        )
    queues = str(conf.get("airfoil", "edge_queues", fallback="") or "")
    if not queues or task.executor or task.queue not in {name.strip() for name in queues.split(",")}:
        return
    if EDGE not in str(conf.get("core", "executor", fallback="")):
        return
    if task.is_mapped:
        task.partial_kwargs["executor"] = EDGE
    else:
        task.executor = EDGE
