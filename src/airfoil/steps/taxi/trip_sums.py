"""What a month of trips adds up to for each pair of zones: all that exact least squares and their error need.

A few sums for each of at most some 70,000 pairs stand for any number of trips, so memory does not grow with rows. Sums
of several months are those of one longer month. Must not know a model.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.steps.taxi.pair_sums import PairSums, dense_sums, grouped_sums, joined
from airfoil.steps.taxi.trips import MEMORY_MIB, MINUTE, MOST_ZONES, no_trips

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan

_MONTHS_HELD = 6


@dataclass(frozen=True)
class TripSums:
    """Sums over trips, one entry of each array for each pair of zones."""

    pickup_zones: NDArray[np.int64]
    dropoff_zones: NDArray[np.int64]
    trips: NDArray[np.float64]
    minutes: NDArray[np.float64]
    squared_minutes: float
    distance: NDArray[np.float64]
    squared_distance: float
    minutes_by_distance: float
    rows: int
    """How many rows were read; those that are no trips of 1 to 60 minutes are not in the sums."""

    @property
    def total(self) -> int:
        """How many trips there are."""
        return int(self.trips.sum())

    def squared_error(self, constants: NDArray[np.float64], minutes_per_mile: float = 0.0) -> float:
        """Return the sum of squared errors of `constant of the pair + minutes_per_mile * distance` over all trips."""
        slope = minutes_per_mile
        of_pairs = constants * (self.trips * constants - 2 * self.minutes + 2 * slope * self.distance)
        whole = self.squared_minutes + slope * (slope * self.squared_distance - 2 * self.minutes_by_distance)
        return max(0.0, float(of_pairs.sum() + whole))


def sum_trips(
    scans: Sequence[Scan],
    *,
    with_distance: bool = True,
    folder: Path | None = None,
    memory_mib: int = MEMORY_MIB,
) -> TripSums:
    """Add up the trips of one or more months in one pass; what holds no trip is a TableError."""
    if not scans:
        raise no_trips(scans)
    # Month by month: what is open of two years of files would be more than their trips take. Months side by side need
    # not agree on anything, while the threads of one do.
    processors = os.cpu_count() or 1
    beside = min(len(scans), processors)

    def of_month(scan: Scan) -> PairSums:
        # As published, a month is added up in tables of all pairs; what must be converted first, or has numbers of
        # zones beyond those, is grouped by an engine that can do either.
        return dense_sums(scan, with_distance=with_distance) or grouped_sums(
            scan,
            with_distance=with_distance,
            folder=folder,
            memory_mib=memory_mib // beside,
            threads=processors // beside,
        )

    with ThreadPoolExecutor(beside, "months") as pool:
        found = _added_up(pool.map(of_month, scans))
    if not len(found.pairs):
        raise no_trips(scans)
    return TripSums(
        pickup_zones=found.pairs // MOST_ZONES,
        dropoff_zones=found.pairs % MOST_ZONES,
        trips=found.trips,
        minutes=found.microseconds / MINUTE,
        squared_minutes=found.squared_minutes,
        distance=found.distance,
        squared_distance=found.squared_distance,
        minutes_by_distance=found.minutes_by_distance,
        rows=sum(scan.count() for scan in scans),
    )


def _added_up(months: Iterable[PairSums]) -> PairSums:
    """Add up the sums of all months, some at a time."""
    held: list[PairSums] = []
    for month in months:
        held.append(month)
        if len(held) > _MONTHS_HELD:
            held = [joined(held)]
    return joined(held)
