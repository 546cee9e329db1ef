"""The window of time that a task about features works on: the same one in every try of a DAG run.

It ends at the moment the run stands for, unless it is given. Must not know which task asks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Context

AHEAD = timedelta(minutes=5)
"""How far clocks may differ."""
MOST_PIECES = 10_000
Moment = datetime | str | None
"""A moment, the same as text (a template, for instance), or none."""


def run_moment(context: Context) -> datetime:
    """Return what a DAG run stands for: the end of its data interval, else its logical date, else when it was due."""
    given: Any = context.get("data_interval_end") or context.get("logical_date")
    return _aware(given or context["dag_run"].run_after)


def window_of(
    context: Context, *, last: timedelta | None, start: Moment, end: Moment
) -> tuple[datetime, datetime]:
    """Return start and end: `last` before the end, or the given start; the end is given or the run's moment."""
    if (last is None) == (start is None):
        raise ConfigurationError(
            "A window needs one of `last` and `start`", "Give `last=timedelta(days=7)`, or a date as `start`."
        )
    until = run_moment(context) if end is None else moment(end, "end")
    begin = until - last if last is not None else moment(start, "start")
    if begin >= until:
        raise ConfigurationError(
            f"The window from {begin.isoformat()} to {until.isoformat()} is empty",
            "Let it begin before it ends.",
        )
    if until > datetime.now(UTC) + AHEAD:
        raise ConfigurationError(
            f"The window ends at {until.isoformat()}, in the future: rows that come until then would be left out",
            "End it now or earlier.",
        )
    return begin, until


def pieces_of(start: datetime, end: datetime, piece: timedelta) -> list[tuple[datetime, datetime]]:
    """Cut a window into pieces of a length, the last one perhaps shorter; each begins where the one before ends."""
    if piece <= timedelta(0) or (end - start) / piece > MOST_PIECES:
        raise ConfigurationError(
            f"A window of {end - start} cannot be cut into pieces of {piece}", "Give a longer `pieces`."
        )
    edges = [start]
    while edges[-1] + piece < end:
        edges.append(edges[-1] + piece)
    return list(pairwise([*edges, end]))


def moment(given: Moment, argument: str) -> datetime:
    """Read a moment or a date; without a zone it is UTC."""
    if isinstance(given, datetime):
        return _aware(given)
    try:
        return _aware(datetime.fromisoformat(str(given).strip()))
    except ValueError as error:
        raise ConfigurationError(
            f"'{given}' is no moment for '{argument}'", "Write it as 2026-01-31 or 2026-01-31T02:00:00+00:00."
        ) from error


def _aware(given: datetime) -> datetime:
    """Return a plain moment in UTC: Airflow hands out pendulum's, whose differences are no plain timedeltas."""
    utc = (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    return datetime.combine(utc.date(), utc.time(), UTC)
