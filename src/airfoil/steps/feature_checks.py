"""Decides whether a feature store can be used and whether online features are right: limits stand here alone.

What stands behind a view and what is online was measured elsewhere; whether a task fails for it is the task's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from airfoil.records import OnlineSample, Record, ViewFacts

_NAMED = 5


class StoreLimits(Record):
    """What is asked of the sources of views."""

    fresh_within: timedelta | None = Field(default=None, gt=timedelta(0))
    """How old the newest row may be; None: as old as it likes."""
    ahead_by: timedelta = Field(default=timedelta(minutes=5), ge=timedelta(0))
    """How far in the future a row may lie, since clocks differ."""


class StoreVerdict(Record):
    """Whether views can be brought online, and everything that stands against it."""

    at: AwareDatetime
    passed: bool
    reason: str = Field(min_length=1)
    failures: tuple[str, ...] = ()
    """One sentence each, the view's name first."""
    limits: StoreLimits
    views: tuple[ViewFacts, ...]


class OnlineLimits(Record):
    """Which shares of the sampled entities may differ from their source."""

    missing: float = Field(default=0.0, ge=0, le=1)
    stale: float = Field(default=0.0, ge=0, le=1)
    different: float = Field(default=0.0, ge=0, le=1)


class OnlineVerdict(Record):
    """Whether a view is online as its source says, with what was counted."""

    passed: bool
    outcome: Literal["passed", "failed", "empty"]
    """`empty`: no entity has a row in the window, so nothing could be compared; that does not pass."""
    reason: str = Field(min_length=1)
    limits: OnlineLimits
    sample: OnlineSample


def judge_store(facts: Sequence[ViewFacts], at: datetime, limits: StoreLimits | None = None) -> StoreVerdict:
    """Judge all views together; `at` is the moment that freshness is counted from."""
    limits = limits or StoreLimits()
    failures = [f"{view.view}: {reason}" for view in facts for reason in _against(view, at, limits)]
    if not facts:
        failures = ["there is no view that can be brought online"]
    told = "; ".join(failures[:_NAMED])
    if len(failures) > _NAMED:
        told += f"; and {len(failures) - _NAMED} more"
    return StoreVerdict(
        at=at,
        passed=not failures,
        reason=told or f"{len(facts)} views can be brought online",
        failures=tuple(failures),
        limits=limits,
        views=tuple(facts),
    )


def judge_online(sample: OnlineSample, limits: OnlineLimits | None = None) -> OnlineVerdict:
    """Judge a sample of one view."""
    limits = limits or OnlineLimits()
    if not sample.sampled:
        reason = f"{sample.view}: no entity has a row from {_short(sample.start)} to {_short(sample.end)}"
        return OnlineVerdict(passed=False, outcome="empty", reason=reason, limits=limits, sample=sample)
    counts = {
        "missing": (sample.missing, limits.missing),
        "stale": (sample.stale, limits.stale),
        "different": (sample.different, limits.different),
    }
    over = [name for name, (count, share) in counts.items() if count > share * sample.sampled]
    told = [
        f"{count} {name}" + (f" (more than {share:.4g} of them)" if name in over and share else "")
        for name, (count, share) in counts.items()
        if count
    ]
    reason = f"{sample.view}: of {sample.sampled} entities {', '.join(told) or 'all are as in the source'}"
    if over and (example := next((one for one in sample.examples if one.kind in over), None)):
        reason += f"; such as {example.entity}: {example.detail}"
    return OnlineVerdict(
        passed=not over,
        outcome="failed" if over else "passed",
        reason=reason,
        limits=limits,
        sample=sample,
    )


def _against(view: ViewFacts, at: datetime, limits: StoreLimits) -> list[str]:
    found = [fault.reason for fault in view.faults]
    if view.newest is None:
        return found
    if view.newest > at + limits.ahead_by:
        found.append(f"its newest row is of {_short(view.newest)}, which is in the future")
    elif limits.fresh_within is not None and at - view.newest > limits.fresh_within:
        age = at - view.newest
        fresh = _spoken(limits.fresh_within)
        found.append(
            f"its newest row is of {_short(view.newest)}, {_spoken(age)} old; at most {fresh} is fresh"
        )
    return found


def _short(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="seconds")


def _spoken(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"  # noqa: PLR2004 - two days
