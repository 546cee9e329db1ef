"""Histograms for people, made of the fine counts: bins of one width for plots, groups of one size for the index.

Bins end where cells end, so that their counts are exact. Must not read values.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from airfoil.records import Histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.drift.counting import Counting

BINS = 40
GROUPS = 10
_TAIL = 0.005
"""Share of the values below and above the bins of one width; these go into two outer bins."""


def even_bins(counting: Counting, bins: int = BINS) -> Histogram | None:
    """Return bins of one width over the bulk, and an outer bin at either side for what lies beyond."""
    import numpy as np

    both = counting.counts[0] + counting.counts[1]
    used = np.flatnonzero(both)
    if not used.size:
        return None
    below = np.cumsum(both)
    first = int(np.searchsorted(below, _TAIL * below[-1], side="right"))
    last = int(np.searchsorted(below, (1 - _TAIL) * below[-1]))
    # The outermost cells have no end and are no part of bins of one width.
    first = min(max(first, 1), counting.cells.count - 2)
    last = min(max(last, first), counting.cells.count - 2)
    step = math.ceil((last - first + 1) / bins)
    cuts = list(range(first, last + 1 + step, step))
    return _histogram(counting, [cut for cut in cuts if used[0] < cut <= used[-1]])


def even_groups(counting: Counting, groups: int = GROUPS) -> Histogram | None:
    """Return groups that hold about the same number of reference values; fewer when a value is very frequent."""
    import numpy as np

    below = np.cumsum(counting.counts[0])
    if not below[-1]:
        return None
    wanted = below[-1] * np.arange(1, groups) / groups
    cuts = np.unique(np.searchsorted(below, wanted) + 1)
    used = np.flatnonzero(counting.counts[0] + counting.counts[1])
    return _histogram(counting, [int(cut) for cut in cuts if used[0] < cut <= used[-1]])


def _histogram(counting: Counting, cuts: Sequence[int]) -> Histogram | None:
    """Join cells between cuts; a cut is the number of the first cell after it."""
    import numpy as np

    ends = [side.least for side in counting.sums if side.least is not None]
    tops = [side.largest for side in counting.sums if side.largest is not None]
    if not ends or not tops:
        return None
    reading, least, largest = counting.reading, min(ends), max(tops)
    found = counting.cells.edges(np.array(cuts, dtype=np.intp), reading.dtype)
    # Cells that are narrower than the steps of floating-point numbers share their edges.
    inner = {edge: cut for cut, edge in zip(cuts, found.tolist(), strict=True)}
    # Only infinite values lie beyond a cut that is beyond all finite ones.
    edges = [min([least, *inner]), *inner, max([largest, *inner])]
    reference, current = (_joined(counts, list(inner.values())) for counts in counting.counts)
    return Histogram(
        edges=tuple(edge * reading.unit for edge in edges),
        reference=tuple(reference),
        current=tuple(current),
    )


def _joined(counts: NDArray[np.int64], cuts: Sequence[int]) -> list[int]:
    import numpy as np

    return [int(one) for one in np.add.reduceat(counts, [0, *cuts])]
