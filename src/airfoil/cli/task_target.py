"""Which task a person means by `DAG.TASK`: ids of DAGs and tasks may hold dots themselves. Pure."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

INSTANCE = re.compile(r"^(?P<name>.+)\[(?P<index>\d+)\]$")
SHOWN_NAMES = 12


@dataclass(frozen=True)
class TaskTarget:
    """A task, or one instance of a mapped task."""

    task_id: str
    map_index: int | None
    """None means every instance."""


def possible_dags(target: str, dag_ids: Iterable[str]) -> list[str]:
    """List the DAGs that `target` may start with, the longest id first: `a.b` is nearer to `a.b.c` than `a` is."""
    found = [dag_id for dag_id in dag_ids if target == dag_id or target.startswith(f"{dag_id}.")]
    return sorted(found, key=len, reverse=True)


def task_in(target: str, dag_id: str, task_ids: Iterable[str]) -> TaskTarget | None:
    """Find the task that `target` names within a DAG."""
    rest = target.removeprefix(dag_id).removeprefix(".")
    known = set(task_ids)
    if rest in known:
        return TaskTarget(rest, None)
    match = INSTANCE.match(rest)
    if match and match["name"] in known:
        return TaskTarget(match["name"], int(match["index"]))
    return None


def no_task(target: str, dag_id: str, task_ids: Sequence[str]) -> NotFoundError:
    """Say which tasks the DAG's last run has."""
    rest = target.removeprefix(dag_id).removeprefix(".")
    names = [f"{dag_id}.{task_id}" for task_id in task_ids]
    near = difflib.get_close_matches(rest, task_ids, n=1, cutoff=0.6)
    move = f"Did you mean {dag_id}.{near[0]}?" if near else f"Its tasks: {_some(names)}."
    what = f"has no task {rest}" if rest else "is a DAG; name one of its tasks"
    return NotFoundError(f"{dag_id} {what}.", move)


def unknown(target: str, services: Sequence[str], dag_ids: Sequence[str]) -> NotFoundError:
    """Say what there is instead."""
    near = difflib.get_close_matches(target, [*services, *dag_ids], n=1, cutoff=0.6)
    if not near and "." in target:
        near = difflib.get_close_matches(target.partition(".")[0], dag_ids, n=1, cutoff=0.6)
    services_text = f"Services: {', '.join(services)}." if services else ""
    dags_text = f"DAGs: {_some(dag_ids)}." if dag_ids else ""
    move = f"Did you mean {near[0]}?" if near else f"{services_text} {dags_text}".strip()
    return NotFoundError(f"There is neither a service nor a task {target}.", move)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more
