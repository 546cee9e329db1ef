"""Train a small classifier on data that comes with scikit-learn, and say how well it does.

This is the work behind `example_dag`: data and parameters in, an estimator with its scores out. It must not log, plot,
read a file or decide whether the scores are good enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from airfoil.records import Record, Scores

if TYPE_CHECKING:
    import pandas as pd


class ForestParameters(Record):
    """What decides the outcome of a training: the same values give the same model."""

    trees: int = Field(default=50, ge=1)
    max_depth: int = Field(default=4, ge=1)
    test_share: float = Field(default=0.25, gt=0, lt=1)
    seed: int = 7


@dataclass(frozen=True)
class LabelledTable:
    """Features by column, one label per row, and what the labels are called."""

    features: pd.DataFrame
    labels: pd.Series[int]
    label_names: tuple[str, ...]


@dataclass(frozen=True)
class TrainedClassifier:
    """A fitted estimator, and what it scored on rows it never saw."""

    estimator: Any
    scores: Scores
    confusion: tuple[tuple[int, ...], ...]
    label_names: tuple[str, ...]
    example: pd.DataFrame


def wine_data() -> LabelledTable:
    """Return the 178 wines that ship with scikit-learn: 13 measurements each, three cultivars."""
    from sklearn.datasets import load_wine

    wine = load_wine(as_frame=True)
    names = tuple(f"cultivar {number}" for number, _ in enumerate(wine.target_names, start=1))
    return LabelledTable(wine.data, wine.target, names)


def train_forest(table: LabelledTable, parameters: ForestParameters) -> TrainedClassifier:
    """Fit a random forest on one part of the rows and score it on the other."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split

    known, unseen, known_labels, unseen_labels = train_test_split(
        table.features,
        table.labels,
        test_size=parameters.test_share,
        random_state=parameters.seed,
        stratify=table.labels,
    )
    # One thread: tasks share few cores with the platform, and so small a forest gains nothing from more.
    forest = RandomForestClassifier(
        n_estimators=parameters.trees,
        max_depth=parameters.max_depth,
        random_state=parameters.seed,
        n_jobs=1,
    )
    forest.fit(known, known_labels)
    scores, confusion = score_classifier(forest, unseen, unseen_labels)
    return TrainedClassifier(forest, scores, confusion, table.label_names, known.head(3))


def score_classifier(
    estimator: Any, features: pd.DataFrame, labels: Sequence[int] | pd.Series[int]
) -> tuple[Scores, tuple[tuple[int, ...], ...]]:
    """Measure a classifier on labelled rows: scores, and the confusion matrix (row = truth, column = prediction)."""
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss

    predicted = estimator.predict(features)
    values = {
        "accuracy": float(accuracy_score(labels, predicted)),
        "f1_macro": float(f1_score(labels, predicted, average="macro")),
        "log_loss": float(log_loss(labels, estimator.predict_proba(features), labels=estimator.classes_)),
    }
    counts = confusion_matrix(labels, predicted, labels=estimator.classes_)
    return Scores(values=values, rows=len(features)), tuple(
        tuple(int(cell) for cell in row) for row in counts
    )
