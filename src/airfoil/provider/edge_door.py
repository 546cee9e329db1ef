"""Who may speak as a worker on another host: Airflow's Edge API asks this of every token whose signature is ours.

`[edge] jwt_verifier` names `verify`. The list of workers is read anew each time: a name that is taken off it, or gets
another token, is refused at once. A worker may act under its own name alone, and on tasks that were handed to it. Must
not look at signatures, which Airflow has done.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import unquote

log = logging.getLogger(__name__)

_NAMED = ("worker/queues/", "worker/", "jobs/fetch/")
"""What the name of a worker follows."""
_OF_A_TASK = {"jobs/state/": 6, "logs/push/": 5, "logs/logfile_path/": 5}
"""What a task follows: dag, task, run, try, map index, and for a state that state."""


def verify(claims: dict[str, Any], context: Any) -> dict[str, bool]:
    """Answer Airflow whether this token may do what is asked."""
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


def _has_job(name: str, words: list[str]) -> bool:
    """Whether this task is one that was handed to the worker."""
    from airflow.providers.edge3.models.edge_job import EdgeJobModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    dag_id, task_id, run_id, try_number, map_index = words[:5]
    query = select(EdgeJobModel.edge_worker).where(
        EdgeJobModel.dag_id == dag_id,
        EdgeJobModel.task_id == task_id,
        EdgeJobModel.run_id == run_id,
        EdgeJobModel.try_number == int(try_number),
        EdgeJobModel.map_index == int(map_index),
    )
    with create_session() as session:
        return name in session.scalars(query).all()
