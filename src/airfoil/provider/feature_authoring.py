"""Feature stores in DAG files: check one, bring views online, compare, and make training sets, each as a function.

`materialize(["spending", "visits"], last=timedelta(days=7))` makes a task that works on both side by side. Nothing is
decided here; what a function does not name itself goes to the operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.decorator import get_unique_task_id

from airfoil.provider.operators.feast_apply import FeastApplyOperator
from airfoil.provider.operators.feast_materialize import FeastMaterializeOperator
from airfoil.provider.operators.feast_online_check import FeastOnlineCheckOperator
from airfoil.provider.operators.feast_validate import FeastValidateOperator
from airfoil.provider.operators.training_set import TrainingSetOperator

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airfoil.provider.profiled_operator import ProfiledOperator


def apply_features(*, task_id: str = "apply_features", **given: Any) -> XComArg:
    """Register what the repository's files define, as `feast apply` does; returns the names of all views."""
    return FeastApplyOperator(task_id=get_unique_task_id(task_id), **given).output


def validate_features(
    views: Sequence[str] | None = None, *, task_id: str = "validate_features", **given: Any
) -> XComArg:
    """Look whether views can be brought online (all, if none are named); returns a StoreVerdict."""
    return FeastValidateOperator(task_id=get_unique_task_id(task_id), views=views, **given).output


def materialize(view: Any, *, task_id: str = "materialize", **given: Any) -> XComArg:
    """Bring a window of a view online, or of several side by side; returns a MaterializedView, or one for each."""
    return _for_each(FeastMaterializeOperator, view, task_id, given)


def check_online(view: Any, *, task_id: str = "check_online", **given: Any) -> XComArg:
    """Hold what is online against the source, for a sample of a view or of several; returns OnlineVerdicts."""
    return _for_each(FeastOnlineCheckOperator, view, task_id, given)


def training_set(
    entities: Any, features: Sequence[str] | str, *, task_id: str = "training_set", **given: Any
) -> XComArg:
    """Join features to rows as of each row's moment; returns the table as a DataRef."""
    unique = get_unique_task_id(task_id)
    return TrainingSetOperator(task_id=unique, entities=entities, features=features, **given).output


def _for_each(operator: type[ProfiledOperator], view: Any, task_id: str, given: dict[str, Any]) -> XComArg:
    unique = get_unique_task_id(task_id)
    if isinstance(view, str):
        return operator(task_id=unique, view=view, **given).output
    mapped: XComArg = operator.partial(task_id=unique, **given).expand(view=view).output
    return mapped
