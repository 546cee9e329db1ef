"""Boosted trees that predict minutes from zones, and from miles if asked for, trained without one-hot columns.

A split asks whether a zone is the one, as a split of a one-hot column would, so the trees are the same and the data is
three columns instead of 530. With zones alone all trips of a pair become one row, its mean as label and its count as
weight: under squared loss gradients and hessians add up to the same, so the trees are exact, from 70,000 rows. Miles
end that, because hardly two trips share them; their rows are read in batches into XGBoost's own bins. Must not judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from airfoil.records import Record
from airfoil.steps.taxi.schema import DISTANCE, DROPOFF_ZONE, PICKUP_ZONE
from airfoil.steps.taxi.trip_sums import sum_trips
from airfoil.steps.taxi.trips import MINUTE, MOST_ZONES, no_trips, open_trips

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan
    from airfoil.steps.taxi.evaluation import Predict

BATCH_ROWS = 262_144


class TreeParameters(Record):
    """What decides the trees: the same values and trips give the same ones."""

    rounds: int = Field(default=30, ge=1, le=10_000)
    max_depth: int = Field(default=8, ge=1, le=50)
    learning_rate: float = Field(default=0.1, gt=0, le=1)
    with_distance: bool = False
    sets_of_zones: bool = False
    """A split may ask for any set of zones instead of for one: better trees, and no longer those of one-hot columns."""
    seed: int = 42
    threads: int = Field(default=0, ge=0)
    """0: as many as there are."""


def columns_of(parameters: TreeParameters) -> list[str]:
    """Return the columns that such a model takes."""
    return [PICKUP_ZONE, DROPOFF_ZONE, *([DISTANCE] if parameters.with_distance else [])]


def train_trees(
    scans: Sequence[Scan], parameters: TreeParameters | None = None, *, folder: Path | None = None
) -> Any:
    """Train on one or more months and return XGBoost's booster, which takes raw columns."""
    import xgboost

    told = parameters or TreeParameters()
    rows = _trips(scans, told, folder) if told.with_distance else _pairs(scans, told, folder)
    settings = {
        "objective": "reg:squarederror",
        "tree_method": "hist",
        "max_depth": told.max_depth,
        "learning_rate": told.learning_rate,
        "max_cat_to_onehot": 1 if told.sets_of_zones else MOST_ZONES + 1,  # below it, one zone is asked for
        "seed": told.seed,
        "nthread": told.threads,
    }
    return xgboost.train(settings, rows, num_boost_round=told.rounds)


def tree_example(parameters: TreeParameters) -> pd.DataFrame:
    """Return a few rows of the columns that the model takes."""
    import pandas as pd

    rows = pd.DataFrame(
        {PICKUP_ZONE: [132, 161, 237], DROPOFF_ZONE: [230, 236, 141], DISTANCE: [17.4, 1.9, 0.8]}
    )
    return rows[columns_of(parameters)]


def tree_predictions(booster: Any, parameters: TreeParameters) -> Predict:
    """Return the booster as a function of zones and miles; of zones alone each pair is predicted once."""

    def predict(
        pickup: NDArray[Any], dropoff: NDArray[Any], miles: NDArray[np.float64]
    ) -> NDArray[np.floating[Any]]:
        if parameters.with_distance:
            return _ask(booster, [pickup, dropoff, miles])
        return _of_pairs(lambda one, other: _ask(booster, [one, other]), pickup, dropoff)

    return predict


def _ask(booster: Any, columns: Sequence[NDArray[Any]]) -> NDArray[np.floating[Any]]:
    import numpy as np

    table = np.column_stack([column.astype(np.float32) for column in columns])
    found: NDArray[np.floating[Any]] = booster.inplace_predict(table, validate_features=False)
    return found


def _of_pairs(
    predict: Callable[[NDArray[Any], NDArray[Any]], NDArray[np.floating[Any]]],
    pickup: NDArray[Any],
    dropoff: NDArray[Any],
) -> NDArray[np.floating[Any]]:
    import numpy as np

    pairs, place = np.unique(pickup.astype(np.int64) * MOST_ZONES + dropoff, return_inverse=True)
    return predict(pairs // MOST_ZONES, pairs % MOST_ZONES)[place]


def _pairs(scans: Sequence[Scan], parameters: TreeParameters, folder: Path | None) -> Any:
    """Return the pairs of zones as weighted rows."""
    import numpy as np
    import xgboost

    sums = sum_trips(scans, with_distance=False, folder=folder)
    return xgboost.QuantileDMatrix(
        np.column_stack([sums.pickup_zones, sums.dropoff_zones]).astype(np.float32),
        label=sums.minutes / sums.trips,
        weight=sums.trips,
        feature_names=columns_of(parameters),
        feature_types=["c", "c"],
    )


def _trips(scans: Sequence[Scan], parameters: TreeParameters, folder: Path | None) -> Any:
    """Return all trips in XGBoost's bins, read in batches, some times over."""
    import numpy as np
    import xgboost

    class _Batches(xgboost.DataIter):
        def __init__(self) -> None:
            super().__init__()
            self._batches: Iterator[Any] = iter(())
            self.rows = 0

        def reset(self) -> None:
            self._batches = _read(scans, folder)
            self.rows = 0

        def next(self, input_data: Callable[..., None]) -> bool:
            batch = next(self._batches, None)
            if batch is None:
                return False
            pickup, dropoff, miles, time = (
                batch.column(name).to_numpy(zero_copy_only=False)
                for name in ("pickup_zone", "dropoff_zone", "distance", "microseconds")
            )
            self.rows += len(time)
            input_data(
                data=np.column_stack([one.astype(np.float32) for one in (pickup, dropoff, miles)]),
                label=time / MINUTE,
                feature_names=columns_of(parameters),
                feature_types=["c", "c", "q"],
            )
            return True

    batches = _Batches()
    try:
        return xgboost.QuantileDMatrix(batches)
    except xgboost.core.XGBoostError as error:
        if batches.rows:
            raise
        raise no_trips(scans) from error


def _read(scans: Sequence[Scan], folder: Path | None) -> Iterator[Any]:
    with open_trips(scans, folder=folder) as trips:
        yield from trips.to_arrow_reader(BATCH_ROWS)
