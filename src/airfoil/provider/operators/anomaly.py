"""The task that scores every row of a table, and asks whether too many are unlike the others.

Measured and judged in airfoil.steps.anomaly; limits and plan are said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airfoil.provider.check_inputs import plan_of, settled
from airfoil.provider.data_check import DataCheckOperator, Finding
from airfoil.provider.lineage import Claim
from airfoil.provider.record_inputs import record
from airfoil.provider.table_inputs import assets_in, plain_data
from airfoil.steps.anomaly.measurement import AnomalyPlan, measure_anomalies
from airfoil.steps.anomaly.report import AnomalyLimits
from airfoil.steps.anomaly.verdict import judge_anomalies

if TYPE_CHECKING:
    from pathlib import Path

    from airfoil.steps.scans import Scan


class AnomalyOperator(DataCheckOperator):
    """Scores each row by an Isolation Forest and says whether too many are anomalous; returns a DataVerdict.

    The forest learns from a sample of `reference`, or of the table itself, where the rate then says little. `limits` is
    AnomalyLimits or its values (`rate`), `plan` an AnomalyPlan or its values: columns, sample, trees, seed.
    """

    check = "anomalies"
    template_fields = ("data", "reference", "limits", "plan", "dataset", "mlflow_conn_id")
    ui_color = "#f6e2d3"

    def __init__(
        self,
        *,
        reference: Any = None,
        limits: AnomalyLimits | Mapping[str, Any] | None = None,
        plan: AnomalyPlan | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Take the reference, the limits and what decides the scores."""
        super().__init__(**kwargs)
        self.reference = plain_data(reference)
        self.limits = settled(limits, _limits)
        self.plan = settled(plan, _plan)
        self.add_inlets(assets_in(reference))

    def _tables(self) -> Mapping[str, Any]:
        return {"data": self.data} | (
            {} if self.reference is None or self.reference == "" else {"reference": self.reference}
        )

    def _settings(self) -> tuple[AnomalyLimits, AnomalyPlan]:
        return _limits(self.limits), _plan(self.plan)

    def _look(
        self,
        scans: Mapping[str, Scan],
        settings: tuple[AnomalyLimits, AnomalyPlan],
        folder: Path,  # noqa: ARG002 - needs no temporary files
    ) -> Finding:
        limits, plan = settings
        report = measure_anomalies(scans["data"], scans.get("reference"), plan)
        verdict = judge_anomalies(report, limits)
        numbers = {"anomalous_rows": float(report.anomalous)}
        if verdict.rate is not None:
            numbers["anomaly_rate"] = verdict.rate
        return Finding(
            passed=verdict.passed,
            outcome=verdict.outcome,
            reason=verdict.reason,
            rows=report.rows,
            record={"report": report.to_json(), "verdict": verdict.to_json()},
            numbers=numbers,
            claims=[Claim("anomaly_rate", verdict.passed)],
        )


def _limits(given: Any) -> AnomalyLimits:
    return record(AnomalyLimits, given, "limits")


def _plan(given: Any) -> AnomalyPlan:
    return plan_of(AnomalyPlan, given)
