"""Who may speak as a worker on another host: Airflow's Edge API asks this of every token whose signature is ours.

`[edge] jwt_verifier` names `verify`. The list of workers is read anew each time: a name that is taken off it, or gets
another token, is refused at once. A worker may act under its own name alone, and on tasks that were handed to it: also
where it says in a request's body, which we are not shown, whose log it writes. Must not look at signatures, which
Airflow has done.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

log = logging.getLogger(__name__)

_NAMED = ("worker/queues/", "worker/", "jobs/fetch/")
"""What the name of a worker follows."""
_OF_A_TASK = {"jobs/state/": 6, "logs/push/": 5, "logs/logfile_path/": 5}
"""What a task follows: dag, task, run, try, map index, and for a state that state."""

_PATH_OF = "_logfile_path"
"""Airflow's function that names the log which a worker's lines go to."""


def verify(claims: dict[str, Any], context: Any) -> dict[str, bool]:
    """Answer Airflow whether this token may do what is asked."""
    if str(context.method).startswith("logs/"):
        guard_logs()
    name = str(claims.get("sub") or "")
    return {"authorized": _is_admitted(name, claims) and _may(name, str(context.method))}


def _is_admitted(name: str, claims: dict[str, Any]) -> bool:
    from airflow.sdk.configuration import conf

    file = Path(str(conf.get("airfoil", "edge_workers", fallback="") or ""))
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        number = known[name]["token"]
    except (OSError, ValueError, KeyError, TypeError):
        log.warning("a worker %r is not on the list %s", name, file)
        return False
    return bool(number) and number == claims.get("jti")


def _may(name: str, method: str) -> bool:
    for prefix in _NAMED:
        if method.startswith(prefix):
            return unquote(method.removeprefix(prefix)) == name
    for prefix, parts in _OF_A_TASK.items():
        if method.startswith(prefix):
            words = [unquote(word) for word in method.removeprefix(prefix).split("/")]
            return len(words) == parts and _has_job(name, words)
    return False


class OwnLog:
    """In the place of what names the log of a task: Airflow goes by an id that the worker says, if it says one."""

    def __init__(self, path_of: Callable[[Any, Any], str]) -> None:
        """Keep what it stands before."""
        self._path_of = path_of

    def __call__(self, task: Any, task_instance_id: Any = None) -> str:
        """Refuse an id that is not of this task."""
        from fastapi import HTTPException

        if task_instance_id is not None:
            job = [task.dag_id, task.task_id, task.run_id, task.try_number, task.map_index]
            if str(task_instance_id) not in _jobs(job, "task_instance_id"):
                log.warning("a worker asked for the log of %s by the id %s of another", job, task_instance_id)
                raise HTTPException(403, "This is the id of another task.")
        return self._path_of(task, task_instance_id)


def guard_logs() -> None:
    """Stand before Airflow's function; without it, nobody gets at a log."""
    from airflow.providers.edge3.worker_api.routes import logs

    held = vars(logs)
    if not isinstance(held[_PATH_OF], OwnLog):
        held[_PATH_OF] = OwnLog(held[_PATH_OF])


def _has_job(name: str, words: list[str]) -> bool:
    """Whether this task is one that was handed to the worker."""
    return name in _jobs(words[:5], "edge_worker")


def _jobs(task: list[Any], column: str) -> list[Any]:
    """Return what the jobs of a task say: dag, task, run, try, map index."""
    from airflow.providers.edge3.models.edge_job import EdgeJobModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    dag_id, task_id, run_id, try_number, map_index = task
    query = select(getattr(EdgeJobModel, column)).where(
        EdgeJobModel.dag_id == dag_id,
        EdgeJobModel.task_id == task_id,
        EdgeJobModel.run_id == run_id,
        EdgeJobModel.try_number == int(try_number),
        EdgeJobModel.map_index == int(map_index),
    )
    with create_session() as session:
        return list(session.scalars(query).all())
