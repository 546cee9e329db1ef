"""How well predictions rank, and how far their numbers can be believed: curves of few points, exact areas beside them.

Numbers in, records out. A record holds at most a few hundred points however many rows there were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, FiniteFloat

from airfoil.records import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_POINTS = 200
BINS = 10


class RocCurve(Record):
    """One class against all others: the share of its rows found, by the share of other rows taken for it."""

    label: str
    auc: float | None = Field(ge=0, le=1)
    """The area below the whole curve; None where there are no rows of the class, or of no other."""
    false_positive_rates: tuple[FiniteFloat, ...] = ()
    true_positive_rates: tuple[FiniteFloat, ...] = ()
    thresholds: tuple[FiniteFloat | None, ...] = ()
    """From which score on a row counts as one of the class; None before the first."""


class BinnedMeans(Record):
    """What was predicted against what was so, averaged in bins that hold a row at least."""

    label: str
    predicted: tuple[FiniteFloat, ...]
    observed: tuple[FiniteFloat, ...]
    rows: tuple[int, ...]

    @property
    def error(self) -> float:
        """How far the two lie apart on average over rows: the expected calibration error."""
        total = sum(self.rows)
        pairs = zip(self.predicted, self.observed, self.rows, strict=True)
        return sum(abs(told - seen) * count for told, seen, count in pairs) / total if total else 0.0


class Histogram(Record):
    """How many values lie between two neighbouring edges."""

    edges: tuple[FiniteFloat, ...]
    counts: tuple[int, ...]


def trace_roc(is_class: NDArray[np.bool_], scores: NDArray[np.float64], label: str) -> RocCurve:
    """Trace the curve of one class; rows with equal scores are told apart by nobody and move it together."""
    import numpy as np

    rows, found = len(scores), int(is_class.sum())
    if not 0 < found < rows:
        return RocCurve(label=label, auc=None)
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last_of_score = np.append(np.flatnonzero(np.diff(ranked)), rows - 1)
    hits = np.append(0, np.cumsum(is_class[order])[last_of_score])
    misses = np.append(0, last_of_score + 1) - hits
    hit_rates, miss_rates = hits / found, misses / (rows - found)
    area = float(np.sum(np.diff(miss_rates) * (hit_rates[1:] + hit_rates[:-1]) / 2))
    kept = _thinned(hit_rates + miss_rates)
    return RocCurve(
        label=label,
        auc=min(1.0, max(0.0, area)),
        false_positive_rates=tuple(miss_rates[kept].tolist()),
        true_positive_rates=tuple(hit_rates[kept].tolist()),
        thresholds=(None, *ranked[last_of_score[kept[1:] - 1]].tolist()),
    )


def bin_probabilities(
    is_class: NDArray[np.bool_], probabilities: NDArray[np.float64], label: str, bins: int = BINS
) -> BinnedMeans:
    """Compare how often a class was so with how probable it was said to be, in bins of equal width."""
    import numpy as np

    edges = np.linspace(0, 1, bins + 1)[1:-1]
    return _means(probabilities, is_class, np.searchsorted(edges, probabilities), bins, label)


def bin_amounts(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], label: str, bins: int = BINS
) -> BinnedMeans:
    """Compare amounts with what was predicted, in bins of about as many rows each."""
    import numpy as np

    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, bins + 1)[1:-1]))
    return _means(predicted, truth, np.searchsorted(edges, predicted), len(edges) + 1, label)


def count_values(values: NDArray[np.float64], bins: int = 4 * BINS) -> Histogram:
    """Count values in bins of equal width."""
    import numpy as np

    low, high = float(values.min()), float(values.max())
    if not high - low > abs(high) * 1e-9:  # too narrow for as many edges: numpy would refuse
        return Histogram(edges=(low, high), counts=(len(values),))
    counts, edges = np.histogram(values, bins)
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.tolist()))


def _means(
    predicted: NDArray[np.float64], truth: NDArray[Any], places: NDArray[np.intp], bins: int, label: str
) -> BinnedMeans:
    import numpy as np

    rows = np.bincount(places, minlength=bins)
    held = rows > 0
    told, seen = (
        np.bincount(places, values, minlength=bins)[held] / rows[held] for values in (predicted, truth)
    )
    return BinnedMeans(
        label=label,
        predicted=tuple(told.tolist()),
        observed=tuple(seen.tolist()),
        rows=tuple(rows[held].tolist()),
    )


def _thinned(way: NDArray[np.float64]) -> NDArray[np.intp]:
    """Choose points that lie about as far from each other along the curve, its ends among them."""
    import numpy as np

    if len(way) <= MOST_POINTS:
        return np.arange(len(way))
    near = np.searchsorted(way, np.linspace(way[0], way[-1], MOST_POINTS - 1))
    return np.unique(np.append(0, np.append(near, len(way) - 1)))
