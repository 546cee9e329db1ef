"""Decides whether a table has drifted: limits stand here, measuring is done elsewhere.

A difference counts when it is no chance (the adjusted p-value) and large enough to matter (the effect). In small tables
the first is the harder condition, in large ones the second.
"""

from __future__ import annotations

from airfoil.steps.drift.report import ColumnDrift, ColumnDriftVerdict, DriftLimits, DriftReport, DriftVerdict

_EFFECT_NAMES = {"kolmogorov_smirnov": "gap", "chi_square": "Cramér's V"}
_NAMED = 5


def judge_drift(report: DriftReport, limits: DriftLimits | None = None) -> DriftVerdict:
    """Judge each column, and the table by how many have drifted; what was not measured does not pass."""
    limits = limits or DriftLimits()
    columns = tuple(_judge_column(one, limits) for one in report.columns)
    empty = [
        f"{name} has no rows"
        for name, rows in ((report.reference, report.reference_rows), (report.current, report.current_rows))
        if not rows
    ]
    if empty or not columns:
        reason = " and ".join(empty) or "no column could be compared"
        return DriftVerdict(
            passed=False,
            outcome="not_measured",
            reason=f"Drift is not known: {reason}",
            limits=limits,
            columns=columns,
        )
    drifted = [one for one in columns if one.drifted]
    is_stable = len(drifted) <= limits.drifted_share * len(columns)
    head = f"{len(drifted)} of {len(columns)} columns drifted"
    allowed = f" (at most {limits.drifted_share:.4g} of them may)" if limits.drifted_share else ""
    told = [f"{one.name}: {one.reason}" for one in drifted[:_NAMED]]
    if len(drifted) > _NAMED:
        told.append(f"and {len(drifted) - _NAMED} more")
    return DriftVerdict(
        passed=is_stable,
        outcome="stable" if is_stable else "drifted",
        reason="; ".join([head + allowed, *told]),
        limits=limits,
        columns=columns,
    )


def _judge_column(column: ColumnDrift, limits: DriftLimits) -> ColumnDriftVerdict:
    before, after = column.reference.missing_share, column.current.missing_share
    lost = abs(after - before)
    if column.reference.rows and column.current.rows and lost > limits.missing_change:
        reason = (
            f"{after:.4g} of its values are missing, {before:.4g} in the reference "
            f"(a change of {limits.missing_change:.4g} is allowed)"
        )
        return ColumnDriftVerdict(name=column.name, drifted=True, reason=reason)
    if column.effect is None or column.p_adjusted is None:
        return ColumnDriftVerdict(name=column.name, drifted=False, reason=column.note or "not measured")
    is_no_chance, is_large = column.p_adjusted < limits.p_value, column.effect >= limits.effect
    effect = f"{_EFFECT_NAMES[column.test]} {column.effect:.4g}"
    p_value = f"p {column.p_adjusted:.3g}"
    words = {
        (
            True,
            True,
        ): f"{effect} ({limits.effect:.4g} or more counts), {p_value} (below {limits.p_value:.4g})",
        (
            True,
            False,
        ): f"{p_value} says that the two differ, but by a {effect} only ({limits.effect:.4g} or more counts)",
        (False, True): f"{effect}, which may be chance: {p_value} (not below {limits.p_value:.4g})",
        (False, False): f"{effect}, {p_value}",
    }
    return ColumnDriftVerdict(
        name=column.name, drifted=is_no_chance and is_large, reason=words[is_no_chance, is_large]
    )
