"""The task that scores every row of a table, and asks whether too many are unlike the others.

Measured and judged in airfoil.steps.anomaly; limits and plan are said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airfoil.provider.data_check import Finding
from airfoil.provider.lineage import Claim
from airfoil.provider.reference_check import ReferenceCheckOperator
from airfoil.steps.anomaly.measurement import AnomalyPlan, measure_anomalies
from airfoil.steps.anomaly.report import AnomalyLimits
from airfoil.steps.anomaly.verdict import judge_anomalies

if TYPE_CHECKING:
    from pathlib import Path

    from airfoil.steps.scans import Scan


class AnomalyOperator(ReferenceCheckOperator):
    """Scores each row by an Isolation Forest and says whether too many are anomalous; returns a DataVerdict.

    The forest learns from a sample of `reference`, or of the table itself, where the rate then says little. `limits` is
    AnomalyLimits or its values (`rate`), `plan` an AnomalyPlan or its values: columns, sample, trees, seed.
    """

    check = "anomalies"
    limits_kind, plan_kind = AnomalyLimits, AnomalyPlan
    ui_color = "#f6e2d3"

    def __init__(self, *, reference: Any = None, **kwargs: Any) -> None:
        """Take the reference, if there is one; the limits and the plan."""
        super().__init__(reference=reference, **kwargs)

    def _tables(self) -> Mapping[str, Any]:
        return {"data": self.data} | (
            {} if self.reference is None or self.reference == "" else {"reference": self.reference}
        )

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
