"""What a month of trips adds up to for each pair of zones: all that exact least squares and their error need.

A few sums for each of at most some 70,000 pairs stand for any number of trips, so memory does not grow with rows. Sums
of several months are those of one longer month. Must not know a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.steps.taxi.trips import MEMORY_MIB, MINUTE, MOST_ZONES, no_trips, open_trips

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan

# Times are added up as whole microseconds, exactly. Squares belong to no pair, but one pass is cheaper than two.
_SUMS = (
    "pickup_zone, dropoff_zone, count(*) AS trips, sum(microseconds)::DOUBLE AS microseconds, "
    "sum((microseconds / 6e7) * (microseconds / 6e7)) AS squares"
)
_DISTANCES = (
    ", sum(distance) AS distance, sum(distance * distance) AS distance_squares, "
    "sum(distance * (microseconds / 6e7)) AS products"
)


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
    # Month by month: what is open of a file is memory, and of two years it would be more than the trips take.
    months = [
        _of_month(scan, with_distance=with_distance, folder=folder, memory_mib=memory_mib) for scan in scans
    ]
    found = {name: np.concatenate([month[name] for month in months]) for name in months[0]}
    if not len(found["trips"]):
        raise no_trips(scans)
    pairs, place = np.unique(found["pickup_zone"] * MOST_ZONES + found["dropoff_zone"], return_inverse=True)
    zeros = np.zeros(len(pairs))
    return TripSums(
        pickup_zones=pairs // MOST_ZONES,
        dropoff_zones=pairs % MOST_ZONES,
        trips=_summed(place, found["trips"]),
        # Whole numbers below 2**53, so that they are added up exactly.
        minutes=_summed(place, found["microseconds"]) / MINUTE,
        squared_minutes=float(found["squares"].sum()),
        distance=_summed(place, found["distance"]) if with_distance else zeros,
        squared_distance=float(found["distance_squares"].sum()) if with_distance else 0.0,
        minutes_by_distance=float(found["products"].sum()) if with_distance else 0.0,
        rows=sum(scan.count() for scan in scans),
    )


def _summed(place: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up the values of each pair of zones."""
    import numpy as np

    return np.bincount(place, values).astype(np.float64, copy=False)


def _of_month(
    scan: Scan, *, with_distance: bool, folder: Path | None, memory_mib: int
) -> dict[str, NDArray[Any]]:
    """Return the sums of one file, a row for each pair of zones."""
    import numpy as np

    with open_trips([scan], with_distance=with_distance, folder=folder, memory_mib=memory_mib) as trips:
        sums = trips.aggregate(_SUMS + (_DISTANCES if with_distance else ""), "pickup_zone, dropoff_zone")
        # In order, so that the same trips give the same sums to the last bit.
        found = sums.order("pickup_zone, dropoff_zone").fetchnumpy()
    return {
        name: np.asarray(column, np.int64 if name.endswith("zone") else np.float64)
        for name, column in found.items()
    }
