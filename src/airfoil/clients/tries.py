"""The tries of a run: when each began and how it ended, and which points of a metric's curve still count.

Tries are kept as one tag of the run (a JSON list). A point belongs to the try in whose time it was written. Pure: no
server, no clock.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

TRIES_TAG = "airfoil.tries"
MAX_CHARACTERS = 8000  # of a tag
ABANDONED = "abandoned"
"""The outcome of a try that never said how it ended: its process is gone."""
FINISHED = "FINISHED"


@dataclass(frozen=True)
class Try:
    """One attempt at a task: `outcome` is a run's status, or empty while it runs."""

    number: int
    started_ms: int
    ended_ms: int | None = None
    outcome: str = ""
    last_step: int | None = None


@dataclass(frozen=True)
class MetricPoint:
    """One measured number, and whether a later try has measured from here on again."""

    step: int
    value: float
    timestamp_ms: int
    try_number: int = 0
    abandoned: bool = False


def read_tries(tag: str | None) -> tuple[Try, ...]:
    """Return what a tag says; a tag that somebody else has written over says nothing."""
    try:
        rows = json.loads(tag or "[]")
        return tuple(
            Try(
                int(row["try"]),
                int(row["started_ms"]),
                None if row["ended_ms"] is None else int(row["ended_ms"]),
                str(row["outcome"]),
                None if row["last_step"] is None else int(row["last_step"]),
            )
            for row in rows
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return ()


def write_tries(tries: Sequence[Try]) -> str:
    """Return the tag; when it would be too long the oldest tries are left out."""
    rows = []
    for one in tries:
        row = asdict(one)
        rows.append({"try": row.pop("number")} | row)
    while len(text := json.dumps(rows, separators=(",", ":"))) > MAX_CHARACTERS:
        del rows[0]
    return text


def begin_try(
    tries: Sequence[Try], number: int, now_ms: int, *, resuming: bool = False, after_ms: int = 0
) -> tuple[Try, ...]:
    """Add a try; those before it that never ended are abandoned. `resuming` goes on with the one that is open.

    `after_ms` is the time of the newest point that the run holds.
    """
    if resuming and tries and tries[-1].number == number and not tries[-1].outcome:
        return tuple(tries)
    before = [one if one.outcome else replace(one, outcome=ABANDONED) for one in tries]
    # Clocks of two workers differ: a later try must not begin before what an earlier one has said.
    said = [after_ms, *(stamp for one in before for stamp in (one.started_ms, one.ended_ms or 0))]
    return (*before, Try(number, max(now_ms, max(said) + 1)))


def end_try(tries: Sequence[Try], now_ms: int, outcome: str, last_step: int | None) -> tuple[Try, ...]:
    """Say how the newest try ended."""
    if not tries:
        return ()
    ended_ms = max(now_ms, tries[-1].started_ms)
    return (*tries[:-1], replace(tries[-1], ended_ms=ended_ms, outcome=outcome, last_step=last_step))


def mark_points(points: Iterable[MetricPoint], tries: Sequence[Try]) -> list[MetricPoint]:
    """Say of each point which try wrote it, and whether a later try went over the same steps again.

    A try that took up where the last one ended leaves the earlier points as they are.
    """
    starts = [one.started_ms for one in tries]
    owned = sorted(
        # The place of the try in whose time the point was written; -1 for a time before the first.
        ((bisect_right(starts, point.timestamp_ms) - 1, point) for point in points),
        key=lambda pair: (pair[0], pair[1].timestamp_ms, pair[1].step),
    )
    marked: list[MetricPoint] = []
    owner_now, again_from, lowest = len(tries), None, None
    for owner, point in reversed(owned):
        if owner != owner_now:
            owner_now = owner
            again_from = lowest
        number = tries[owner].number if owner >= 0 else 0
        marked.append(
            replace(point, try_number=number, abandoned=again_from is not None and point.step >= again_from)
        )
        lowest = point.step if lowest is None else min(lowest, point.step)
    return sorted(marked, key=lambda point: (point.timestamp_ms, point.step))


def step_to_resume_from(points: Iterable[MetricPoint], tries: Sequence[Try]) -> int | None:
    """Return the highest step that still counts since a try last finished; None where one must begin anew.

    A finished try that was cleared is to be done again from the start.
    """
    finished = [
        one.started_ms if one.ended_ms is None else one.ended_ms for one in tries if one.outcome == FINISHED
    ]
    steps = [
        point.step
        for point in mark_points(points, tries)
        if not point.abandoned and (not finished or point.timestamp_ms > finished[-1])
    ]
    return max(steps, default=None)
