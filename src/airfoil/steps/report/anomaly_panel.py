"""How many rows are unlike the others against how many may be, where their scores lie, and the oddest rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from airfoil.markup import Markup, join, tag
from airfoil.records import Histogram
from airfoil.steps.report import plots, tables, wording
from airfoil.steps.report.tables import Cell, Column, Row

if TYPE_CHECKING:
    from airfoil.steps.anomaly.report import AnomalousRow, AnomalyReason, AnomalyReport, AnomalyVerdict

_COLUMNS = (Column("Row", is_number=False), Column("Score", is_number=True), Column("Why", is_sorted=False))
SHOWN = 5
"""So many of the oddest rows are seen at once."""
_HALF = 0.5


def oddity(report: AnomalyReport, verdict: AnomalyVerdict, types: Mapping[str, str]) -> Markup:
    """Show the rate, the scores and the rows."""
    rows = [_row(one, types) for one in report.top]
    trained = f"{report.reference or 'the table itself'}, {report.trained_rows:,} rows to learn from"
    return join(
        _rate(report, verdict),
        tag("p", report.note, class_="note") if report.note else None,
        _scores(report, trained) if report.scores else None,
        tables.sortable("anomalies", "Rows with the highest scores", _COLUMNS, rows[:SHOWN])
        if rows
        else None,
        _more(rows[SHOWN:]),
        tables.left_out(report.left_out, "not looked at"),
    )


def _more(rows: Sequence[Row]) -> Markup | None:
    if not rows:
        return None
    summary = f"{len(rows)} more {'row' if len(rows) == 1 else 'rows'} with high scores"
    return tag(
        "details", tag("summary", summary), tables.sortable("odd", summary, _COLUMNS, rows), class_="fold"
    )


def _rate(report: AnomalyReport, verdict: AnomalyVerdict) -> Markup:
    if verdict.rate is None:
        return tag("p", wording.visible(verdict.reason), class_="note")
    said = tag(
        "p",
        tag("b", wording.percent(verdict.rate), class_="figure"),
        f" of {report.rows:,} rows are anomalous; {wording.percent(verdict.limits.rate)} may be.",
    )
    return tag(
        "div",
        said,
        plots.gauge(verdict.rate, verdict.limits.rate),
        class_="rate",
        data_level="good" if verdict.passed else "bad",
    )


def _scores(report: AnomalyReport, trained: str) -> Markup | None:
    scores = _trimmed(report.scores) if report.scores else None
    if scores is None:
        return None
    mark = report.threshold
    said = "" if mark is None else f"Rows right of {mark:.3f} (dashed) count as anomalous."
    # The small drawing is the shape that the large one uses.
    shape = plots.small(scores.reference, scores.current, "scores")
    return tag(
        "figure",
        plots.legend(f"{report.table}, {report.rows:,} rows", trained),
        tag("div", shape, class_="hidden"),
        plots.large(scores, "scores", mark=mark, marked=said),
        tag("figcaption", "How odd rows are: scores from 0 to 1", class_="hidden"),
    )


def _trimmed(scores: Histogram) -> Histogram | None:
    """Return the bins between the first and the last that hold anything."""
    used = [
        place
        for place, counts in enumerate(zip(scores.reference, scores.current, strict=True))
        if any(counts)
    ]
    if not used:
        return None
    first, last = max(0, used[0] - 1), min(len(scores.current), used[-1] + 2)
    return Histogram(
        edges=scores.edges[first : last + 1],
        reference=scores.reference[first:last],
        current=scores.current[first:last],
    )


def _row(row: AnomalousRow, types: Mapping[str, str]) -> Row:
    why = [_why(one, types.get(one.column, "")) for one in row.reasons]
    told = (
        tag("ul", *(tag("li", one) for one in why), class_="reasons")
        if why
        else "no single column explains it"
    )
    return Row(
        cells=(Cell(f"row {row.row:,}", row.row), Cell(f"{row.score:.3f}", row.score), Cell(told)),
        level="off",
    )


def _why(reason: AnomalyReason, arrow_type: str) -> Markup:
    is_moment = arrow_type.startswith(("timestamp", "date"))
    say = wording.instant if is_moment else wording.number
    value = "no value" if reason.value is None else say(reason.value)
    place = ""
    if reason.value is not None:
        below = reason.share_below
        place = (
            f", higher than {wording.percent(below)} of what was learnt from"
            if below >= _HALF
            else f", lower than {wording.percent(1 - below)} of what was learnt from"
        )
    return join(tag("b", wording.name(reason.column)), f" is {value}; usual is {say(reason.usual)}{place}")
