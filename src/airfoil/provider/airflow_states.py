"""What Airflow's database says about DAG runs and task instances, for Airflow's own server processes only.

Tasks and triggers have no database. It selects columns in a session of its own and never writes.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import psutil

from airfoil.clients.run_keys import RunKey
from airfoil.provider.orphans import DagRunFacts, TaskFacts

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

KEYS_PER_QUERY = 100
_SAME_MOMENT_SECONDS = 60.0
"""A process that began later than its task by more than this has only inherited the number."""


@dataclass(frozen=True)
class AirflowFacts:
    """What was found; what is not in it, Airflow does not have."""

    dag_runs: dict[RunKey, DagRunFacts] = field(default_factory=dict)
    tasks: dict[RunKey, TaskFacts] = field(default_factory=dict)


def new_session() -> Session:
    """Open a session that nobody else uses; Airflow's engine knows how to reach its database."""
    from airflow import settings
    from sqlalchemy.orm import Session

    return Session(bind=settings.engine, autoflush=False)


def read_facts(
    keys: Collection[RunKey],
    *,
    session: Callable[[], Session] = new_session,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AirflowFacts:
    """Read the states of the DAG runs and task instances of these keys, in as few questions as possible."""
    facts = AirflowFacts()
    if not keys:
        return facts
    with session() as opened:
        for some in _portions({key.parent for key in keys}):
            for row in opened.execute(_select_dag_runs(some)):
                facts.dag_runs[RunKey(row.dag_id, row.run_id)] = DagRunFacts(
                    str(row.state), was_cleared=bool(row.clear_number)
                )
        for some in _portions({key for key in keys if key.task_id}):
            for row in opened.execute(_select_tasks(some)):
                key = RunKey(row.dag_id, row.run_id, row.task_id, row.map_index)
                facts.tasks[key] = _task_facts(row, now())
        opened.rollback()
    return facts


def _portions(keys: Collection[RunKey]) -> Iterator[Sequence[RunKey]]:
    ordered = list(keys)
    for start in range(0, len(ordered), KEYS_PER_QUERY):
        yield ordered[start : start + KEYS_PER_QUERY]


def _select_dag_runs(keys: Sequence[RunKey]) -> Any:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select, tuple_

    wanted = [(key.dag_id, key.run_id) for key in keys]
    return select(DagRun.dag_id, DagRun.run_id, DagRun.state, DagRun.clear_number).where(
        tuple_(DagRun.dag_id, DagRun.run_id).in_(wanted)
    )


def _select_tasks(keys: Sequence[RunKey]) -> Any:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select, tuple_

    place = (TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id, TaskInstance.map_index)
    said = (
        TaskInstance.state,
        TaskInstance.try_number,
        TaskInstance.pid,
        TaskInstance.hostname,
        TaskInstance.start_date,
        TaskInstance.end_date,
    )
    wanted = [(key.dag_id, key.run_id, key.task_id, key.map_index) for key in keys]
    return select(*place, *said).where(tuple_(*place).in_(wanted))


def _task_facts(row: Any, now: datetime) -> TaskFacts:
    return TaskFacts(
        state=None if row.state is None else str(row.state),
        try_number=row.try_number or 0,
        process_lives=process_lives(row.pid, row.hostname, row.start_date),
        ended_seconds_ago=None if row.end_date is None else (now - row.end_date).total_seconds(),
    )


def process_lives(pid: int | None, hostname: str | None, started: datetime | None) -> bool | None:
    """Whether the process of a task is there; None when it ran on another machine, or that is not known."""
    if not pid or not hostname or hostname not in own_names():
        return None
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        began = process.create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return None
    return started is None or began <= started.timestamp() + _SAME_MOMENT_SECONDS


@lru_cache(maxsize=1)
def own_names() -> frozenset[str]:
    """Return the names under which tasks of this machine are known to Airflow."""
    from airflow.utils.net import get_hostname

    return frozenset({get_hostname(), socket.gethostname()})
