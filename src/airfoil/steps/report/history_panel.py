"""Earlier verdicts on the same dataset: one mark for each, and a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airfoil.markup import Markup, join, tag
from airfoil.steps.report import tables, wording
from airfoil.steps.report.quality_panel import state
from airfoil.steps.report.tables import Cell, Column, Row

if TYPE_CHECKING:
    from airfoil.records import DatasetVerdict

_COLUMNS = (
    Column("When"),
    Column("Verdict"),
    Column("Rows", is_number=True),
    Column("Failed checks", is_number=True),
    Column("Drifted columns", is_number=True),
    Column("Anomalous rows", is_number=True),
    Column("Why"),
)


def strip(now: DatasetVerdict, history: Sequence[DatasetVerdict]) -> Markup | None:
    """Show what was said before, the oldest on the left and this report at the end."""
    earlier = sorted((one for one in history if one.at < now.at), key=lambda one: one.at)
    if not earlier:
        return None
    marks = [_mark(one, is_now=one is now) for one in (*earlier, now)]
    failed = sum(not one.passed for one in earlier)
    count = f"{len(earlier)} earlier {'report' if len(earlier) == 1 else 'reports'}"
    said = f"{count} since {wording.moment(earlier[0].at)}: {failed or 'none'} failed."
    table = tables.sortable("history", "Earlier verdicts", _COLUMNS, [_row(one) for one in reversed(earlier)])
    return join(
        tag("ol", *marks, class_="strip"),
        tag("details", tag("summary", said), table, class_="fold"),
    )


def _mark(verdict: DatasetVerdict, *, is_now: bool) -> Markup:
    told = f"{wording.moment(verdict.at)}: {wording.visible(verdict.reason)[:300]}"
    return tag(
        "li",
        tag("span", told, class_="hidden"),
        title=told,
        class_="now" if is_now else None,
        data_level="good" if verdict.passed else "bad",
    )


def _row(verdict: DatasetVerdict) -> Row:
    level = "good" if verdict.passed else "bad"
    return Row(
        cells=(
            Cell(wording.moment(verdict.at), verdict.at.timestamp()),
            Cell(state("passed" if verdict.passed else "failed", level), level),
            _number(verdict, "rows"),
            _number(verdict, "failed_checks"),
            _number(verdict, "drifted_columns"),
            _number(verdict, "anomaly_rate", is_share=True),
            Cell(wording.visible(verdict.reason), verdict.reason[: wording.MOST_CHARACTERS]),
        ),
        level=level,
    )


def _number(verdict: DatasetVerdict, name: str, *, is_share: bool = False) -> Cell:
    value = verdict.numbers.get(name)
    shown = "" if value is None else wording.percent(value) if is_share else wording.number(value)
    return Cell(shown, value)
