"""The rows that a training set is made for: that there are any, and that all of them lie in the past.

What an entity will have looked like tomorrow is known to nobody; a row of tomorrow is a mistake in a clock, a zone or a
unit. Must not know what is joined to the rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airfoil.errors import TableError
from airfoil.steps.scans import Scan
from airfoil.steps.training_sets import instants

AHEAD = timedelta(minutes=5)
"""How far clocks may differ."""


def require_past_rows(entities: Scan, timestamp: str, at: datetime) -> int:
    """Return how many rows there are, and refuse none at all, and any whose moment is after `at`."""
    import polars as pl

    if timestamp not in entities.columns:
        raise TableError(
            f"The entity rows {entities.name} have no column '{timestamp}'",
            f"They have: {', '.join(entities.columns[:20])}.",
        )
    dtype = pl.DataFrame(entities.schema.empty_table().select([timestamp])).schema[timestamp]
    unit = instants.unit_of(dtype, timestamp, entities.name)
    ticks = (at + AHEAD - datetime(1970, 1, 1, tzinfo=at.tzinfo)) // timedelta(microseconds=1)
    limit = instants.literal(ticks * 1000 if unit == "ns" else ticks, unit, dtype)
    column = pl.col(timestamp)
    is_late = column > limit if dtype != pl.Null else pl.lit(value=False)
    with entities.reading():
        rows, late, latest = (
            entities.lazy()
            .select(pl.len(), is_late.sum().alias("late"), column.max().cast(pl.String).alias("latest"))
            .collect(engine="streaming")
            .row(0)
        )
    if not rows:
        raise TableError(f"There are no entity rows in {entities.name}", "Give at least one.")
    if late:
        raise TableError(
            f"{late} of {rows} entity rows in {entities.name} lie in the future (the latest at {latest})",
            "Nothing is known of them yet: look at the zone and the unit of their timestamps, or leave them out.",
        )
    return int(rows)
