"""Candidates among the hyper-parameters of a model type, drawn with a seed, and the best of those that were measured.

The first candidate is always what was asked for, so a search finds nothing worse. Must not train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from airfoil.errors import ConfigurationError
from airfoil.records import FrozenJson, Record
from airfoil.steps.model_zoo import plan_model

SPACES: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "random_forest": {
        "trees": (50, 100, 200, 400),
        "max_depth": (None, 4, 8, 16),
        "min_leaf_rows": (1, 2, 5, 10),
    },
    "logistic_regression": {"strength": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)},
    "gradient_boosting": {
        "rounds": (50, 100, 200),
        "learning_rate": (0.03, 0.1, 0.3),
        "max_depth": (None, 3, 6),
    },
    "xgboost": {"rounds": (50, 100, 200), "learning_rate": (0.03, 0.1, 0.3), "max_depth": (3, 6, 9)},
    "svm": {"strength": (0.1, 0.3, 1.0, 3.0, 10.0), "kernel": ("rbf", "linear", "poly")},
    "knn": {"neighbours": (1, 3, 5, 7, 11, 15, 21), "weights": ("uniform", "distance")},
}
"""What a search turns, for each model type of the zoo."""


class Candidate(Record):
    """Hyper-parameters, and how they did once they were measured."""

    parameters: FrozenJson = Field(default_factory=dict, validate_default=True)
    accuracy: float | None = None


def draw_candidates(
    model_type: str, given: Mapping[str, Any], count: int, *, seed: int = 7
) -> list[Candidate]:
    """Return what was asked for and so many others, all different; fewer where there are no more."""
    import random
    from itertools import product

    space = SPACES[model_type]
    every = [dict(zip(space, values, strict=True)) for values in product(*space.values())]
    random.Random(seed).shuffle(every)  # noqa: S311 - a draw that can be repeated, nothing secret
    found = [dict(given)]
    for one in every:
        if len(found) > count:
            break
        candidate = {**given, **one}
        if not any(_same(model_type, candidate, other) for other in found):
            found.append(candidate)
    return [Candidate(parameters=one) for one in found]


def choose_best(candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate with the highest accuracy, the earlier of equals: what was asked for stands first."""
    if not candidates:
        raise ConfigurationError("No candidate was measured", "Clear the tasks of the search.")
    return max(candidates, key=lambda one: -1.0 if one.accuracy is None else one.accuracy)


def _same(model_type: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two candidates are one model, defaults filled in."""
    return plan_model(model_type, one) == plan_model(model_type, other)
