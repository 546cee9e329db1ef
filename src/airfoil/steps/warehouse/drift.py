"""Measure how far a table is from a reference, where both stay in their engine: the same report as for local tables.

The Kolmogorov-Smirnov statistic is exact, in a few queries for each column: count by cells, then look at the values of
those cells alone in which a larger gap may hide. When these are too many, their stretch of the line is cut anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airfoil.records import LeftOutColumn
from airfoil.steps.drift.categories import Tallying
from airfoil.steps.drift.category_drift import drift_of_categories
from airfoil.steps.drift.cells import EvenCells
from airfoil.steps.drift.gaps import Tally
from airfoil.steps.drift.kolmogorov import MOST_KEPT
from airfoil.steps.drift.measurement import DriftPlan, cells_of, most_categories_of, readings_of, report_of
from airfoil.steps.drift.number_drift import drift_of_numbers, without_numbers
from airfoil.steps.numbers import NANOSECONDS
from airfoil.steps.warehouse.number_columns import NumberColumn, sums_of
from airfoil.steps.warehouse.tables import MICROSECONDS, beside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.drift.gaps import Gap
    from airfoil.steps.drift.report import ColumnDrift, DriftReport
    from airfoil.steps.numbers import Reading
    from airfoil.steps.warehouse.tables import WarehouseTable

_TAIL = 0.001
_BULK = 4
"""When the bulk of the values takes less than the fourth part of the cells, they are chosen anew around it."""
_MOST_LOOKS = 4


def measure_drift_in_warehouse(
    reference: WarehouseTable, current: WarehouseTable, plan: DriftPlan | None = None
) -> DriftReport:
    """Compare each column of a table with that of a reference in the same engine."""
    plan = plan or DriftPlan()
    tables = (reference, current)
    readings, left_out = readings_of(tables, plan)
    found: dict[str, ColumnDrift | LeftOutColumn] = {**left_out}
    found |= {
        name: reason for name, reading in readings.items() if (reason := _not_here(name, reading, tables))
    }
    kept = {name: reading for name, reading in readings.items() if name not in found}
    numbers = {name: reading for name, reading in kept.items() if reading}
    sums = [sums_of(table, numbers) for table in tables]
    cells = cells_of(plan, len(numbers))
    most = most_categories_of(plan, len(kept) - len(numbers))
    rows = [table.rows() for table in tables]
    for name, reading in kept.items():
        if reading:
            column = NumberColumn(name, reading, tables, (sums[0][name], sums[1][name]))
            found[name] = _number_drift(column, cells, plan.bins)
        else:
            found[name] = drift_of_categories(name, _tallied(name, tables, most, rows))
    return report_of(tables, found, plan, (rows[0], rows[1]))


def _not_here(
    name: str, reading: Reading | None, tables: tuple[WarehouseTable, WarehouseTable]
) -> LeftOutColumn | None:
    """Say why a column that can be compared on this machine cannot be in the engine."""
    import pyarrow as pa

    types = [table.types[name] for table in tables]
    if reading is None:
        return None
    if any(str(one) == "uint64" for one in types):
        return LeftOutColumn(name=name, reason="holds uint64, which other engines have not")
    if reading.kind != "time":
        return None
    is_moment = all(pa.types.is_timestamp(one) or pa.types.is_date(one) for one in types)
    is_known = tables[0].engine in MICROSECONDS and reading.tick >= NANOSECONDS["us"]
    if is_moment and is_known:
        return None
    finest = min(types, key=lambda one: "[ns" not in str(one))
    return LeftOutColumn(name=name, reason=f"holds {finest}, which is not compared in {tables[0].engine}")


def _number_drift(column: NumberColumn, cells: int, bins: int) -> ColumnDrift:
    import numpy as np

    bounds = [one for side in column.whole for one in (side.least, side.largest) if one is not None]
    sample = _as_values(np.array(bounds or [0.0]), column.reading.dtype)
    counting = column.count(EvenCells.around(sample, cells))
    for _ in range(_MOST_LOOKS):
        if (bulk := _bulk(counting.counts, counting.cells, column.reading.dtype)) is None:
            break
        counting = column.count(EvenCells.around(bulk, cells))
    tally = Tally.of_all(*counting.counts)
    if not tally.totals.reference or not tally.totals.current:
        return without_numbers(column.name, counting)
    return drift_of_numbers(column.name, counting, _largest_gap(column, counting.cells, tally), bins)


def _bulk(counts: tuple[NDArray[np.int64], ...], cells: EvenCells, dtype: str) -> NDArray[np.float64] | None:
    """Return where nearly all values lie, when cells that are even over the whole line resolve it badly."""
    import numpy as np

    if cells.is_whole:
        return None
    below = np.cumsum(counts[0] + counts[1])
    if not below[-1]:
        return None
    first = int(np.searchsorted(below, _TAIL * below[-1], side="right"))
    last = int(np.searchsorted(below, (1 - _TAIL) * below[-1]))
    is_inside = first > 0 and last < cells.count - 1
    if not is_inside or last - first >= cells.count // _BULK:
        return None
    edges = cells.edges(np.array([first, last + 1]), dtype)
    # A single value, or a few neighbours in floating-point numbers, cannot be resolved any better.
    if not edges[0] < np.nextafter(edges[1], edges[0]):
        return None
    values = _as_values(edges, dtype)
    return values if np.unique(values).size > 1 else None


def _as_values(numbers: NDArray[np.float64], dtype: str) -> NDArray[Any]:
    """Return numbers as values of a column; what an integer cannot be becomes the next that it can."""
    import numpy as np

    if np.dtype(dtype).kind == "f":
        return numbers.astype(dtype)
    range_of = np.iinfo(dtype)
    # The largest 64-bit number with a point below 2**63 is 1,024 less.
    most = float(range_of.max) if range_of.max < 2**53 else float(range_of.max) - 1024
    return np.clip(numbers, float(range_of.min), most).astype(dtype)


def _largest_gap(column: NumberColumn, cells: EvenCells, tally: Tally, most_kept: int = MOST_KEPT) -> Gap:
    """Find the largest gap, exactly; `tally` counts all values by `cells`."""
    import numpy as np

    best = tally.largest()
    wanted = tally.undecided(best, cells.single())
    while (held := tally.held(wanted)) > most_kept:
        finer = _cut_anew(cells, wanted, column.reading.dtype)
        if finer is None:
            break
        cells = finer
        tally = Tally.of_all(*column.count(cells).counts)
        found = tally.largest()
        if found.size > best.size:
            best = replace(
                found, value=float(cells.edges(np.array([found.cell + 1]), column.reading.dtype)[0])
            )
        wanted = tally.undecided(best, cells.single())
        wanted[[0, -1]] = False  # what lies there was decided before
        if tally.held(wanted) > held / 2:  # many values are one value: they are few different ones
            break
    if tally.held(wanted):
        values, owners, reference, current = column.kept(cells, wanted)
        pieces = tally.finer(wanted, owners, reference, current).largest()
        if pieces.size > best.size:
            best = replace(pieces, value=float(values[pieces.cell]))
    return best


def _cut_anew(cells: EvenCells, wanted: NDArray[np.bool_], dtype: str) -> EvenCells | None:
    """Return cells over the stretch of the wanted ones; None when they would be no finer."""
    import numpy as np

    places = np.flatnonzero(wanted)
    if places[0] == 0 or places[-1] >= cells.count - 1:
        return None
    low, high = (float(one) for one in cells.edges(np.array([places[0], places[-1] + 1]), dtype))
    # One cell is left free at the end, so that no rounding puts a wanted value into the last, which has no end.
    per_unit = (cells.count - 3) / (high - low) if high > low else 0.0
    return (
        EvenCells(low, per_unit, cells.count) if per_unit > 2 * cells.per_unit and per_unit < np.inf else None
    )


def _tallied(
    name: str, tables: tuple[WarehouseTable, WarehouseTable], most: int, rows: list[int]
) -> Tallying:
    """Return how often each value came on either side, unless there are too many different ones."""
    values = beside([table.table.select(v=table.table[name].cast("string")) for table in tables])
    groups = values.group_by(["side", "v"]).aggregate(times=values.count())
    found = tables[0].fetch(groups.limit(2 * most + 3))
    tallying = Tallying(most)
    for side, count in enumerate(rows):
        tallying.rows[side] = count
    for side, value, times in zip(*(found[one].to_pylist() for one in ("side", "v", "times")), strict=True):
        tallying.add(side, value, times)
    return tallying
