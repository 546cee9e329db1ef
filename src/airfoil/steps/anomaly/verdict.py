"""Decides whether too many rows are anomalous: the limit stands here, scoring is done elsewhere."""

from __future__ import annotations

from airfoil.steps.anomaly.report import AnomalyLimits, AnomalyReport, AnomalyVerdict


def judge_anomalies(report: AnomalyReport, limits: AnomalyLimits | None = None) -> AnomalyVerdict:
    """Judge the rate of anomalous rows; what was not measured does not pass."""
    limits = limits or AnomalyLimits()
    rate = report.rate
    if rate is None or report.rows < limits.min_rows:
        lack = (
            f"{report.rows} rows, and {limits.min_rows} are needed"
            if report.rows < limits.min_rows
            else (report.note or "nothing was scored")
        )
        return AnomalyVerdict(
            passed=False, outcome="not_measured", limits=limits, reason=f"Anomalies are not known: {lack}"
        )
    is_usual = rate <= limits.rate
    return AnomalyVerdict(
        passed=is_usual,
        outcome="usual" if is_usual else "anomalous",
        rate=rate,
        limits=limits,
        reason=(
            f"{report.anomalous} of {report.rows} rows are anomalous ({rate * 100:.3g} %, "
            f"at most {limits.rate * 100:.4g} % may be)"
        ),
    )
