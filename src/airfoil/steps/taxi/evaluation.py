"""How far predicted minutes lie from the true ones: over all trips, by hour, by zone group, and against each other.

Trips are gone through in batches, so memory does not grow with rows; the record holds a few hundred numbers. Whether
that is good enough is not said here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, FiniteFloat

from airfoil.records import Record, Scores
from airfoil.steps.taxi.trips import MINUTE, MOST_MINUTES, no_trips, open_trips
from airfoil.steps.taxi.zones import ZONE_GROUPS, group_numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan

BATCH_ROWS = 131_072
BIN_MINUTES = 2
_BINS = MOST_MINUTES // BIN_MINUTES
_HOURS = 24

Predict = Callable[["NDArray[Any]", "NDArray[Any]", "NDArray[np.float64]"], "NDArray[np.floating[Any]]"]
"""Pickup zones, drop-off zones and miles to minutes."""


class GroupError(Record):
    """The error over the trips of an hour or of a group of zones."""

    name: str
    trips: int = Field(ge=1)
    rmse: FiniteFloat
    bias: FiniteFloat
    """Predicted minus true minutes, on average."""


class TripEvaluation(Record):
    """What predictions of minutes were worth on a month of trips."""

    trips: int = Field(ge=1)
    rmse: FiniteFloat
    mae: FiniteFloat
    bias: FiniteFloat
    by_hour: tuple[GroupError, ...]
    by_pickup: tuple[GroupError, ...]
    by_dropoff: tuple[GroupError, ...]
    counts: tuple[tuple[int, ...], ...]
    """Trips by true minutes (rows) and predicted ones, in bins of BIN_MINUTES; the outermost hold the rest."""

    @property
    def scores(self) -> Scores:
        """The numbers over all trips, for a gate or a ledger."""
        return Scores(values={"rmse": self.rmse, "mae": self.mae, "bias": self.bias}, rows=self.trips)


def evaluate_trips(
    scans: Sequence[Scan], predict: Predict, *, with_distance: bool = True, folder: Path | None = None
) -> TripEvaluation:
    """Predict every trip and compare."""
    import numpy as np

    groups = len(ZONE_GROUPS)
    hours, pickups, dropoffs = _Errors(_HOURS), _Errors(groups), _Errors(groups)
    absolute, counts = 0.0, np.zeros((_BINS, _BINS), dtype=np.int64)
    with open_trips(scans, with_distance=with_distance, folder=folder) as trips:
        for batch in trips.to_arrow_reader(BATCH_ROWS):
            pickup, dropoff, miles, time, hour = (
                batch.column(name).to_numpy(zero_copy_only=False)
                for name in ("pickup_zone", "dropoff_zone", "distance", "microseconds", "hour")
            )
            minutes = time / MINUTE
            predicted = predict(pickup, dropoff, miles)
            error = predicted - minutes
            absolute += float(np.abs(error).sum())
            hours.add(hour, error)
            pickups.add(group_numbers(pickup), error)
            dropoffs.add(group_numbers(dropoff), error)
            cells = _bin(minutes) * _BINS + _bin(predicted)
            counts += np.bincount(cells, minlength=_BINS**2).reshape(_BINS, _BINS)
    total = int(counts.sum())
    if not total:
        raise no_trips(scans)
    return TripEvaluation(
        trips=total,
        rmse=float((hours.squares.sum() / total) ** 0.5),
        mae=absolute / total,
        bias=float(hours.errors.sum() / total),
        by_hour=hours.named([str(hour) for hour in range(_HOURS)]),
        by_pickup=pickups.named(ZONE_GROUPS),
        by_dropoff=dropoffs.named(ZONE_GROUPS),
        counts=tuple(tuple(row) for row in counts.tolist()),
    )


class _Errors:
    """Sums of errors by group."""

    def __init__(self, size: int) -> None:
        import numpy as np

        self.trips, self.errors, self.squares = (np.zeros(size) for _ in range(3))

    def add(self, group: NDArray[Any], error: NDArray[np.floating[Any]]) -> None:
        import numpy as np

        size = len(self.trips)
        self.trips += np.bincount(group, minlength=size)
        self.errors += np.bincount(group, error, size)
        self.squares += np.bincount(group, error * error, size)

    def named(self, names: Sequence[str]) -> tuple[GroupError, ...]:
        """Return the groups that have a trip."""
        return tuple(
            GroupError(name=name, trips=int(trips), rmse=(squares / trips) ** 0.5, bias=error / trips)
            for name, trips, error, squares in zip(
                names, self.trips.tolist(), self.errors.tolist(), self.squares.tolist(), strict=True
            )
            if trips
        )


def _bin(minutes: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    import numpy as np

    return np.clip(minutes / BIN_MINUTES, 0, _BINS - 1).astype(np.intp)
