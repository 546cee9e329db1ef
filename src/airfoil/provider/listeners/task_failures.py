"""Hears that a task fails, and leaves the reason where the alert of its DAG run finds it: as an XCom of the task.

A callback of a DAG run knows which task failed and not why. Only tasks of DAGs with an alert leave anything. It runs in
the task's process, before Airflow is told of the end; it must not raise and must import nothing heavy.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from airflow.listeners import hookimpl


class TaskFailureListener:
    """Writes down why a task failed."""

    @hookimpl
    def on_task_instance_failed(self, previous_state: Any, task_instance: Any, error: Any) -> None:
        """Leave the reason, where somebody will ask for it."""
        del previous_state
        with suppress(Exception):  # an alert without a reason is better than a task that ends otherwise
            if error is not None and is_asked_for(task_instance.task.dag):
                from airfoil.provider.alert_story import FAILURE_KEY, sentence_of

                task_instance.xcom_push(key=FAILURE_KEY, value=sentence_of(error))


def is_asked_for(dag: Any) -> bool:
    """Whether a DAG tells people of runs that fail."""
    callbacks = getattr(dag, "on_failure_callback", None) or ()
    given = callbacks if isinstance(callbacks, list | tuple) else (callbacks,)
    return any(getattr(one, "wants_reasons", False) for one in given)
