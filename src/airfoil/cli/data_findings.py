"""What a report says in a terminal: one line for each part, and tables of what failed. Prints nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airfoil.steps.report import DatasetReport

MOST_ROWS = 20
_MOST_CHARACTERS = 60


@dataclass(frozen=True)
class Findings:
    """A table to print, and what is to be said below it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[str, ...] = ()
    note: str = ""


def parts(report: DatasetReport) -> Iterator[tuple[str, str, str]]:
    """Give each part that was looked at, its outcome, and what was found."""
    for part, outcome in report.outcomes.items():
        # What is named in brackets stands in the tables below.
        yield part, outcome.replace("_", " "), _line(report.findings[part].partition(" (")[0])


def tables(report: DatasetReport) -> Iterator[Findings]:
    """Give what failed: checks, then columns, then rows."""
    if report.quality is not None and report.quality.failures:
        yield _checks(report)
    if report.drift is not None and report.drift_verdict is not None and report.drift_verdict.drifted:
        yield _drift(report)
    odd = report.anomaly_verdict
    if report.anomalies is not None and odd is not None and not odd.passed and report.anomalies.top:
        yield _oddest(report)


def _checks(report: DatasetReport) -> Findings:
    failures = report.quality.failures if report.quality else ()
    rows = tuple(
        (one.check, _line(", ".join(one.columns)), _line(one.asks), _line(one.reason))
        for one in failures[:MOST_ROWS]
    )
    return Findings(("CHECK", "COLUMN", "ASKED", "FOUND"), rows, note=_more(len(failures), "checks"))


def _drift(report: DatasetReport) -> Findings:
    reasons = {one.name: one.reason for one in (report.drift_verdict.columns if report.drift_verdict else ())}
    drifted = report.drift_verdict.drifted if report.drift_verdict else ()
    effects = {one.name: one.effect for one in (report.drift.columns if report.drift else ())}
    ordered = sorted(drifted, key=lambda name: -(effects.get(name) or 0.0))
    rows = tuple((_line(name), _line(reasons[name], 2 * _MOST_CHARACTERS)) for name in ordered[:MOST_ROWS])
    return Findings(("DRIFTED", "WHY"), rows, note=_more(len(drifted), "columns"))


def _oddest(report: DatasetReport) -> Findings:
    top = report.anomalies.top[:5] if report.anomalies else ()
    rows = tuple(
        (
            str(one.row),
            f"{one.score:.3f}",
            "; ".join(
                f"{_line(reason.column)} {_number(reason.value)}, usually {_number(reason.usual)}"
                for reason in one.reasons
            ),
        )
        for one in top
    )
    return Findings(("ROW", "SCORE", "WHY"), rows, right=("ROW", "SCORE"))


def _number(value: float | None) -> str:
    return "missing" if value is None else f"{value:.4g}"


def _more(count: int, what: str) -> str:
    return f"and {count - MOST_ROWS} more {what}" if count > MOST_ROWS else ""


def _line(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Keep a text on one line, and what a terminal would obey out of it."""
    plain = "".join(one if one.isprintable() else "?" for one in " ".join(text.split()))
    return plain if len(plain) <= most else plain[: most - 1] + "…"
