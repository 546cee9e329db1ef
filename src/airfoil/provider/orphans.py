"""Which RUNNING MLflow runs have nobody left who would close them, and as what they end: the reaper's judgement.

Pure: it is told what Airflow says of a run's DAG run and task instance. Must not ask Airflow, MLflow or a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airfoil.clients.run_keys import RunKey

TRY_TAG = "airflow.try_number"
SHARED_TAG = "airfoil.run_key"
"""Carried by runs that the tries of a task share; a run that a task's own code began belongs to one try only."""

_DAG_RUN_ENDS = {"success": "FINISHED", "failed": "FAILED"}
_TASK_ENDS = {
    "success": "FINISHED",
    "failed": "FAILED",
    "skipped": "KILLED",
    "upstream_failed": "KILLED",
    "removed": "KILLED",
}
_MAY_RUN = frozenset({"queued", "running", "restarting"})
"""A process of the task lives, or is about to."""


@dataclass(frozen=True)
class DagRunFacts:
    """What Airflow says about a DAG run."""

    state: str
    was_cleared: bool = False

    @property
    def ended(self) -> bool:
        """Whether no task of it is started any more, unless somebody clears one."""
        return self.state in _DAG_RUN_ENDS


@dataclass(frozen=True)
class TaskFacts:
    """What Airflow says about a task instance: its last try."""

    state: str | None
    try_number: int
    process_lives: bool | None = None
    """Of its last try, where that can be known: on this machine."""
    ended_seconds_ago: float | None = None


@dataclass(frozen=True)
class Closing:
    """A run to close."""

    status: str
    reason: str
    sure: bool = True
    """Not sure: its process may be about to close it; look again a little later."""


def key_of(tags: Mapping[str, str]) -> RunKey | None:
    """Read from a run's tags what of Airflow it belongs to; None for a run that says nothing usable."""
    dag_id, run_id = tags.get("airflow.dag_id", ""), tags.get("airflow.run_id", "")
    if not dag_id or not run_id:
        return None
    try:
        map_index = int(tags.get("airflow.map_index", "-1"))
    except ValueError:
        return None
    return RunKey(dag_id, run_id, tags.get("airflow.task_id", ""), map_index)


def judge(
    tags: Mapping[str, str],
    dag_run: DagRunFacts | None,
    task: TaskFacts | None,
    *,
    grace_seconds: float,
    was_here: bool,
) -> Closing | None:
    """Say how a RUNNING run is to be closed; None when somebody is at work in it, or may yet be.

    `was_here` tells a DAG run that was deleted from one of another Airflow that uses the same MLflow.
    """
    key = key_of(tags)
    if key is None:
        return None
    if dag_run is None:
        return Closing("KILLED", "its DAG run was deleted in Airflow", sure=False) if was_here else None
    if not key.task_id:
        return end_of_parent(dag_run)
    if task is None:
        return Closing("KILLED", "its task instance is gone from Airflow", sure=False)
    number = tags.get(TRY_TAG, "")
    if number.isdecimal() and SHARED_TAG not in tags:
        closing = _judge_try(int(number), task, grace_seconds)
        if closing is not None:
            return closing
    return _judge_task(dag_run, task, grace_seconds)


def end_of_parent(dag_run: DagRunFacts) -> Closing | None:
    """Say how the run of a DAG run ends with it; None while that is under way."""
    status = _DAG_RUN_ENDS.get(dag_run.state)
    return Closing(status, f"the DAG run ended: {dag_run.state}") if status else None


def _judge_task(dag_run: DagRunFacts, task: TaskFacts, grace_seconds: float) -> Closing | None:
    if task.state in _MAY_RUN or task.process_lives:
        return None
    status = _TASK_ENDS.get(task.state or "")
    if status is not None:
        return Closing(status, f"its task ended: {task.state}", sure=_surely_over(task, grace_seconds))
    if dag_run.ended:
        state = task.state or "cleared"
        return Closing(
            "KILLED", f"the DAG run ended ({dag_run.state}) and its task did not: {state}", sure=False
        )
    return None


def _judge_try(number: int, task: TaskFacts, grace_seconds: float) -> Closing | None:
    """Judge a run of one try only: the next try begins another."""
    over = _surely_over(task, grace_seconds)
    if task.process_lives and task.state != "running":
        return None  # the next try is on its way, and the process of this one is still there
    if number < task.try_number:
        # The number grows when the next try is scheduled; once that runs, this one's process was given up on.
        return Closing(
            "FAILED", f"try {number} ended without closing it", sure=task.state == "running" or over
        )
    if number == task.try_number and task.state == "up_for_retry":
        return Closing("FAILED", f"try {number} ended without closing it", sure=over)
    return None


def _surely_over(task: TaskFacts, grace_seconds: float) -> bool:
    """Whether the process had its time to close the run itself: a task that is marked failed is killed step by step."""
    if task.process_lives is False:
        return True
    return task.ended_seconds_ago is not None and task.ended_seconds_ago > grace_seconds
