"""What happened to a DAG run between two looks at it: values and pure functions, no waiting and no network.

A look (`RunView`) is what Airflow answered at one moment. Looks may miss steps (a task that was queued, ran and ended
between two of them), so everything here compares two looks and never assumes the order of states.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENDED_RUN = frozenset({"success", "failed"})
ENDED_TASK = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
FAILED_TASK = frozenset({"failed", "upstream_failed"})
# States in which nothing happens that a person waits to read.
UNTOLD = frozenset({"", "scheduled", "queued", "removed", "up_for_reschedule"})
# Up to this many instances of a mapped task are told one by one.
TOLD_INSTANCES = 10
QUICK_POLL_SECONDS = 0.5
SLOW_POLL_SECONDS = 2.0
QUICK_PHASE_SECONDS = 60.0
SLOW_PHASE_SECONDS = 600.0


@dataclass(frozen=True)
class TaskView:
    """One task instance at one moment."""

    task_id: str
    map_index: int
    state: str
    try_number: int
    seconds: float | None
    """How long this try has been running, or ran."""

    @property
    def key(self) -> tuple[str, int]:
        """What makes it one task instance."""
        return self.task_id, self.map_index

    @property
    def label(self) -> str:
        """The name people use: `train`, or `train[3]` for an instance of a mapped task."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


@dataclass(frozen=True)
class RunView:
    """One DAG run at one moment."""

    state: str
    seconds: float | None
    tasks: tuple[TaskView, ...]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ENDED_RUN

    @property
    def failed_tasks(self) -> tuple[TaskView, ...]:
        """The tasks that failed themselves (not those that never ran because of them)."""
        return tuple(task for task in self.tasks if task.state == "failed")


@dataclass(frozen=True)
class Change:
    """One thing worth telling."""

    label: str
    state: str
    try_number: int = 0
    seconds: float | None = None
    count: str = ""
    """For many instances of a mapped task together: `40 of 200`."""

    @property
    def ended(self) -> bool:
        """Whether this is the task's last word (for now)."""
        return self.state in ENDED_TASK


def look(run: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], now: float) -> RunView:
    """Read Airflow's answers; tasks in the order in which they first appear, instances by number."""
    first_seen: dict[str, int] = {}
    for task in tasks:
        first_seen.setdefault(str(task.get("task_id")), len(first_seen))
    views = [_task_view(task, now) for task in tasks]
    views.sort(key=lambda view: (first_seen[view.task_id], view.map_index))
    start, end = epoch_seconds(run.get("start_date")), epoch_seconds(run.get("end_date"))
    ended = run.get("state") in ENDED_RUN
    seconds = None if start is None else max((end if ended and end is not None else now) - start, 0.0)
    return RunView(str(run.get("state") or ""), seconds, tuple(views))


def changes(before: RunView | None, after: RunView) -> list[Change]:
    """Tell what is new since the last look."""
    old = {task.key: task for task in before.tasks} if before else {}
    many = _mapped_sizes(after)
    found = []
    for task in after.tasks:
        known = old.get(task.key)
        if known is not None and (known.state, known.try_number) == (task.state, task.try_number):
            continue
        if task.state in UNTOLD:
            # A task that had ended and waits again was cleared by somebody.
            if known is not None and known.state in ENDED_TASK and task.state != "removed":
                found.append(Change(task.label, "cleared"))
            continue
        if many.get(task.task_id, 0) > TOLD_INSTANCES and task.state not in {"failed", "up_for_retry"}:
            continue
        found.append(Change(task.label, task.state, task.try_number, _told_seconds(task)))
    return [*found, *_counts(before, after, many)]


def active(view: RunView) -> list[Change]:
    """List what runs now, for a live display; instances of large mapped tasks are counted together."""
    many = _mapped_sizes(view)
    found = []
    for task in view.tasks:
        if task.state in ENDED_TASK or task.state in {"", "scheduled", "removed"}:
            continue
        if many.get(task.task_id, 0) <= TOLD_INSTANCES:
            found.append(Change(task.label, task.state, task.try_number, task.seconds))
    for task_id, size in many.items():
        done = _done(view, task_id)
        if size > TOLD_INSTANCES and done < size:
            found.append(Change(f"{task_id}[]", "running", count=f"{done} of {size}"))
    return found


def poll_seconds(elapsed_seconds: float) -> float:
    """Look often at first, rarely at what runs for long: a look costs the api-server some 30 ms of CPU."""
    if elapsed_seconds <= QUICK_PHASE_SECONDS:
        return QUICK_POLL_SECONDS
    share = min((elapsed_seconds - QUICK_PHASE_SECONDS) / (SLOW_PHASE_SECONDS - QUICK_PHASE_SECONDS), 1.0)
    return QUICK_POLL_SECONDS + share * (SLOW_POLL_SECONDS - QUICK_POLL_SECONDS)


def outcome(dag_id: str, run_id: str, view: RunView, links: Mapping[str, str | None]) -> dict[str, Any]:
    """Give the JSON object of `run --json`; times are seconds, what is not known is null."""
    return {
        "schema": 1,
        "dag_id": dag_id,
        "run_id": run_id,
        "state": view.state,
        "seconds": None if view.seconds is None else round(view.seconds, 3),
        **links,
        "tasks": [
            {
                "task_id": task.task_id,
                "map_index": task.map_index,
                "state": task.state or None,
                "try_number": task.try_number,
                "seconds": None if task.seconds is None else round(task.seconds, 3),
            }
            for task in view.tasks
        ],
    }


def epoch_seconds(text: object) -> float | None:
    """Turn Airflow's ISO time into epoch seconds."""
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _task_view(task: Mapping[str, Any], now: float) -> TaskView:
    state = str(task.get("state") or "")
    start, end = epoch_seconds(task.get("start_date")), epoch_seconds(task.get("end_date"))
    seconds = None
    if state in ENDED_TASK or state == "up_for_retry":
        seconds = max(end - start, 0.0) if start is not None and end is not None else None
    elif state in {"running", "deferred", "awaiting_input"} and start is not None:
        # `duration` still holds the last try's while the next one runs.
        seconds = max(now - start, 0.0)
    map_index = task.get("map_index")
    return TaskView(
        task_id=str(task.get("task_id")),
        map_index=map_index if isinstance(map_index, int) else -1,
        state=state,
        try_number=int(task.get("try_number") or 0),
        seconds=seconds,
    )


def _told_seconds(task: TaskView) -> float | None:
    told = task.state in ENDED_TASK or task.state == "up_for_retry"
    return task.seconds if told and task.state not in {"skipped", "upstream_failed"} else None


def _mapped_sizes(view: RunView) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for task in view.tasks:
        if task.map_index >= 0:
            sizes[task.task_id] = sizes.get(task.task_id, 0) + 1
    return sizes


def _done(view: RunView, task_id: str) -> int:
    return sum(
        task.task_id == task_id and task.map_index >= 0 and task.state in ENDED_TASK for task in view.tasks
    )


def _counts(before: RunView | None, after: RunView, many: Mapping[str, int]) -> list[Change]:
    """Tell how far large mapped tasks are, once per look in which one moved."""
    found = []
    for task_id, size in many.items():
        if size <= TOLD_INSTANCES:
            continue
        done = _done(after, task_id)
        if done == (_done(before, task_id) if before else 0):
            continue
        failed = any(
            task.state in FAILED_TASK
            for task in after.tasks
            if task.task_id == task_id and task.map_index >= 0
        )
        ended = "failed" if failed else "success"
        found.append(Change(f"{task_id}[]", ended if done == size else "running", count=f"{done} of {size}"))
    return found
