"""Who moves an alias, as a task knows it: the person who triggered the DAG run or the DAG itself, and who approved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

TIMEOUT = "nobody (the default after the time to answer)"


def who(context: Context) -> str:
    """Return the person who triggered the DAG run, or the DAG."""
    run = context["dag_run"]
    return getattr(run, "triggering_user_name", None) or f"DAG {run.dag_id}"


def dag_run_of(context: Context) -> str:
    """Return the name of the DAG run among those of all DAGs."""
    run = context["dag_run"]
    return f"{run.dag_id}/{run.run_id}"


def key_of(context: Context, *what: object) -> str:
    """Return what makes a move of this task one move, however often the task is tried."""
    ti = context["ti"]
    parts = (ti.dag_id, ti.run_id, ti.task_id, ti.map_index, *what)
    return "/".join(str(part) for part in parts)


def approver_of(approval: Any) -> str:
    """Return the name of whoever answered an approval; empty without one."""
    if approval is None:
        return ""
    if isinstance(approval, str):
        return approval
    user = approval.get("responded_by_user") if isinstance(approval, Mapping) else None
    if not isinstance(user, Mapping):
        return TIMEOUT
    return str(user.get("name") or user.get("id") or TIMEOUT)


def is_refused(approval: Any) -> bool:
    """Tell whether an answer to an approval is a no; it usually skips what follows, unless trigger rules say else."""
    return isinstance(approval, Mapping) and "Approve" not in (approval.get("chosen_options") or ())
