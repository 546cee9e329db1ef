"""Trips out of files as the city publishes them: read lazily, each file by its own names, those of 1 to 60 minutes.

The numbers of zones, miles, microseconds and the hour are all that is read. Must not keep a trip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import TableError
from airfoil.steps.duckdb_engine import duckdb_engine
from airfoil.steps.taxi.schema import find_columns

if TYPE_CHECKING:
    import duckdb

    from airfoil.steps.scans import Scan

LEAST_MINUTES, MOST_MINUTES = 1, 60
MOST_ZONES = 10_000
MEMORY_MIB = 200
MINUTE = 60_000_000
"""In microseconds, as times are read."""


@contextmanager
def open_trips(
    scans: Sequence[Scan],
    *,
    with_distance: bool = True,
    folder: Path | None = None,
    memory_mib: int = MEMORY_MIB,
    threads: int | None = None,
) -> Iterator[duckdb.DuckDBPyRelation]:
    """Open the trips of several files as one relation: `pickup_zone, dropoff_zone, distance, microseconds, hour`.

    Trips of 1 to 60 minutes that say where they began and ended, and how far they went where that is asked for.
    """
    if not scans:
        raise no_trips(scans)
    with ExitStack() as opened:
        for scan in scans:
            opened.enter_context(scan.reading())
        connection = opened.enter_context(duckdb_engine(folder, memory_mib=memory_mib, threads=threads))
        whole, *others = (_trips(scan, connection, with_distance=with_distance) for scan in scans)
        for other in others:
            whole = whole.union(other)
        yield whole


def no_trips(scans: Sequence[Scan]) -> TableError:
    """Return what to say of months that hold no trip that counts, or of no month."""
    if not scans:
        return TableError("There are no trips: no table was named", "Name at least one month.")
    rows = sum(scan.count() for scan in scans)
    names = ", ".join(scan.name for scan in scans)
    return TableError(
        f"There is no trip of {LEAST_MINUTES} to {MOST_MINUTES} minutes in {names}, which has {rows} rows",
        "Check that the file is of the month you want, and complete.",
    )


def _trips(
    scan: Scan, connection: duckdb.DuckDBPyConnection, *, with_distance: bool
) -> duckdb.DuckDBPyRelation:
    columns = find_columns(scan, with_distance=with_distance)
    trips = scan.relation(connection).project(
        f"{columns.pickup_zone} AS pickup_zone, {columns.dropoff_zone} AS dropoff_zone, "
        f"{columns.distance} AS distance, epoch_us({columns.dropoff}) - epoch_us({columns.pickup}) AS microseconds, "
        f"extract(hour FROM {columns.pickup}) AS hour"
    )
    zones = f"BETWEEN 0 AND {MOST_ZONES - 1}"
    return trips.filter(
        f"microseconds BETWEEN {LEAST_MINUTES * MINUTE} AND {MOST_MINUTES * MINUTE} "
        f"AND pickup_zone {zones} AND dropoff_zone {zones}"
        + (" AND isfinite(distance)" if with_distance else "")
    )
