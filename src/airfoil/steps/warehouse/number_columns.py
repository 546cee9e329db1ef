"""A column of numbers in two tables of one engine: its sums, its counts by cells, its values in some cells.

Cells are those of `drift.cells`. The engine does the same arithmetic on 64 bits, so its cell numbers rise with the
value as ours do, and counts are exact. Which cell a value lies in is always the engine's word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airfoil.steps.drift.counting import Counting, Sums
from airfoil.steps.drift.passes import SIDES
from airfoil.steps.numbers import NANOSECONDS
from airfoil.steps.warehouse.tables import COLUMNS_AT_A_TIME, beside, exactly, is_infinite, microseconds

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.drift.cells import EvenCells
    from airfoil.steps.numbers import Reading
    from airfoil.steps.warehouse.tables import WarehouseTable

_MOST_RANGES = 16
"""So many ranges of cells are compared one by one; more are looked up in a list."""


@dataclass(frozen=True)
class NumberColumn:
    """One column in both tables, read as numbers of one kind."""

    name: str
    reading: Reading
    tables: tuple[WarehouseTable, WarehouseTable]
    whole: tuple[Sums, Sums] = field(repr=False)
    """Rows, missing values and bounds of both sides, which one query has found for all columns."""

    @cached_property
    def values(self) -> ir.Table:
        """Return all values of both sides: `side` and `v`."""
        tables = [
            table.table.select(v=number(table.table[self.name], self.reading, table.engine))
            for table in self.tables
        ]
        rows = beside(tables)
        there = rows["v"].notnull()
        return rows.filter(there & ~rows["v"].isnan() if self._is_float else there)

    def count(self, cells: EvenCells) -> Counting:
        """Count all values by cells."""
        import ibis
        import numpy as np

        rows = self._placed(cells)
        outer = (rows["cell"] == 0) | (rows["cell"] == cells.count - 1)
        is_finite = ~is_infinite(rows["position"])
        kept = ibis.cases((outer & is_finite, rows["position"]), else_=0.0)
        found = self.tables[0].fetch(
            rows.group_by(["side", "cell"]).aggregate(
                times=rows.count(), finite=is_finite.sum(), reach=kept.sum()
            )
        )
        counting = Counting(self.reading, cells)
        sides, places, times, finite, reach = (found[name].to_numpy() for name in found.column_names)
        for side in SIDES:
            mine = sides == side
            np.add.at(counting.counts[side], places[mine], times[mine])
            sums = counting.sums[side]
            _copy(self.whole[side], sums, cells)
            last = cells.count - 1
            for place, many, far in zip(places[mine], finite[mine], reach[mine], strict=True):
                sums.below += float(many - far) if place == 0 else 0.0
                sums.above += float(far - last * many) if place == last else 0.0
        return counting

    def kept(
        self, cells: EvenCells, wanted: NDArray[np.bool_]
    ) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]]:
        """Return the different values in wanted cells, in order: value, cell, and how often it came on either side."""
        import numpy as np

        rows = self._placed(cells)
        rows = rows.filter(_among(rows["cell"], np.flatnonzero(wanted)))
        found = self.tables[0].fetch(rows.group_by(["side", "cell", "v"]).aggregate(times=rows.count()))
        sides, places, numbers, times = (found[name].to_numpy() for name in ("side", "cell", "v", "times"))
        values, where = np.unique(numbers.astype(self.reading.dtype, copy=False), return_inverse=True)
        owners = np.zeros(len(values), dtype=np.intp)
        owners[where] = places
        counts = [np.zeros(len(values), dtype=np.int64) for _ in SIDES]
        for side in SIDES:
            np.add.at(counts[side], where[sides == side], times[sides == side])
        return values, owners, counts[0], counts[1]

    @property
    def _is_float(self) -> bool:
        return self.reading.dtype.startswith("float")

    def _placed(self, cells: EvenCells) -> ir.Table:
        """Return every value with its position and its cell, computed as `EvenCells` does."""
        import ibis

        rows = self.values
        position = (rows["v"].cast("float64") - exactly(cells.low)) * exactly(cells.per_unit) + exactly(1.0)
        rows = rows.mutate(position=position)
        last = cells.count - 1
        place = ibis.cases(
            (rows["position"] <= 0, exactly(0.0)),
            (rows["position"] >= last, exactly(float(last))),
            else_=rows["position"],
        )
        return rows.mutate(cell=place.floor().cast("int64"))


def number(column: ir.Column, reading: Reading, engine: str) -> ir.NumericColumn:
    """Return a column as the numbers that `Reading.values` gives, still in the engine."""
    if reading.kind == "time":
        if column.type().is_date():
            micros = microseconds(column.cast("timestamp"), engine)
        else:
            micros = microseconds(column, engine)
        ticks = reading.tick // NANOSECONDS["us"]
        # Engines divide as 64 bits with a point: half a tick more, and what is a whole number of ticks stays it.
        return ((micros + ticks // 2) // ticks).cast("int64") if ticks > 1 else micros
    if reading.scale is not None:
        return (column.cast(f"decimal(38, {reading.scale})") * 10**reading.scale).cast("int64")
    return column.cast("float64" if reading.dtype.startswith("float") else "int64")


def sums_of(table: WarehouseTable, readings: dict[str, Reading]) -> dict[str, Sums]:
    """Return rows, missing values, bounds, mean and spread of many columns, found by one query for a hundred."""
    names = list(readings)
    found: dict[str, Sums] = {}
    for start in range(0, len(names), COLUMNS_AT_A_TIME):
        found |= _sums_of(table, {name: readings[name] for name in names[start : start + COLUMNS_AT_A_TIME]})
    return found


def _sums_of(table: WarehouseTable, readings: dict[str, Reading]) -> dict[str, Sums]:
    import ibis

    numbers = {
        f"v{place}": number(table.table[name], reading, table.engine)
        for place, (name, reading) in enumerate(readings.items())
    }
    rows = table.table.select(**numbers)
    wanted: dict[str, Any] = {"rows_of_all": rows.count()}
    for alias in numbers:
        value = rows[alias]
        wide = value.cast("float64")
        not_finite = gone = value.isnull()
        if value.type().is_floating():
            gone = gone | value.isnan()
            not_finite = gone | is_infinite(value)
            wanted[f"{alias}_infinite"] = is_infinite(value).sum()
        finite = ibis.cases((not_finite, ibis.null("float64")), else_=wide)
        wanted |= {
            f"{alias}_missing": gone.sum(),
            f"{alias}_least": finite.min(),
            f"{alias}_largest": finite.max(),
            f"{alias}_mean": finite.mean(),
            f"{alias}_spread": finite.var(how="pop"),
        }
    found = table.ask(rows.aggregate(**wanted))[0]
    return {name: _sums(found, f"v{place}") for place, name in enumerate(readings)}


def _sums(found: dict[str, Any], alias: str) -> Sums:
    rows, missing = int(found["rows_of_all"]), int(found[f"{alias}_missing"] or 0)
    infinite = int(found.get(f"{alias}_infinite") or 0)
    return Sums(
        rows=rows,
        missing=missing,
        infinite=infinite,
        finite=rows - missing - infinite,
        least=found[f"{alias}_least"],
        largest=found[f"{alias}_largest"],
        mean=found[f"{alias}_mean"] or 0.0,
        spread=found[f"{alias}_spread"] or 0.0,
    )


def _copy(whole: Sums, into: Sums, cells: EvenCells) -> None:
    """Write down what is known of a side, mean and spread in cells."""
    into.rows, into.missing, into.infinite, into.finite = (
        whole.rows,
        whole.missing,
        whole.infinite,
        whole.finite,
    )
    into.least, into.largest = whole.least, whole.largest
    into.mean = (whole.mean - cells.low) * cells.per_unit + 1
    into.spread = whole.spread * cells.per_unit * cells.per_unit * whole.finite


def _among(cell: ir.IntegerColumn, wanted: NDArray[np.intp]) -> ir.BooleanValue:
    """Return whether a cell is one of these; neighbours stand together.

    Spark computes the cell anew for each comparison, and so for each of thousands of ranges, but once for a list.
    """
    import functools
    import operator

    import numpy as np

    breaks = np.flatnonzero(np.diff(wanted) > 1)
    if len(breaks) >= _MOST_RANGES:
        return cell.isin(wanted.tolist())
    firsts, lasts = wanted[np.r_[0, breaks + 1]], wanted[np.r_[breaks, len(wanted) - 1]]
    ranges = [cell.between(int(first), int(last)) for first, last in zip(firsts, lasts, strict=True)]
    return functools.reduce(operator.or_, ranges)
