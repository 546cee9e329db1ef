"""Exact least squares of minutes on one-hot zones and miles, from sums over trips: the solution of smallest norm.

It is what `numpy.linalg.lstsq` and scikit-learn's LinearRegression find on the whole one-hot matrix, which is never
made. Zones are solved by the eigenvectors of their centred counts. How many of them are null is counted, not guessed
from small numbers: one for the constant, and one for each group of zones that no trip connects with the others. Miles
are then what is left of them beside the zones. Must not read a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.errors import TableError
from airfoil.steps.taxi.zone_regression import ZoneRegression

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.taxi.trip_sums import TripSums

MOST_COLUMNS = 4_000
_NOTHING_LEFT = 1e-12
"""Share of the squares of miles below which what zones leave of them is rounding: they alone say how far it is."""


def fit_zone_regression(sums: TripSums) -> ZoneRegression:
    """Solve the normal equations of the sums."""
    import numpy as np

    pickups, pickup_of = np.unique(sums.pickup_zones, return_inverse=True)
    dropoffs, dropoff_of = np.unique(sums.dropoff_zones, return_inverse=True)
    dropoff_of = dropoff_of + len(pickups)
    size = len(pickups) + len(dropoffs)
    if size > MOST_COLUMNS:
        raise TableError(
            f"The trips have {size} zones, and the city has 265",
            "Check that the columns of zones hold zones.",
        )
    total = sums.trips.sum()
    mean_minutes, mean_miles = sums.minutes.sum() / total, sums.distance.sum() / total
    trips, minutes, miles = (
        _by_zone(weights, pickup_of, dropoff_of, size)
        for weights in (sums.trips, sums.minutes, sums.distance)
    )
    inverse = _Inverse(
        _centred_counts(sums.trips, pickup_of, dropoff_of, trips), _null_directions(pickup_of, dropoff_of)
    )
    of_minutes = inverse.times(minutes - trips * mean_minutes)
    of_miles = inverse.times(miles - trips * mean_miles)
    slope = _slope(sums, of_minutes, of_miles, miles - trips * mean_miles, minutes - trips * mean_minutes)
    zones = of_minutes - slope * of_miles
    return ZoneRegression(
        constant=float(mean_minutes - slope * mean_miles - (trips / total) @ zones),
        minutes_per_mile=float(slope),
        pickup_zones=pickups,
        pickup_minutes=zones[: len(pickups)],
        dropoff_zones=dropoffs,
        dropoff_minutes=zones[len(pickups) :],
    )


def regression_error(sums: TripSums, model: ZoneRegression) -> float:
    """Return the root of the mean squared error of a model over the trips of these sums."""
    constants = model.constants(sums.pickup_zones, sums.dropoff_zones)
    return float((sums.squared_error(constants, model.minutes_per_mile) / sums.total) ** 0.5)


class _Inverse:
    """The pseudo-inverse of a symmetric matrix of which it is known how many directions are null."""

    def __init__(self, matrix: NDArray[np.float64], null: int) -> None:
        import numpy as np

        values, vectors = np.linalg.eigh(matrix)
        self._values, self._vectors = values[null:], vectors[:, null:]

    def times(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self._vectors @ ((self._vectors.T @ vector) / self._values)
        return found


def _by_zone(
    weights: NDArray[np.float64], pickup_of: NDArray[np.intp], dropoff_of: NDArray[np.intp], size: int
) -> NDArray[np.float64]:
    import numpy as np

    return np.asarray(
        np.bincount(pickup_of, weights, size) + np.bincount(dropoff_of, weights, size), dtype=np.float64
    )


def _centred_counts(
    counts: NDArray[np.float64],
    pickup_of: NDArray[np.intp],
    dropoff_of: NDArray[np.intp],
    trips: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what the centred one-hot matrix gives multiplied with itself."""
    import numpy as np

    matrix = np.diag(trips)
    matrix[pickup_of, dropoff_of] = counts
    matrix[dropoff_of, pickup_of] = counts
    matrix -= np.outer(trips, trips) / counts.sum()
    return matrix


def _null_directions(pickup_of: NDArray[np.intp], dropoff_of: NDArray[np.intp]) -> int:
    """Count the directions in which zones can change and no prediction does.

    Within zones that trips connect, pickups can gain what drop-offs lose; and all of both can move with the constant.
    """
    import numpy as np

    label = np.arange(int(dropoff_of.max()) + 1)
    while True:
        before = label.copy()
        np.minimum.at(label, dropoff_of, label[pickup_of])
        np.minimum.at(label, pickup_of, label[dropoff_of])
        if np.array_equal(label, before):
            return len(np.unique(label)) + 1


def _slope(
    sums: TripSums,
    of_minutes: NDArray[np.float64],
    of_miles: NDArray[np.float64],
    miles: NDArray[np.float64],
    minutes: NDArray[np.float64],
) -> float:
    """Return minutes a mile: of what zones leave of both; the shortest solution where they leave nothing of miles."""
    total = sums.trips.sum()
    variance = sums.squared_distance - sums.distance.sum() ** 2 / total
    left = variance - miles @ of_miles
    if left > _NOTHING_LEFT * sums.squared_distance:
        together = sums.minutes_by_distance - sums.distance.sum() * sums.minutes.sum() / total
        return float((together - of_miles @ minutes) / left)
    return float((of_minutes @ of_miles) / (1 + of_miles @ of_miles))
