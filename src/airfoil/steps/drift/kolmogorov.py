"""The two-sample Kolmogorov-Smirnov test, exactly, on tables that do not fit into memory.

Counts by cells say how large the gap between the distributions is at every edge, and how large it could be inside.
Where it could be larger than anywhere at an edge, cells are cut finer or their values are looked at one by one. The
statistic and the p-value are those of `scipy.stats.ks_2samp` on all values at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator
from typing import TYPE_CHECKING

from airfoil.steps.drift.cells import FineCells
from airfoil.steps.drift.counting import Keeping, Picking, Recounting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.drift.cells import Cells
    from airfoil.steps.drift.gaps import Gap, Tally
    from airfoil.steps.drift.passes import Taker
    from airfoil.steps.numbers import Reading

MOST_KEPT = 2_000_000
"""So many values of a column are looked at one by one; of more, cells are cut finer first."""
KNOTS = 4096
_SAMPLE_FOR_EACH_KNOT = 64
_EXACT_UP_TO = 10_000
"""The larger side up to which scipy computes the exact distribution."""


def largest_gap(
    reading: Reading,
    cells: Cells,
    tally: Tally,
    single: NDArray[np.bool_] | None = None,
    *,
    most_kept: int = MOST_KEPT,
    knots: int = KNOTS,
) -> Generator[Taker, None, Gap]:
    """Find the largest gap; `tally` counts all values by `cells`, `single` tells which of these need no look inside."""
    import numpy as np

    best = tally.largest()
    wanted = tally.undecided(best, single)
    while held := tally.held(wanted):
        if held <= most_kept:
            keeping = Keeping(reading, cells, wanted, tally.held_by_sides(wanted))
            yield keeping
            values, reference, current = keeping.result()
            _, owners = cells.find(values)
            pieces = tally.finer(wanted, owners, reference, current).largest()
            if pieces.size > best.size:
                best = _at(pieces, float(values[pieces.cell]))
            break
        picking = Picking(reading, held // (knots * _SAMPLE_FOR_EACH_KNOT), cells, wanted)
        yield picking
        sample = picking.sample()
        fine = FineCells(
            cells, wanted, np.unique(sample[np.linspace(0, len(sample) - 1, knots).astype(np.intp)])
        )
        recounting = Recounting(reading, fine)
        yield recounting
        tally = tally.finer(wanted, recounting.owners(), *recounting.counts)
        best = max(best, tally.largest(), key=lambda gap: gap.size)
        cells = fine
        wanted = tally.undecided(best, fine.single())
    return best


def p_value(gap: Gap) -> float:
    """Return how likely a gap of at least this size is when both sides come from one distribution."""
    import numpy as np
    from scipy import stats

    reference, current = gap.totals.reference, gap.totals.current
    if max(reference, current) > _EXACT_UP_TO:
        most, fewest = float(max(reference, current)), float(min(reference, current))
        found = stats.kstwo.sf(gap.statistic, np.round(most * fewest / (most + fewest)))
        return float(np.clip(found, 0, 1))
    # The distribution knows the two sizes and the gap only: zeros and ones with the same gap have the same p-value.
    samples = [
        np.repeat([0, 1], [below, total - below])
        for below, total in ((gap.reference, reference), (gap.current, current))
    ]
    with warnings.catch_warnings():
        # scipy says so when it falls back to the asymptotic distribution.
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(stats.ks_2samp(*samples).pvalue)


def least_detectable(reference: int, current: int, level: float = 0.05) -> float:
    """Return the gap from which on the p-value falls below the level with so many values."""
    import numpy as np

    # The first term of Kolmogorov's series; from a few dozen values on it is the p-value.
    return float(min(1.0, np.sqrt(-np.log(level / 2) / 2 * (reference + current) / (reference * current))))


def _at(gap: Gap, value: float) -> Gap:
    from dataclasses import replace

    return replace(gap, value=value)
