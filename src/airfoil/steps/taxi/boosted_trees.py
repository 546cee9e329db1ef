"""Boosted trees that predict minutes from zones, and from miles if asked for, trained without one-hot columns.

A split asks whether a zone is the one, as a split of a one-hot column would, so the trees are the same and the data is
three columns instead of 530. All trips that trees cannot tell apart become one row, their mean as label and their count
as weight: under squared loss gradients and hessians add up to the same. With zones alone those are the trips of a pair,
and nothing is lost. Trees know miles by bins alone; these are cut here, as many trips in each, so that trips of a
pair and a bin are one row too. Must not judge.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import Field

from airfoil.records import Record
from airfoil.steps.taxi.schema import DISTANCE, DROPOFF_ZONE, PICKUP_ZONE
from airfoil.steps.taxi.trip_sums import sum_trips
from airfoil.steps.taxi.trips import MINUTE, MOST_ZONES, no_trips, open_trips

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan
    from airfoil.steps.taxi.evaluation import Predict

BINS = 256
"""Of miles; as many as XGBoost makes of a column by itself. Each is known by its least distance, where splits lie."""
# Trips of one distance are never parted, so a bin may be larger than others and there may be fewer of them.
_GROUPS = f"""
WITH counts AS (SELECT distance, count(*) AS trips FROM trips GROUP BY distance),
placed AS (
    SELECT distance, CASE
        WHEN count(*) OVER () <= {BINS} THEN row_number() OVER (ORDER BY distance)
        ELSE (sum(trips) OVER (ORDER BY distance) - trips)::BIGINT * {BINS} // sum(trips) OVER ()::BIGINT
    END AS bin FROM counts
),
bins AS (SELECT distance, min(distance) OVER (PARTITION BY bin) AS least FROM placed)
SELECT pickup_zone::FLOAT AS pickup, dropoff_zone::FLOAT AS dropoff, least::FLOAT AS miles,
    count(*)::FLOAT AS trips, (sum(microseconds) / count(*) / {MINUTE})::FLOAT AS minutes
FROM trips JOIN bins USING (distance) GROUP BY ALL ORDER BY miles, pickup, dropoff
"""  # noqa: S608 - numbers of ours
# Miles come first in the order: the first splits ask for them, and XGBoost then goes through rows that lie together,
# in a third of the time. Threads with little to do wait for each other, on busy cores for many times what they save.
THREAD_ROWS = 1_000_000


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
    """0: one for each million rows to learn from, and not more than there are."""


def columns_of(parameters: TreeParameters) -> list[str]:
    """Return the columns that such a model takes."""
    return [PICKUP_ZONE, DROPOFF_ZONE, *([DISTANCE] if parameters.with_distance else [])]


def train_trees(
    scans: Sequence[Scan], parameters: TreeParameters | None = None, *, folder: Path | None = None
) -> Any:
    """Train on one or more months and return XGBoost's booster, which takes raw columns."""
    import xgboost

    told = parameters or TreeParameters()
    rows = _groups(scans, told, folder) if told.with_distance else _pairs(scans, told, folder)
    settings = {
        "objective": "reg:squarederror",
        "tree_method": "hist",
        "max_depth": told.max_depth,
        "learning_rate": told.learning_rate,
        "max_cat_to_onehot": 1 if told.sets_of_zones else MOST_ZONES + 1,  # below it, one zone is asked for
        "seed": told.seed,
        "nthread": told.threads or max(1, min(os.cpu_count() or 1, rows.num_row() // THREAD_ROWS)),
    }
    booster = xgboost.train(settings, rows, num_boost_round=told.rounds)
    booster.set_param({"nthread": told.threads})  # whoever predicts has no such trouble with all there are
    return booster


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


def _groups(scans: Sequence[Scan], parameters: TreeParameters, folder: Path | None) -> Any:
    """Return the trips of each pair of zones and bin of miles as weighted rows."""
    import numpy as np
    import xgboost

    with open_trips(scans, folder=folder) as trips:
        found = cast("duckdb.DuckDBPyRelation", trips.query("trips", _GROUPS)).fetchnumpy()
    if not len(found["trips"]):
        raise no_trips(scans)
    return xgboost.QuantileDMatrix(
        np.column_stack([found[name] for name in ("pickup", "dropoff", "miles")]),
        label=found["minutes"],
        weight=found["trips"],
        feature_names=columns_of(parameters),
        feature_types=["c", "c", "q"],
        max_bin=BINS,
    )
