"""How far a column of numbers or times is from the same column of a reference.

A measurement in passes: count by cells, look where the counts leave the largest gap open, and sum up. Must not judge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airfoil.records import Histogram
from airfoil.steps.drift import distances, histograms, kolmogorov
from airfoil.steps.drift.cells import EvenCells
from airfoil.steps.drift.counting import Counting, Picking
from airfoil.steps.drift.gaps import Gap, Tally
from airfoil.steps.drift.passes import CURRENT, REFERENCE, SIDES, Measurement
from airfoil.steps.drift.report import ColumnDrift, ColumnSummary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from airfoil.steps.numbers import Reading

_MOST_OUTSIDE = 0.02
"""When a larger share of a side lies beyond the cells, they were chosen from a bad sample and are chosen again."""
_SAMPLE = 100_000


def number_drift(
    name: str,
    reading: Reading,
    sample: NDArray[Any],
    *,
    cells: int,
    bins: int = histograms.BINS,
    most_kept: int = kolmogorov.MOST_KEPT,
) -> Measurement[ColumnDrift]:
    """Measure one column; `sample` is some of its values, to choose cells by."""
    counting = Counting(reading, EvenCells.around(sample, cells))
    yield counting
    if _is_badly_placed(counting):
        picking = Picking(reading, sum(side.finite for side in counting.sums) // _SAMPLE)
        yield picking
        counting = Counting(reading, EvenCells.around(picking.sample(), cells))
        yield counting
    tally = Tally.of_all(*counting.counts)
    if not tally.totals.reference or not tally.totals.current:
        return without_numbers(name, counting)
    gap = yield from kolmogorov.largest_gap(
        reading, counting.cells, tally, counting.cells.single(), most_kept=most_kept
    )
    return drift_of_numbers(name, counting, gap, bins)


def without_numbers(name: str, counting: Counting) -> ColumnDrift:
    """Sum up a column of which one side has no value."""
    reference, current = (_summary(counting, side) for side in SIDES)
    return ColumnDrift(
        name=name,
        kind=counting.reading.kind,
        test="kolmogorov_smirnov",
        reference=reference,
        current=current,
        note=nothing_to_compare(reference, current),
    )


def drift_of_numbers(name: str, counting: Counting, gap: Gap, bins: int = histograms.BINS) -> ColumnDrift:
    """Sum up a column that was counted, and whose largest gap is known."""
    plot, groups = histograms.even_bins(counting, bins), histograms.even_groups(counting)
    return ColumnDrift(
        name=name,
        kind=counting.reading.kind,
        test="kolmogorov_smirnov",
        reference=_summary(counting, REFERENCE),
        current=_summary(counting, CURRENT),
        statistic=gap.statistic,
        p_value=kolmogorov.p_value(gap),
        effect=gap.statistic,
        detectable=kolmogorov.least_detectable(gap.totals.reference, gap.totals.current),
        gap_at=_place(gap, counting),
        stability_index=_of(groups, distances.stability_index),
        jensen_shannon=_of(plot, distances.jensen_shannon),
        wasserstein=distances.wasserstein(counting),
        histogram=plot,
        groups=groups,
    )


def nothing_to_compare(reference: ColumnSummary, current: ColumnSummary) -> str:
    """Say which table has no value."""
    empty = [
        f"the {side} table {'has only missing values' if one.rows else 'has no rows'}"
        for side, one in (("reference", reference), ("current", current))
        if one.missing == one.rows
    ]
    return f"Nothing to compare: {' and '.join(empty)}"


def _is_badly_placed(counting: Counting) -> bool:
    return any(
        counts[0] + counts[-1] - side.infinite > _MOST_OUTSIDE * side.finite
        for counts, side in zip(counting.counts, counting.sums, strict=True)
    )


def _summary(counting: Counting, side: int) -> ColumnSummary:
    sums, unit = counting.sums[side], counting.reading.unit
    found: dict[str, float] = {}
    if sums.finite and sums.least is not None and sums.largest is not None:
        mean = counting.cells.low + (sums.mean - 1) / counting.cells.per_unit
        deviation = (sums.spread / sums.finite) ** 0.5 / counting.cells.per_unit
        found = {
            "least": sums.least * unit,
            "largest": sums.largest * unit,
            # Rounding must not lead out of the column.
            "mean": min(max(mean, sums.least), sums.largest) * unit,
            "deviation": deviation * unit,
        }
    counted: dict[str, Any] = {"rows": sums.rows, "missing": sums.missing, "infinite": sums.infinite}
    finite: dict[str, Any] = {key: one for key, one in found.items() if abs(one) < float("inf")}
    return ColumnSummary(**counted, **finite)


def _place(gap: Gap, counting: Counting) -> float | None:
    """Return where the gap is: at a value that was looked at, else at the end of a cell."""
    import numpy as np

    found = gap.value
    if found is None:
        last = min(gap.cell + 1, counting.cells.count - 1)
        found = float(counting.cells.edges(np.array([last]), counting.reading.dtype)[0])
    found *= counting.reading.unit
    return found if abs(found) < float("inf") else None


def _of(histogram: Histogram | None, distance: Callable[[Any, Any], float]) -> float | None:
    return distance(histogram.reference, histogram.current) if histogram else None
