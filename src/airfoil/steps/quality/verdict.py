"""Whether what was counted is good enough: passed, failed or not applicable, each with its reason. Reads no data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from airfoil.records import CheckOutcome, ColumnProfile, QualityCheck, QualityReport

if TYPE_CHECKING:
    from airfoil.steps.quality.contract import Contract, Freshness
    from airfoil.steps.quality.measuring import Count, Measurement
    from airfoil.steps.quality.questions import Question

_ROUNDING = 1e-12
_MOST_TOLD = 3
_HOUR_SECONDS = 3600


def judge(contract: Contract, measured: Measurement, at: dt.datetime) -> QualityReport:
    """Hold the counts against what the contract allows; `at` is now, for how old the newest row is."""
    checks = tuple(
        _fresh(question, contract.freshness, measured, at)
        if question.check == "freshness" and contract.freshness and not question.moot
        else _judged(question, count)
        for question, count in zip(measured.questions, measured.counts, strict=True)
    )
    return _report(
        measured.dataset, at, measured.rows, measured.duplicate_rows, checks=checks, columns=measured.columns
    )


def join(reports: Sequence[QualityReport]) -> QualityReport:
    """Make one report of several about parts of the same contract; the last one says most about the table."""
    last = reports[-1]
    return _report(
        last.dataset,
        last.at,
        last.rows,
        last.duplicate_rows,
        checks=tuple(check for report in reports for check in report.checks),
        columns=last.columns,
    )


def _report(
    dataset: str,
    at: dt.datetime,
    rows: int,
    duplicate_rows: int | None,
    *,
    checks: tuple[QualityCheck, ...],
    columns: tuple[ColumnProfile, ...],
) -> QualityReport:
    failures = [check for check in checks if check.outcome == "failed"]
    return QualityReport(
        dataset=dataset,
        at=at,
        passed=not failures,
        reason=_reason(dataset, rows, checks, failures),
        rows=rows,
        duplicate_rows=duplicate_rows,
        checks=checks,
        columns=columns,
    )


def _judged(question: Question, count: Count) -> QualityCheck:
    if question.moot:
        return _check(question, "not_applicable", question.moot)
    if count.is_broken:
        # Whatever share may fail: it is the wrong table.
        return _check(question, "failed", count.note or "it is not so", count)
    if not count.checked:
        return _check(question, "not_applicable", "there is nothing to look at", count)
    share = count.failed / count.checked
    told = (
        f"{count.failed} of {count.checked} ({share * 100:.4g} %)"
        if count.failed
        else f"none of {count.checked}"
    )
    if share > question.allowed + _ROUNDING:
        return _check(question, "failed", told, count)
    return _check(question, "passed", count.note or told, count)


def _fresh(
    question: Question, asked: Freshness | None, measured: Measurement, at: dt.datetime
) -> QualityCheck:
    if asked is None or measured.newest is None:
        return _check(question, "not_applicable", "no row has a time")
    hours = (at - measured.newest).total_seconds() / _HOUR_SECONDS
    outcome: CheckOutcome = "passed" if -asked.ahead_hours <= hours <= asked.hours else "failed"
    told = (
        f"the newest row is {hours:.4g} hours old"
        if hours >= 0
        else f"the newest row lies {-hours:.4g} hours ahead"
    )
    return _check(question, outcome, f"{told} ({measured.newest.isoformat()})").model_copy(
        update={"checked": 1, "failed": int(outcome == "failed")}
    )


def _check(
    question: Question, outcome: CheckOutcome, reason: str, count: Count | None = None
) -> QualityCheck:
    return QualityCheck(
        check=question.check,
        columns=question.columns,
        outcome=outcome,
        asks=question.asks,
        checked=count.checked if count else 0,
        failed=count.failed if count else 0,
        allowed=question.allowed,
        reason=reason,
        examples=count.examples if count else (),
    )


def _reason(dataset: str, rows: int, checks: Sequence[QualityCheck], failures: Sequence[QualityCheck]) -> str:
    asked = [check for check in checks if check.outcome != "not_applicable"]
    if not failures:
        return f"{dataset} passed all {len(asked)} checks on {rows} rows"
    told = "; ".join(
        f"{check.check} of {', '.join(check.columns) or 'the table'}: {check.reason}"
        for check in failures[:_MOST_TOLD]
    )
    more = f"; and {len(failures) - _MOST_TOLD} more" if len(failures) > _MOST_TOLD else ""
    return f"{dataset} failed {len(failures)} of {len(asked)} checks on {rows} rows: {told}{more}"
