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
from typing import TYPE_CHECKING, Any

from airfoil.steps.taxi.trips import MEMORY_MIB, MINUTE, MOST_ZONES, no_trips, open_trips

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan

    _Sums = dict[str, NDArray[Any]]

# Times are added up as whole microseconds, exactly. Squares belong to no pair, but one pass is cheaper than two.
_SUMS = (
    "pickup_zone, dropoff_zone, count(*) AS trips, sum(microseconds)::DOUBLE AS microseconds, "
    "sum((microseconds / 6e7) * (microseconds / 6e7)) AS squares"
)
_DISTANCES = (
    ", sum(distance) AS distance, sum(distance * distance) AS distance_squares, "
    "sum(distance * (microseconds / 6e7)) AS products"
)
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
    import numpy as np

    if not scans:
        raise no_trips(scans)
    # Month by month: what is open of two years of files would be more than their trips take. Months side by side need
    # not agree on anything, while the threads of one do.
    processors = os.cpu_count() or 1
    beside = min(len(scans), processors)

    def of_month(scan: Scan) -> _Sums:
        with open_trips(
            [scan],
            with_distance=with_distance,
            folder=folder,
            memory_mib=memory_mib // beside,
            threads=processors // beside,
        ) as trips:
            wanted = _SUMS + (_DISTANCES if with_distance else "")
            return trips.aggregate(wanted, "pickup_zone, dropoff_zone").fetchnumpy()

    with ThreadPoolExecutor(beside, "months") as pool:
        found = _added_up(pool.map(of_month, scans))
    if not len(found["trips"]):
        raise no_trips(scans)
    zeros = np.zeros(len(found["trips"]))
    return TripSums(
        pickup_zones=found["pickup_zone"],
        dropoff_zones=found["dropoff_zone"],
        trips=found["trips"],
        minutes=found["microseconds"] / MINUTE,
        squared_minutes=float(found["squares"].sum()),
        distance=found["distance"] if with_distance else zeros,
        squared_distance=float(found["distance_squares"].sum()) if with_distance else 0.0,
        minutes_by_distance=float(found["products"].sum()) if with_distance else 0.0,
        rows=sum(scan.count() for scan in scans),
    )


def _added_up(months: Iterable[_Sums]) -> _Sums:
    """Add up the sums of all months, some at a time; pairs of zones come in their order."""
    held: list[_Sums] = []
    for month in months:
        held.append(month)
        if len(held) > _MONTHS_HELD:
            held = [_joined(held)]
    return _joined(held)


def _joined(parts: Sequence[_Sums]) -> _Sums:
    import numpy as np

    found = {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}
    pairs, place = np.unique(
        found.pop("pickup_zone").astype(np.int64) * MOST_ZONES + found.pop("dropoff_zone"),
        return_inverse=True,
    )
    zones = {"pickup_zone": pairs // MOST_ZONES, "dropoff_zone": pairs % MOST_ZONES}
    # Microseconds are whole numbers below 2**53, so that they are added up exactly.
    return zones | {
        name: np.bincount(place, values, len(pairs)).astype(np.float64, copy=False)
        for name, values in found.items()
    }
