"""Train a model on a table that has a contract, and score it beside a model that only guesses.

Data, contract and parameters in, an estimator with two sets of scores out. It must not log, read a file, or decide
whether the scores are good enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from airfoil.records import Record, Scores

if TYPE_CHECKING:
    import pandas as pd

    from airfoil.steps.data_contract import DataContract

METRICS = {"classification": "accuracy", "regression": "rmse"}
"""The metric that a gate looks at, by the kind of task."""
MOST_CATEGORIES = 50


class TableParameters(Record):
    """What decides the outcome of a training: the same values give the same model."""

    trees: int = Field(default=100, ge=1)
    max_depth: int = Field(default=8, ge=1)
    test_share: float = Field(default=0.25, gt=0, lt=1)
    seed: int = 7


@dataclass(frozen=True)
class TrainedTable:
    """A fitted estimator, what it scored on rows it never saw, and what guessing scores on the same rows."""

    estimator: Any
    scores: Scores
    baseline: Scores
    example: pd.DataFrame


def train_table(frame: pd.DataFrame, contract: DataContract, parameters: TableParameters) -> TrainedTable:
    """Fit a random forest on one part of the rows; score it and a guess on the other."""
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.model_selection import train_test_split

    is_classes = contract.task == "classification"
    known = frame[frame[contract.target].notna()]
    target = known[contract.target].astype(str) if is_classes else known[contract.target].astype(float)
    split = train_test_split(
        features_of(known, contract),
        target,
        test_size=parameters.test_share,
        random_state=parameters.seed,
        stratify=target if is_classes and _can_stratify(target, parameters.test_share) else None,
    )
    features, unseen, labels, unseen_labels = split
    estimator = _pipeline(contract, parameters).fit(features, labels)
    guess = (DummyClassifier() if is_classes else DummyRegressor()).fit(features, labels)
    return TrainedTable(
        estimator,
        _score(estimator, unseen, unseen_labels, contract.task),
        _score(guess, unseen, unseen_labels, contract.task),
        features.head(3),
    )


def features_of(frame: pd.DataFrame, contract: DataContract) -> pd.DataFrame:
    """Take the columns that a model may use: amounts as numbers, everything else as text."""
    import pandas as pd

    numbers = {one.name for one in contract.features if one.kind == "number"}
    return pd.DataFrame(
        {
            one.name: (
                pd.to_numeric(frame[one.name], errors="coerce").astype(float)
                if one.name in numbers
                else frame[one.name].astype(object).where(frame[one.name].notna(), "missing").astype(str)
            )
            for one in contract.features
        },
        index=frame.index,
    )


def _can_stratify(target: pd.Series[str], test_share: float) -> bool:
    classes = target.nunique()
    return bool(target.value_counts().min() > 1) and min(test_share, 1 - test_share) * len(target) >= classes


def _pipeline(contract: DataContract, parameters: TableParameters) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    numbers = [one.name for one in contract.features if one.kind == "number"]
    others = [one.name for one in contract.features if one.kind != "number"]
    encoder = OneHotEncoder(handle_unknown="ignore", max_categories=MOST_CATEGORIES, sparse_output=False)
    forest = RandomForestClassifier if contract.task == "classification" else RandomForestRegressor
    # One thread: tasks share few cores with the platform.
    model = forest(
        n_estimators=parameters.trees, max_depth=parameters.max_depth, random_state=parameters.seed, n_jobs=1
    )
    columns = [("numbers", SimpleImputer(strategy="median"), numbers), ("others", encoder, others)]
    prepared = ColumnTransformer([one for one in columns if one[2]])
    return Pipeline([("columns", prepared), ("model", model)])


def _score(estimator: Any, features: pd.DataFrame, labels: pd.Series[Any], task: str) -> Scores:
    from sklearn.metrics import (
        accuracy_score,
        f1_score,
        mean_absolute_error,
        r2_score,
        root_mean_squared_error,
    )

    predicted = estimator.predict(features)
    if task == "classification":
        values = {
            "accuracy": float(accuracy_score(labels, predicted)),
            "f1_macro": float(f1_score(labels, predicted, average="macro", zero_division=0)),
        }
    else:
        values = {
            "rmse": float(root_mean_squared_error(labels, predicted)),
            "mae": float(mean_absolute_error(labels, predicted)),
            "r2": float(r2_score(labels, predicted)),
        }
    return Scores(values=values, rows=len(features))
