"""The tutorials' way with taxi trips, in three processes as their tasks are: pandas, dicts and pickles between them.

As in the course that the taxi DAGs come from: `duration` by `apply`, zones as words, one dict for each trip,
DictVectorizer, and everything handed on through /tmp. Kept as people write it; nothing is slowed down on purpose.
"""

from __future__ import annotations

import pickle
import time
from pathlib import Path
from typing import Any

from benchmarks.side import peak_mib
from benchmarks.taxi_months import TRAIN, VALIDATION

ZONES = ["PULocationID", "DOLocationID"]
ROUNDS, MAX_DEPTH, LEARNING_RATE = 30, 8, 0.1
_LEAST_MINUTES, _MOST_MINUTES = 1, 60


def read(folder: Path) -> dict[str, Any]:
    """The first task: read both months, keep trips of 1 to 60 minutes, write them again."""
    began = time.perf_counter()
    import pandas as pd

    imports = time.perf_counter() - began
    began = time.perf_counter()
    trips = {}
    for name in (TRAIN, VALIDATION):
        frame = pd.read_parquet(folder / name)
        frame["duration"] = frame.tpep_dropoff_datetime - frame.tpep_pickup_datetime
        frame.duration = frame.duration.apply(lambda span: span.total_seconds() / 60)
        frame = frame[(frame.duration >= _LEAST_MINUTES) & (frame.duration <= _MOST_MINUTES)]
        frame[ZONES] = frame[ZONES].astype(str)
        frame.to_parquet(folder / f"read-{name}")
        trips[name] = len(frame)
    return {"import": imports, "seconds": time.perf_counter() - began, "peak_mib": peak_mib(), "trips": trips}


def vectorise(folder: Path, *, with_distance: bool) -> dict[str, Any]:
    """The second task: a dict for each trip, one-hot columns of the dicts, a pickle of each matrix."""
    began = time.perf_counter()
    import pandas as pd
    from sklearn.feature_extraction import DictVectorizer

    imports = time.perf_counter() - began
    began = time.perf_counter()
    columns = ZONES + (["trip_distance"] if with_distance else [])
    vectorizer = DictVectorizer()
    for name in (TRAIN, VALIDATION):
        frame = pd.read_parquet(folder / f"read-{name}")
        dicts = frame[columns].to_dict(orient="records")
        matrix = vectorizer.fit_transform(dicts) if name == TRAIN else vectorizer.transform(dicts)
        with (folder / f"{name}.pkl").open("wb") as file:
            pickle.dump((matrix, frame.duration.to_numpy()), file)
    return {"import": imports, "seconds": time.perf_counter() - began, "peak_mib": peak_mib()}


def fit_linear(folder: Path) -> dict[str, Any]:
    """The third task: linear regression; and, when the clock has stopped, the same with its solver run to the end."""
    began = time.perf_counter()
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import root_mean_squared_error

    imports = time.perf_counter() - began
    began = time.perf_counter()
    matrix, minutes = _load(folder, TRAIN)
    model = LinearRegression().fit(matrix, minutes)
    found = {"train_rmse": float(root_mean_squared_error(minutes, model.predict(matrix)))}
    unseen, unseen_minutes = _load(folder, VALIDATION)
    found["rmse"] = float(root_mean_squared_error(unseen_minutes, model.predict(unseen)))
    seconds, peak = time.perf_counter() - began, peak_mib()
    exact = LinearRegression(tol=1e-14).fit(matrix, minutes)
    found["converged_rmse"] = float(root_mean_squared_error(unseen_minutes, exact.predict(unseen)))
    return {"import": imports, "seconds": seconds, "peak_mib": peak, "found": found}


def fit_trees(folder: Path) -> dict[str, Any]:
    """The third task of the other DAG: boosted trees."""
    began = time.perf_counter()
    import xgboost
    from sklearn.metrics import root_mean_squared_error

    imports = time.perf_counter() - began
    began = time.perf_counter()
    train, validation = (
        xgboost.DMatrix(matrix, label=minutes)
        for matrix, minutes in (_load(folder, TRAIN), _load(folder, VALIDATION))
    )
    settings = {
        "objective": "reg:squarederror",
        "max_depth": MAX_DEPTH,
        "learning_rate": LEARNING_RATE,
        "seed": 42,
    }
    booster = xgboost.train(settings, train, num_boost_round=ROUNDS)
    found = {"rmse": float(root_mean_squared_error(validation.get_label(), booster.predict(validation)))}
    return {
        "import": imports,
        "seconds": time.perf_counter() - began,
        "peak_mib": peak_mib(),
        "found": found,
    }


def _load(folder: Path, name: str) -> Any:
    with (folder / f"{name}.pkl").open("rb") as file:
        return pickle.load(file)  # noqa: S301 - of the task before, as the tutorials do it
