"""The sums of one month by pair of zones, in two ways that agree.

Dense: arrays with a place for each pair, which stay in a processor's cache; for columns and zones as they are
published. Grouped: by DuckDB, for any type that it can convert and any number of a zone. Must not know a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.steps.taxi.schema import plain_columns
from airfoil.steps.taxi.trips import LEAST_MINUTES, MINUTE, MOST_MINUTES, MOST_ZONES, open_trips

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan

DENSE_ZONES = 300
"""New York has 265. An array of so many pairs takes 0.7 MB: as much as a processor has beside it."""
_BATCH_ROWS = 131_072

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
class PairSums:
    """Sums over trips: arrays with an entry for each pair that has one, `pickup * MOST_ZONES + drop-off` in order."""

    pairs: NDArray[np.int64]
    trips: NDArray[np.float64]
    microseconds: NDArray[np.float64]
    distance: NDArray[np.float64]
    squared_minutes: float
    squared_distance: float
    minutes_by_distance: float


def joined(parts: Sequence[PairSums]) -> PairSums:
    """Add up sums of several months."""
    import numpy as np

    pairs, place = np.unique(np.concatenate([part.pairs for part in parts]), return_inverse=True)

    def added(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        # Microseconds are whole numbers below 2**53, so that they are added up exactly.
        return np.bincount(place, np.concatenate(values), len(pairs)).astype(np.float64, copy=False)

    return PairSums(
        pairs=pairs,
        trips=added([part.trips for part in parts]),
        microseconds=added([part.microseconds for part in parts]),
        distance=added([part.distance for part in parts]),
        squared_minutes=sum(part.squared_minutes for part in parts),
        squared_distance=sum(part.squared_distance for part in parts),
        minutes_by_distance=sum(part.minutes_by_distance for part in parts),
    )


def grouped_sums(
    scan: Scan, *, with_distance: bool, folder: Path | None, memory_mib: int, threads: int
) -> PairSums:
    """Add up a month of any types and zones."""
    import numpy as np

    with open_trips(
        [scan], with_distance=with_distance, folder=folder, memory_mib=memory_mib, threads=threads
    ) as trips:
        wanted = _SUMS + (_DISTANCES if with_distance else "")
        found = {
            name: np.asarray(values)
            for name, values in trips.aggregate(wanted, "pickup_zone, dropoff_zone").fetchnumpy().items()
        }
    pairs = found["pickup_zone"].astype(np.int64) * MOST_ZONES + found["dropoff_zone"]
    return PairSums(
        pairs=pairs,
        trips=found["trips"],
        microseconds=found["microseconds"],
        distance=found["distance"] if with_distance else np.zeros(len(pairs)),
        squared_minutes=float(found["squares"].sum()),
        squared_distance=float(found["distance_squares"].sum()) if with_distance else 0.0,
        minutes_by_distance=float(found["products"].sum()) if with_distance else 0.0,
    )


def dense_sums(scan: Scan, *, with_distance: bool) -> PairSums | None:
    """Add up a month with columns as they are published; None where a column or a zone is not like that."""
    columns = plain_columns(scan, with_distance=with_distance)
    if columns is None:
        return None
    table = _PairTable()
    for batch in scan.batches(columns, _BATCH_ROWS):
        if not table.add(batch):
            return None
    return table.sums()


class _PairTable:
    """A place for each pair of zones below DENSE_ZONES, and one more for rows that are no trip."""

    def __init__(self) -> None:
        import numpy as np

        self._trips = np.zeros(DENSE_ZONES**2 + 1, dtype=np.int64)
        self._microseconds, self._distance = (np.zeros(DENSE_ZONES**2 + 1) for _ in range(2))
        self._squares = np.zeros(3)

    def add(self, batch: pa.RecordBatch) -> bool:
        """Add the trips of a batch; whether all zones have a place."""
        import numpy as np

        pickup, dropoff, *zones_and_miles = (_values(column) for column in batch.columns)
        zones, miles = zones_and_miles[:2], zones_and_miles[2:]
        if any(numbers.min() < 0 or numbers.max() >= DENSE_ZONES for numbers in zones):
            return False
        microseconds = dropoff - pickup
        is_none = (microseconds < LEAST_MINUTES * MINUTE) | (microseconds > MOST_MINUTES * MINUTE)
        for column in batch.columns:
            if column.null_count:
                is_none |= column.is_null().to_numpy(zero_copy_only=False)
        for values in miles:
            if not np.isfinite(values.sum()):
                is_none |= ~np.isfinite(values)
        # Few rows are none: to send those elsewhere takes a fraction of copying the others.
        none = np.flatnonzero(is_none)
        place = np.multiply(zones[0], DENSE_ZONES, dtype=np.intp)
        place += zones[1]
        place[none] = DENSE_ZONES**2
        self._trips += np.bincount(place, minlength=len(self._trips))
        times = microseconds.astype(np.float64)
        times[none] = 0
        self._microseconds += np.bincount(place, times, len(self._trips))
        self._squares[0] += _dot(times, times)
        for values in miles:
            travelled = values.copy()
            travelled[none] = 0
            self._distance += np.bincount(place, travelled, len(self._trips))
            self._squares[1:] += _dot(travelled, travelled), _dot(travelled, times)
        return True

    def sums(self) -> PairSums:
        """Return what was added, of the pairs that have a trip."""
        import numpy as np

        places = np.flatnonzero(self._trips[:-1])
        return PairSums(
            places // DENSE_ZONES * MOST_ZONES + places % DENSE_ZONES,
            self._trips[places].astype(np.float64),
            self._microseconds[places],
            self._distance[places],
            *(self._squares / (MINUTE**2, 1, MINUTE)).tolist(),
        )


def _values(column: pa.Array) -> NDArray[Any]:
    """Return the values of a column, moments as microseconds; what is missing is any number."""
    import numpy as np
    import pyarrow as pa

    is_time = pa.types.is_timestamp(column.type)
    known = column.fill_null(pa.scalar(0, pa.int64()).cast(column.type)) if column.null_count else column
    values: NDArray[Any] = known.to_numpy(zero_copy_only=False)
    return values.astype("datetime64[us]", copy=False).view(np.int64) if is_time else values


def _dot(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return the sum of products in this thread: the threads of BLAS wait for each other longer than this takes."""
    import numpy as np

    return float(np.einsum("i,i", left, right))
