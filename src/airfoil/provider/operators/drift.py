"""The task that asks whether the columns of a table still look like those of a reference.

Measured and judged in airfoil.steps.drift; limits and plan are said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from airfoil.provider.data_check import Finding
from airfoil.provider.lineage import Claim
from airfoil.provider.reference_check import ReferenceCheckOperator
from airfoil.steps.drift.measurement import DriftPlan, measure_drift
from airfoil.steps.drift.report import DriftLimits
from airfoil.steps.drift.verdict import judge_drift

if TYPE_CHECKING:
    from pathlib import Path

    from airfoil.steps.scans import Scan


class DriftOperator(ReferenceCheckOperator):
    """Compares each column of a table with that of a reference and says whether that is drift; returns a DataVerdict.

    `limits` is DriftLimits or its values: a column has drifted when the difference is no chance (`p_value`) and large
    enough to matter (`effect`). `plan` is a DriftPlan or its values: columns, those to leave out, the correction.
    """

    check = "drift"
    limits_kind, plan_kind = DriftLimits, DriftPlan
    ui_color = "#e6dff2"

    def _look(
        self,
        scans: Mapping[str, Scan],
        settings: tuple[DriftLimits, DriftPlan],
        folder: Path,  # noqa: ARG002 - needs no temporary files
    ) -> Finding:
        limits, plan = settings
        report = measure_drift(scans["reference"], scans["data"], plan)
        verdict = judge_drift(report, limits)
        effects = [one.effect for one in report.columns if one.effect is not None]
        return Finding(
            passed=verdict.passed,
            outcome=verdict.outcome,
            reason=verdict.reason,
            rows=report.current_rows,
            record={"report": report.to_json(), "verdict": verdict.to_json()},
            numbers={
                "reference_rows": report.reference_rows,
                "compared_columns": len(report.columns),
                "drifted_columns": len(verdict.drifted),
                "largest_effect": max(effects, default=0.0),
            },
            claims=[Claim("no_drift", not one.drifted, one.name) for one in verdict.columns],
        )
