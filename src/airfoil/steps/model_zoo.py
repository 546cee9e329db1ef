"""Classifiers by name, with hyper-parameters that are checked before anything is trained.

Each entry has a record of the parameters that people turn, with defaults that fit a small machine; what is said of a
parameter is shown in forms (`steps.model_fields`). All models can be stored by `clients.model_files` without a pickle.
Must not train, score or log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from airfoil.errors import ConfigurationError
from airfoil.records import Record

_DEPTH = "The most questions from the root of a tree to a leaf"
_RATE = "How much of each tree is believed"
_ROUNDS = "How many trees, one after the other"
_SEED = "Of the random numbers"
_STRENGTH = "The larger, the less weights are held back (C of scikit-learn)"


class RandomForest(Record):
    """Many trees, each on other rows and columns; a good first try."""

    trees: int = Field(default=100, ge=1, le=5000, description="How many trees")
    max_depth: int | None = Field(default=None, ge=1, le=200, description=_DEPTH)
    min_leaf_rows: int = Field(default=1, ge=1, description="The fewest rows that a leaf may hold")
    seed: int = Field(default=7, ge=0, description=_SEED)

    def build(self) -> Any:
        """Return the unfitted estimator."""
        from sklearn.ensemble import RandomForestClassifier

        # One thread, here and below: tasks share few cores with the platform.
        return RandomForestClassifier(
            n_estimators=self.trees,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_leaf_rows,
            random_state=self.seed,
            n_jobs=1,
        )


class LogisticRegression(Record):
    """A weighted sum of scaled columns; fast, and easy to explain."""

    strength: float = Field(default=1.0, gt=0, description=_STRENGTH)
    max_iterations: int = Field(default=1000, ge=1, description="The most steps of the solver")
    seed: int = Field(default=7, ge=0, description=_SEED)

    def build(self) -> Any:
        """Return the unfitted estimator, behind a scaler."""
        from sklearn.linear_model import LogisticRegression as Estimator

        return _scaled(Estimator(C=self.strength, max_iter=self.max_iterations, random_state=self.seed))


class GradientBoosting(Record):
    """Trees that correct each other, on binned columns; for tables of many rows."""

    rounds: int = Field(default=100, ge=1, le=5000, description=_ROUNDS)
    learning_rate: float = Field(default=0.1, gt=0, le=1, description=_RATE)
    max_depth: int | None = Field(default=None, ge=1, le=200, description=_DEPTH)
    seed: int = Field(default=7, ge=0, description=_SEED)

    def build(self) -> Any:
        """Return the unfitted estimator."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            max_iter=self.rounds,
            learning_rate=self.learning_rate,
            max_depth=self.max_depth,
            random_state=self.seed,
        )


class XGBoost(Record):
    """Trees that correct each other, by XGBoost. Labels have to be 0, 1, 2, ..."""

    rounds: int = Field(default=100, ge=1, le=5000, description=_ROUNDS)
    learning_rate: float = Field(default=0.3, gt=0, le=1, description=_RATE)
    max_depth: int = Field(default=6, ge=1, le=50, description=_DEPTH)
    seed: int = Field(default=7, ge=0, description=_SEED)

    def build(self) -> Any:
        """Return the unfitted estimator."""
        try:
            from xgboost import XGBClassifier
        except ImportError as error:
            raise ConfigurationError(
                "The model type 'xgboost' needs XGBoost, which is not installed here",
                "Install it (`uv add xgboost`, on Linux `uv add xgboost-cpu` will do), or take gradient_boosting.",
            ) from error
        return XGBClassifier(
            n_estimators=self.rounds,
            learning_rate=self.learning_rate,
            max_depth=self.max_depth,
            random_state=self.seed,
            n_jobs=1,
        )


class SupportVectors(Record):
    """A border with the widest margin between classes; for few rows, as time grows with their square."""

    strength: float = Field(default=1.0, gt=0, description=_STRENGTH)
    kernel: Literal["linear", "poly", "rbf", "sigmoid"] = Field(
        default="rbf", description="The border's shape"
    )
    seed: int = Field(default=7, ge=0, description=_SEED)

    def build(self) -> Any:
        """Return the unfitted estimator, behind a scaler."""
        from sklearn.svm import SVC

        return _scaled(SVC(C=self.strength, kernel=self.kernel, random_state=self.seed))


class NearestNeighbours(Record):
    """The class that most of the nearest known rows have; the model holds all of them."""

    neighbours: int = Field(default=5, ge=1, description="How many of the nearest rows are asked")
    weights: Literal["uniform", "distance"] = Field(
        default="uniform", description="Whether nearer ones count for more"
    )

    def build(self) -> Any:
        """Return the unfitted estimator, behind a scaler."""
        from sklearn.neighbors import KNeighborsClassifier

        # Brute force: search trees are not among the types that are trusted in a file, and help with few columns only.
        return _scaled(
            KNeighborsClassifier(
                n_neighbors=self.neighbours, weights=self.weights, algorithm="brute", n_jobs=1
            )
        )


ModelPlan = (
    RandomForest | LogisticRegression | GradientBoosting | XGBoost | SupportVectors | NearestNeighbours
)
ZOO: Mapping[str, type[ModelPlan]] = {
    "random_forest": RandomForest,
    "logistic_regression": LogisticRegression,
    "gradient_boosting": GradientBoosting,
    "xgboost": XGBoost,
    "svm": SupportVectors,
    "knn": NearestNeighbours,
}


def plan_model(model_type: Any, parameters: Mapping[str, Any] | None = None) -> ModelPlan:
    """Return a model type with its hyper-parameters, checked; what it does not know is refused by name."""
    kind = ZOO.get(model_type) if isinstance(model_type, str) else None  # a Variable may hold anything
    if kind is None:
        raise ConfigurationError(
            f"There is no model type {model_type!r:.60}", f"Choose one of {', '.join(ZOO)}."
        )
    try:
        return kind.model_validate(dict(parameters or {}))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ConfigurationError(
                f"The model type '{model_type}' has no parameter '{name}'",
                f"It has {', '.join(kind.model_fields)}.",
            ) from error
        raise ConfigurationError(
            f"The parameter '{name}' of '{model_type}' cannot be {first['input']!r:.60}: {first['msg']}",
            "Correct it in the trigger's form or in the DAG file.",
        ) from error


def _scaled(estimator: Any) -> Any:
    """Put all columns on one scale first, without which distances and weights mean nothing."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    return Pipeline([("scale", StandardScaler()), ("model", estimator)])
