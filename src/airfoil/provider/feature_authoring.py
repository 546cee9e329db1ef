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
from airfoil.provider.task_results import result_of

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airfoil.provider.profiled_operator import ProfiledOperator


def apply_features(*, task_id: str = "apply_features", **given: Any) -> XComArg:
    """Register what the repository's files define, as `feast apply` does; returns the names of all views."""
    return result_of(FeastApplyOperator, task_id, **given)


def validate_features(
    views: Sequence[str] | None = None, *, task_id: str = "validate_features", **given: Any
) -> XComArg:
    """Look whether views can be brought online (all, if none are named); returns a StoreVerdict."""
    return result_of(FeastValidateOperator, task_id, views=views, **given)


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
    return result_of(TrainingSetOperator, task_id, entities=entities, features=features, **given)


def _for_each(operator: type[ProfiledOperator], view: Any, task_id: str, given: dict[str, Any]) -> XComArg:
    if isinstance(view, str):
        return result_of(operator, task_id, view=view, **given)
    mapped: XComArg = operator.partial(task_id=get_unique_task_id(task_id), **given).expand(view=view).output
    return mapped
