"""The checks of a table, failed ones first with rows that failed, and what is in each column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.markup import Markup, join, tag
from airfoil.steps.report import tables, wording
from airfoil.steps.report.tables import Cell, Column, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airfoil.records import ColumnProfile, QualityCheck, QualityReport

MOST_PASSED = 5000
"""So many checks that did not fail are told; more of them tell nobody anything."""
OPEN_FAILURES = 1
"""So many of the failed checks show their rows from the beginning."""
CHECK_NAMES = {"other_columns": "other columns", "foreign_key": "foreign key"}
_LEVELS = {"failed": "bad", "passed": "good", "not_applicable": "off"}
_WORDS = {"failed": "failed", "passed": "passed", "not_applicable": "not applicable"}
_CHECKS = (
    Column("Check"),
    Column("Column"),
    Column("Outcome"),
    Column("Asked"),
    Column("Found"),
    Column("Failed", is_number=True, hint="Rows or values that broke it"),
)
_PROFILES = (
    Column("Column"),
    Column("Type"),
    Column("Missing", is_number=True, hint="Share of the rows without a value; NaN is no value"),
    Column("Least"),
    Column("Largest"),
    Column("Mean", is_number=True),
    Column("Deviation", is_number=True, hint="Standard deviation"),
    Column("Remarks"),
)


def checks(report: QualityReport) -> Markup:
    """Show every check: the failed ones, then folded those that passed or made no sense here."""
    failed = [_check(one, is_open=place < OPEN_FAILURES) for place, one in enumerate(report.failures)]
    others = sorted((one for one in report.checks if one.outcome != "failed"), key=lambda one: one.outcome)
    hidden = len(others) - MOST_PASSED
    note = tag("p", f"{hidden:,} more are left out here.", class_="note muted") if hidden > 0 else None
    rest = tables.sortable(
        "passed", "Checks that did not fail", _CHECKS, [_check(one) for one in others[:MOST_PASSED]]
    )
    return join(
        tables.sortable("checks", "Failed checks", _CHECKS, failed) if failed else None,
        tag("details", tag("summary", _counted(others)), rest, note, class_="fold") if others else None,
        tag("p", "Nothing was asked.", class_="note muted") if not report.checks else None,
    )


def _counted(others: Sequence[QualityCheck]) -> str:
    passed = sum(one.outcome == "passed" for one in others)
    moot = len(others) - passed
    return f"{passed:,} {'check' if passed == 1 else 'checks'} passed" + (
        f", {moot:,} not applicable" if moot else ""
    )


def profiles(report: QualityReport) -> Markup:
    """Show what is in each column."""
    rows = [_profile(one, report.rows) for one in report.columns]
    return tables.sortable("columns", "Columns", _PROFILES, rows)


def state(outcome: str, level: str) -> Markup:
    """Show an outcome with its sign."""
    return tag("span", tag("i", class_="dot", aria_hidden="true"), outcome, class_="state", data_level=level)


def _check(check: QualityCheck, *, is_open: bool = False) -> Row:
    level, called = _LEVELS[check.outcome], CHECK_NAMES.get(check.check, check.check)
    return Row(
        cells=(
            Cell(called, called),
            Cell(
                wording.names(check.columns) if check.columns else tag("i", "table", class_="muted"),
                ", ".join(check.columns),
            ),
            Cell(state(_WORDS[check.outcome], level), check.outcome),
            Cell(wording.visible(check.asks), check.asks[: wording.MOST_CHARACTERS]),
            Cell(wording.visible(check.reason), check.reason[: wording.MOST_CHARACTERS]),
            Cell(wording.number(check.failed) if check.failed else "", check.failed),
        ),
        level=level,
        more=_examples(check) if check.examples else None,
        is_open=is_open,
    )


def _examples(check: QualityCheck) -> Markup:
    titles = tuple(dict.fromkeys(title for row in check.examples for title in row))
    rows = [[_value(title, row) for title in titles] for row in check.examples]
    more = check.failed - len(check.examples)
    head = f"{len(check.examples)} of {check.failed:,} that failed" if more > 0 else "What failed"
    called = [
        "Row" if one == "row" else "Times" if one == "times" else wording.name(one, 40) for one in titles
    ]
    return join(tag("p", head, class_="muted"), tables.plain(called, rows))


def _value(title: str, row: Mapping[str, object]) -> str | Markup:
    if title not in row:
        return ""
    value = row[title]
    if value is None:
        return tag("i", "missing", class_="muted")
    if title in {"row", "times"} and isinstance(value, int):
        return f"{value:,}"
    return wording.name(f"{value:.8g}" if isinstance(value, float) else str(value))


def _profile(seen: ColumnProfile, rows: int) -> Row:
    missing = seen.missing / rows if rows else None
    return Row(
        cells=(
            Cell(wording.name(seen.name), seen.name),
            Cell(tag("code", wording.name(seen.type, 40)), seen.type),
            Cell(_missing(missing), missing),
            Cell(_bound(seen.minimum), seen.minimum, "num" if _is_number(seen.minimum) else ""),
            Cell(_bound(seen.maximum), seen.maximum, "num" if _is_number(seen.maximum) else ""),
            Cell(wording.number(seen.mean) if seen.mean is not None else "", seen.mean),
            Cell(wording.number(seen.deviation) if seen.deviation is not None else "", seen.deviation),
            Cell(*_remarks(seen, rows)),
        )
    )


def _missing(share: float | None) -> str | Markup:
    if not share:
        return ""
    return join(
        wording.percent(share),
        tag(
            "svg",
            tag("rect", class_="track", width=100, height=4),
            tag("rect", class_="fill", width=f"{100 * share:.1f}", height=4),
            class_="share",
            viewBox="0 0 100 4",
            preserveAspectRatio="none",
            aria_hidden="true",
        ),
    )


def _bound(value: float | str | None) -> str | Markup:
    if value is None:
        return ""
    return wording.name(value, 34) if isinstance(value, str) else wording.number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _remarks(seen: ColumnProfile, rows: int) -> tuple[Markup, str]:
    said: list[str] = []
    if rows and seen.missing >= rows:
        said.append("never has a value")
    elif rows > 1 and seen.minimum is not None and seen.minimum == seen.maximum:
        said.append("one value only")
    said += [f"{seen.nan:,} NaN"] if seen.nan else []
    said += [f"{seen.infinite:,} infinite"] if seen.infinite else []
    return join(*_spaced([tag("span", one, class_="remark") for one in said])), ", ".join(said)


def _spaced(pieces: Sequence[Markup]) -> list[str | Markup]:
    return [part for piece in pieces for part in (piece, " ")]
