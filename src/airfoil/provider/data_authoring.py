"""Quality, drift, anomalies, report: the operators about tables as functions for DAG files, each making one task.

`drift(trips, reference, p_value=0.01)` reads as what it does. Nothing is decided here; what a function does not name
itself goes to the operator, so `retries` or `profile` work as anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from airfoil.provider.operators.anomaly import AnomalyOperator
from airfoil.provider.operators.data_quality import DataQualityOperator
from airfoil.provider.operators.data_report import DataReportOperator
from airfoil.provider.operators.drift import DriftOperator
from airfoil.provider.task_results import result_of
from airfoil.steps.anomaly.measurement import AnomalyPlan
from airfoil.steps.anomaly.report import AnomalyLimits
from airfoil.steps.drift.measurement import DriftPlan
from airfoil.steps.drift.report import DriftLimits

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airfoil.provider.datasets import Dataset


def quality(data: Any, contract: Any, *, task_id: str = "quality", **given: Any) -> XComArg:
    """Hold a table against its contract; returns a DataVerdict. A part of the contract is asked by `part="schema"`."""
    return result_of(DataQualityOperator, task_id, data=data, contract=contract, **given)


def drift(data: Any, reference: Any, *, task_id: str = "drift", **given: Any) -> XComArg:
    """Compare the columns of a table with those of a reference; returns a DataVerdict.

    Limits (`p_value`, `effect`, ...) and what is measured (`columns`, `without`, ...) are named here.
    """
    limits = _named("limits", DriftLimits.model_fields, given)
    plan = _named("plan", (one.name for one in fields(DriftPlan)), given)
    return result_of(DriftOperator, task_id, data=data, reference=reference, **limits, **plan, **given)


def anomalies(data: Any, reference: Any = None, *, task_id: str = "anomalies", **given: Any) -> XComArg:
    """Score the rows of a table, by what is usual in a reference; returns a DataVerdict.

    Limits (`rate`, `min_rows`) and what decides the scores (`columns`, `without`, `trees`, ...) are named here.
    """
    limits = _named("limits", AnomalyLimits.model_fields, given)
    plan = _named("plan", (one.name for one in fields(AnomalyPlan)), given)
    return result_of(AnomalyOperator, task_id, data=data, reference=reference, **limits, **plan, **given)


def report(
    dataset: str | Dataset,
    *,
    quality: Any = None,
    drift: Any = None,
    anomalies: Any = None,
    task_id: str = "report",
    **given: Any,
) -> XComArg:
    """Make one page of what checks found, and decide; returns a DataVerdict. Runs whatever became of the checks."""
    return result_of(
        DataReportOperator,
        task_id,
        dataset=dataset,
        quality=quality,
        drift=drift,
        anomalies=anomalies,
        **given,
    )


def _named(argument: str, names: Iterable[str], given: dict[str, Any]) -> dict[str, Any]:
    """Take what is named one by one out of the arguments, and return it as the one argument it belongs to."""
    found = {name: given.pop(name) for name in names if name in given}
    return {argument: found} if found else {}
