"""Measures how well predictions fit the truth, and how sure one may be that one model's fit better than another's.

Each metric is a function of means over rows, so that a bootstrap needs no loop over rows: it draws means. Values in,
records out; nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError
from airfoil.records import Comparison, GainInterval, Scores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Columns = Callable[[NDArray[Any], NDArray[Any]], "NDArray[np.float64]"]
    FromMeans = Callable[["NDArray[np.float64]"], "NDArray[np.float64]"]

ROUNDS = 2000
MOST_DRAWN = 5000
"""Of more rows than this, groups are drawn: their means vary as those of single rows do, in a fraction of the time."""
MOST_CELLS = 4_000_000
"""Numbers held at once while means are drawn: 32 MB."""


@dataclass(frozen=True)
class Measure:
    """One metric: what each row contributes, and the metric from the means of that."""

    columns: Columns
    from_means: FromMeans
    higher_is_better: bool


def _hits(truth: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
    import numpy as np

    return np.asarray(truth == predicted, dtype=float)[:, None]


def _class_shares(truth: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
    """Return, for each class, whether it was right, predicted, and true."""
    import numpy as np

    classes = np.unique(np.concatenate([truth, predicted]))
    told, is_so = predicted[:, None] == classes, truth[:, None] == classes
    return np.hstack([told & is_so, told, is_so]).astype(float)


def _mean_f1(means: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    right, told, is_so = np.split(means, 3, axis=1)
    seen = told + is_so
    # A class that a draw does not hold is no class of it.
    f1 = np.divide(2 * right, seen, out=np.zeros_like(seen), where=seen > 0)
    return np.asarray(f1.sum(axis=1) / np.maximum((seen > 0).sum(axis=1), 1))


def _errors(truth: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
    import numpy as np

    return np.asarray(np.abs(truth - predicted))[:, None]


def _squared_errors(truth: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
    import numpy as np

    # Moved to the middle first: the difference of two large means would lose what is told apart.
    centred = truth - truth.mean()
    return np.stack([(truth - predicted) ** 2, centred, centred**2], axis=1)


def _root_of_first(means: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.asarray(np.sqrt(means[:, 0]))


def _explained(means: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    spread = means[:, 2] - means[:, 1] ** 2
    return 1 - np.divide(means[:, 0], spread, out=np.full_like(spread, np.nan), where=spread > 0)


def _first(means: NDArray[np.float64]) -> NDArray[np.float64]:
    return means[:, 0]


MEASURES = {
    "classification": {
        "accuracy": Measure(_hits, _first, higher_is_better=True),
        "f1_macro": Measure(_class_shares, _mean_f1, higher_is_better=True),
    },
    "regression": {
        "rmse": Measure(_squared_errors, _root_of_first, higher_is_better=False),
        "mae": Measure(_errors, _first, higher_is_better=False),
        "r2": Measure(_squared_errors, _explained, higher_is_better=True),
    },
}
"""The metrics by kind of task."""


def score(truth: ArrayLike, predicted: ArrayLike, *, task: str) -> Scores:
    """Measure predictions; `task` is `classification` or `regression`."""
    import numpy as np

    known, told = _paired(truth, predicted, task)
    found = {
        name: float(measure.from_means(measure.columns(known, told).mean(axis=0, keepdims=True))[0])
        for name, measure in _measures(task).items()
    }
    return Scores(
        values={name: value for name, value in found.items() if np.isfinite(value)}, rows=len(known)
    )


def compare(
    truth: ArrayLike,
    ours: ArrayLike,
    champions: ArrayLike | None,
    *,
    task: str,
    against: str = "",
    confidence: float = 0.95,
    seed: int = 7,
    rounds: int = ROUNDS,
) -> Comparison:
    """Measure a model beside its champion on the same rows, and how sure each gain is (a paired bootstrap)."""
    scores = score(truth, ours, task=task)
    if champions is None:
        return Comparison(scores=scores, against=against)
    known, told = _paired(truth, ours, task)
    _, theirs = _paired(truth, champions, task)
    gains = {
        name: interval
        for name, measure in _measures(task).items()
        if (
            interval := _gain_interval(
                measure, known, told, theirs, confidence=confidence, seed=seed, rounds=rounds
            )
        )
    }
    return Comparison(
        scores=scores,
        champion=score(truth, champions, task=task),
        against=against,
        gains=gains,
    )


def _gain_interval(
    measure: Measure,
    truth: NDArray[Any],
    ours: NDArray[Any],
    theirs: NDArray[Any],
    *,
    confidence: float,
    seed: int,
    rounds: int,
) -> GainInterval | None:
    import numpy as np

    left, right = measure.columns(truth, ours), measure.columns(truth, theirs)
    means = draw_means(np.hstack([left, right]), seed=seed, rounds=rounds)
    gains = measure.from_means(means[:, : left.shape[1]]) - measure.from_means(means[:, left.shape[1] :])
    gains = gains[np.isfinite(gains)]
    if not len(gains):
        return None
    outside = (1 - confidence) / 2
    low, high = np.quantile(gains if measure.higher_is_better else -gains, [outside, 1 - outside])
    return GainInterval(low=float(low), high=float(high), confidence=confidence)


def draw_means(columns: NDArray[np.float64], *, seed: int, rounds: int = ROUNDS) -> NDArray[np.float64]:
    """Draw as many rows as there are, with replacement, and average them; once for each round."""
    import numpy as np

    random = np.random.default_rng(seed)
    if len(columns) > MOST_DRAWN:
        columns = _group_means(random.permutation(columns), MOST_DRAWN)
    kinds, counts = np.unique(columns, axis=0, return_counts=True)
    rows = len(columns)
    if len(kinds) * 4 <= rows:
        # Few kinds of rows, as classes have: how often each kind is drawn is all that matters.
        return random.multinomial(rows, counts / rows, size=rounds) @ kinds / rows
    means = np.empty((rounds, columns.shape[1]))
    step = max(1, MOST_CELLS // columns.size)
    for start in range(0, rounds, step):
        drawn = random.integers(rows, size=(min(step, rounds - start), rows))
        means[start : start + step] = columns[drawn].mean(axis=1)
    return means


def _group_means(columns: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    """Average rows in groups of the same size, but for one row more or less."""
    import numpy as np

    starts = np.linspace(0, len(columns), groups, endpoint=False).astype(int)
    sizes = np.diff(np.append(starts, len(columns)))
    return np.asarray(np.add.reduceat(columns, starts, axis=0) / sizes[:, None])


def _measures(task: str) -> dict[str, Measure]:
    if task not in MEASURES:
        raise ConfigurationError(
            f"'{task}' is no kind of task", f"Say one of these: {', '.join(sorted(MEASURES))}."
        )
    return MEASURES[task]


def _paired(truth: ArrayLike, predicted: ArrayLike, task: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both as arrays that can be compared row by row."""
    import numpy as np

    kind = float if task == "regression" else None
    known, told = np.asarray(truth, dtype=kind).ravel(), np.asarray(predicted, dtype=kind).ravel()
    if len(known) != len(told) or not len(known):
        raise ConfigurationError(
            f"{len(told)} predictions cannot be compared with {len(known)} true values",
            "Give one prediction for each row, and at least one row.",
        )
    kinds = {known.dtype.kind, told.dtype.kind}
    if len(kinds) > 1 and kinds & set("OSU"):
        known, told = known.astype(str), told.astype(str)
    return known, told
