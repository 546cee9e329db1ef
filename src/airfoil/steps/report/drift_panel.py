"""How far each column is from the reference: the table, and the two distributions over each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from airfoil.markup import Markup, join, tag
from airfoil.steps.report import plots, tables, wording
from airfoil.steps.report.quality_panel import state
from airfoil.steps.report.tables import Cell, Column, Row

if TYPE_CHECKING:
    from airfoil.steps.drift.report import (
        ColumnDrift,
        ColumnDriftVerdict,
        ColumnSummary,
        DriftLimits,
        DriftReport,
        DriftVerdict,
    )

_COLUMNS = (
    Column("Column"),
    Column("Distribution", is_sorted=False, hint="Current filled, reference as a line"),
    Column("Verdict"),
    Column("Effect", is_number=True, hint="Largest gap of the cumulative distributions, or Cramér's V"),
    Column("p adjusted", is_number=True, hint="Corrected for the number of columns"),
    Column("PSI", is_number=True, hint="Population stability index"),
    Column("Jensen-Shannon", is_number=True, hint="Distance of the two histograms, from 0 to 1"),
    Column("Wasserstein", is_number=True, hint="How far values moved on average, in the column's own unit"),
    Column("Statistic", is_number=True, hint="Of the test"),
    Column("Test"),
)
_TESTS = {"kolmogorov_smirnov": "KS", "chi_square": "χ²"}
_EFFECTS = {"kolmogorov_smirnov": "gap", "chi_square": "Cramér's V"}
_SPANS = ("time32", "time64", "duration")


def comparison(report: DriftReport, verdict: DriftVerdict, types: Mapping[str, str]) -> Markup:
    """Show all columns, those that drifted first; `types` are Arrow's, where they are known."""
    verdicts = {one.name: one for one in verdict.columns}
    ordered = sorted(report.columns, key=lambda one: _order(one, verdicts.get(one.name)))
    rows = [
        _row(one, verdicts.get(one.name), types.get(one.name, ""), f"d{place}")
        for place, one in enumerate(ordered)
    ]
    return join(
        tag("p", _rule(verdict.limits), class_="note muted"),
        tag("p", report.note, class_="note") if report.note else None,
        plots.legend(
            f"{report.current}, {report.current_rows:,} rows",
            f"{report.reference}, {report.reference_rows:,} rows",
        ),
        tables.sortable("drift", "Drift by column", _COLUMNS, rows),
        tables.left_out(report.left_out, "not compared"),
    )


def _rule(limits: DriftLimits) -> str:
    share = (
        f" Up to {wording.percent(limits.drifted_share)} of the columns may." if limits.drifted_share else ""
    )
    return (
        f"A column has drifted when p is below {limits.p_value:g} and the effect is at least {limits.effect:g}, "
        f"or when its share of missing values changed by more than {limits.missing_change:g}.{share}"
    )


def _order(column: ColumnDrift, verdict: ColumnDriftVerdict | None) -> tuple[bool, float]:
    return not (verdict and verdict.drifted), -(column.effect if column.effect is not None else -1.0)


def _row(column: ColumnDrift, verdict: ColumnDriftVerdict | None, arrow_type: str, identity: str) -> Row:
    has_drifted = bool(verdict and verdict.drifted)
    outcome = "drifted" if has_drifted else "not measured" if column.effect is None else "stable"
    level = {"drifted": "bad", "stable": "good"}.get(outcome, "off")
    say = _say(column, arrow_type)
    moved = "" if column.wasserstein is None else _distance(column, column.wasserstein)
    return Row(
        cells=(
            Cell(wording.name(column.name), column.name),
            Cell(_small(column, identity), None, "shape"),
            Cell(state(outcome, level), outcome),
            Cell(wording.number(column.effect), column.effect),
            Cell(wording.p_value(column.p_adjusted), column.p_adjusted),
            Cell(wording.number(column.stability_index), column.stability_index),
            Cell(wording.number(column.jensen_shannon), column.jensen_shannon),
            Cell(moved, column.wasserstein),
            Cell(wording.number(column.statistic), column.statistic),
            Cell(_TESTS[column.test], column.test),
        ),
        level=level,
        more=tag(
            "div",
            tag("p", wording.visible(verdict.reason) if verdict else "", class_="why"),
            tag("div", _large(column, say, identity), _summaries(column, say), class_="beside"),
            class_="opened",
        ),
    )


def _say(column: ColumnDrift, arrow_type: str) -> plots.Say:
    if column.kind != "time":
        return wording.number
    return wording.span if arrow_type.startswith(_SPANS) else wording.instant


def _distance(column: ColumnDrift, value: float) -> str:
    return wording.span(value) if column.kind == "time" else wording.number(value)


def _small(column: ColumnDrift, identity: str) -> str | Markup:
    if column.histogram is not None:
        return plots.small(column.histogram.reference, column.histogram.current, identity)
    counts = plots.few(column.categories, column.others)
    if not counts:
        return ""
    return plots.small(
        [one.reference for one in counts], [one.current for one in counts], identity, apart=True
    )


def _large(column: ColumnDrift, say: plots.Say, identity: str) -> Markup | None:
    if column.histogram is not None:
        marked = "" if column.gap_at is None else f"They are farthest apart at {say(column.gap_at)} (dashed)."
        return plots.large(column.histogram, identity, say=say, mark=column.gap_at, marked=marked)
    if column.categories:
        return tag("div", plots.categories(plots.few(column.categories, column.others)))
    return tag("p", wording.visible(column.note), class_="muted")


def _summaries(column: ColumnDrift, say: plots.Say) -> Markup:
    """Show both tables' numbers beside each other."""
    sides = (column.reference, column.current)
    rows = [("Rows", *(f"{one.rows:,}" for one in sides)), ("Missing", *(_missing(one) for one in sides))]
    if any(one.infinite for one in sides):
        rows.append(("Infinite", *(f"{one.infinite:,}" for one in sides)))
    for title, field in (("Least", "least"), ("Largest", "largest"), ("Mean", "mean")):
        values = [getattr(one, field) for one in sides]
        if any(value is not None for value in values):
            rows.append((title, *(wording.NOTHING if value is None else say(value) for value in values)))
    if any(one.deviation is not None for one in sides):
        rows.append(
            (
                "Deviation",
                *("" if one.deviation is None else _distance(column, one.deviation) for one in sides),
            )
        )
    if any(one.different is not None for one in sides):
        rows.append(("Different", *(wording.number(one.different) for one in sides)))
    told = [
        f"{_EFFECTS[column.test]} from {column.detectable:.2g} on has p < 0.05 with so many rows."
        if column.detectable is not None
        else "",
        wording.visible(column.note) if column.histogram is not None or column.categories else "",
    ]
    return tag(
        "div",
        tables.plain(("", "Reference", "Current"), rows),
        tag("p", " ".join(filter(None, told)), class_="muted"),
    )


def _missing(side: ColumnSummary) -> str:
    return wording.percent(side.missing_share) if side.missing else "none"
