"""How the functions for DAG files make a task: of an operator, under a name of its own, and what it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.decorator import get_unique_task_id

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, XComArg


def result_of(operator: type[BaseOperator], task_id: str, **given: Any) -> XComArg:
    """Make a task and return its result; the second task of a name is numbered, as TaskFlow does it."""
    return operator(task_id=get_unique_task_id(task_id), **given).output
