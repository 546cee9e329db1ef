"""Distances between two distributions that are given as counts, and tests on counts.

Each is a plain function of counts that stand in the report, so that anybody can compute it again. Must not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from airfoil.steps.drift.counting import Counting

LEAST_SHARE = 1e-4
"""What an empty bin counts as in the stability index, which knows no zero."""
LEAST_EXPECTED = 5.0
"""Categories with fewer expected values are put together: the chi-square distribution does not hold for them."""


@dataclass(frozen=True)
class ChiSquare:
    """The test of homogeneity of two rows of counts."""

    statistic: float
    p_value: float
    cramers_v: float
    degrees: int
    pooled: int
    """How many rare categories were put together."""


def stability_index(reference: ArrayLike, current: ArrayLike) -> float:
    """Return the population stability index (PSI) of two histograms over the same bins."""
    import numpy as np

    first, second = (np.maximum(_shares(one), LEAST_SHARE) for one in (reference, current))
    return float(((second - first) * np.log(second / first)).sum())


def jensen_shannon(reference: ArrayLike, current: ArrayLike) -> float:
    """Return the Jensen-Shannon distance, to base 2: from 0 (the same) to 1 (nothing in common)."""
    import numpy as np

    first, second = _shares(reference), _shares(current)
    middle = (first + second) / 2
    return float(np.sqrt(max(0.0, (_divergence(first, middle) + _divergence(second, middle)) / 2)))


def chi_square(reference: ArrayLike, current: ArrayLike) -> ChiSquare:
    """Test whether the categories of both sides come from one distribution."""
    import numpy as np
    from scipy import stats

    table = np.stack([np.asarray(reference, dtype=np.int64), np.asarray(current, dtype=np.int64)])
    table = table[:, table.sum(axis=0) > 0]
    table, pooled = _pool_rare(table)
    degrees = table.shape[1] - 1
    if degrees < 1:
        return ChiSquare(0.0, 1.0, 0.0, 0, pooled)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return ChiSquare(
        statistic,
        float(stats.chi2.sf(statistic, degrees)),
        float(np.sqrt(statistic / table.sum())),
        degrees,
        pooled,
    )


def least_detectable_v(rows: int, degrees: int, level: float = 0.05) -> float:
    """Return the Cramér's V from which on the p-value falls below the level with so many rows."""
    from scipy import stats

    return float(min(1.0, (stats.chi2.isf(level, degrees) / rows) ** 0.5))


def wasserstein(counting: Counting) -> float | None:
    """Return how far values had to be moved on average to turn one distribution into the other.

    Inside a cell values count as evenly spread, which is off by less than a cell; beyond the cells their means count.
    """
    import numpy as np

    if any(side.infinite or not side.finite for side in counting.sums):
        return None
    first, second = (np.cumsum(counts) / counts.sum() for counts in counting.counts)
    gaps = np.abs(first - second) if counting.cells.is_whole else None
    inner = float(gaps[1:-1].sum()) if gaps is not None else _between_edges(first - second)
    reference, current = counting.sums
    outer = abs(reference.below / reference.finite - current.below / current.finite)
    outer += abs(reference.above / reference.finite - current.above / current.finite)
    found = (inner + outer) / counting.cells.per_unit * counting.reading.unit
    return found if np.isfinite(found) else None


def _between_edges(gaps: NDArray[np.float64]) -> float:
    """Integrate the size of a gap that goes in straight lines from edge to edge."""
    import numpy as np

    left, right = gaps[:-2], gaps[1:-1]
    whole = (np.abs(left) + np.abs(right)) / 2
    crossing = left * right < 0
    squares = left[crossing] ** 2 + right[crossing] ** 2
    whole[crossing] = squares / (2 * np.abs(right[crossing] - left[crossing]))
    return float(whole.sum())


def _shares(counts: ArrayLike) -> NDArray[np.float64]:
    import numpy as np

    numbers = np.asarray(counts, dtype=np.float64)
    return np.asarray(numbers / numbers.sum())


def _divergence(shares: NDArray[np.float64], middle: NDArray[np.float64]) -> float:
    import numpy as np

    there = shares > 0
    return float((shares[there] * np.log2(shares[there] / middle[there])).sum())


def _pool_rare(table: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    import numpy as np

    expected = table.sum(axis=0) * (table.sum(axis=1).min() / max(1, table.sum()))
    is_rare = expected < LEAST_EXPECTED
    rare = int(is_rare.sum())
    if rare < 2:  # noqa: PLR2004 - one alone has nothing to be put together with
        return table, 0
    return np.column_stack([table[:, ~is_rare], table[:, is_rare].sum(axis=1)]), rare
