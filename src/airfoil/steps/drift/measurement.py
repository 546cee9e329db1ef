"""Measure how far a table is from a reference: every column that both have, in a few passes over both.

Memory depends on the number of columns and not on the number of rows. Numbers only; whether they are too large is said
in `verdict`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from airfoil.records import LeftOutColumn
from airfoil.steps.drift.categories import MOST_VALUES, is_category
from airfoil.steps.drift.category_drift import category_drift
from airfoil.steps.drift.corrections import Correction, adjust
from airfoil.steps.drift.histograms import BINS
from airfoil.steps.drift.number_drift import number_drift
from airfoil.steps.drift.passes import CURRENT, REFERENCE, Measurement, batch_rows, run
from airfoil.steps.drift.report import ColumnDrift, ColumnSummary, DriftReport
from airfoil.steps.numbers import Reading, reading_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan

MIB = 2**20
NOT_WANTED = "is left out by the plan"
MEMORY = 256 * MIB
_MOST_CELLS, _FEWEST_CELLS = 2**17, 2**10
_BYTES_OF_CELL = 16
_BYTES_OF_CATEGORY = 400
_SMALL_EFFECT = 0.01


class Table(Protocol):
    """What is known of a table before it is read."""

    @property
    def name(self) -> str: ...  # noqa: D102 - what it is called in the report
    @property
    def schema(self) -> pa.Schema: ...  # noqa: D102 - its columns


@dataclass(frozen=True)
class DriftPlan:
    """What is measured and how; the same plan on the same tables gives the same report."""

    columns: Sequence[str] = ()
    """All that both tables have, if empty."""
    without: Sequence[str] = ()
    """Columns to leave out, such as times, which are never those of the reference."""
    correction: Correction = "benjamini-hochberg"
    bins: int = BINS
    most_categories: int = MOST_VALUES
    memory: int = MEMORY
    """Bytes that counts and kept values may take; reading takes some more."""


def measure_drift(reference: Scan, current: Scan, plan: DriftPlan | None = None) -> DriftReport:
    """Compare each column of a table with that of a reference."""
    plan = plan or DriftPlan()
    tables = (reference, current)
    readings, left_out = readings_of(tables, plan)
    found: dict[str, ColumnDrift | LeftOutColumn] = {**left_out}
    found |= run(tables, _measurements(tables, readings, plan), memory=plan.memory)
    columns = [one for one in found.values() if isinstance(one, ColumnDrift)]
    rows = (
        _rows(reference, [one.reference for one in columns]),
        _rows(current, [one.current for one in columns]),
    )
    return report_of(tables, found, plan, rows)


def readings_of(
    tables: tuple[Table, Table], plan: DriftPlan
) -> tuple[dict[str, Reading | None], dict[str, LeftOutColumn]]:
    """Return how to read each column that is compared (None for categories), and the columns that are not."""
    readings: dict[str, Reading | None] = {}
    left_out = {}
    for name in _names(tables, plan):
        reading, reason = (None, NOT_WANTED) if name in plan.without else _how_to_read(name, tables)
        if reason:
            left_out[name] = LeftOutColumn(name=name, reason=reason)
        else:
            readings[name] = reading
    return readings, left_out


def report_of(
    tables: tuple[Table, Table],
    found: Mapping[str, ColumnDrift | LeftOutColumn],
    plan: DriftPlan,
    rows: tuple[int, int],
) -> DriftReport:
    """Put together what was found of each column."""
    names = _names(tables, plan)
    columns = [one for name in names if isinstance(one := found[name], ColumnDrift)]
    return DriftReport(
        reference=tables[REFERENCE].name,
        current=tables[CURRENT].name,
        reference_rows=rows[REFERENCE],
        current_rows=rows[CURRENT],
        correction=plan.correction,
        columns=tuple(_adjusted(columns, plan.correction)),
        left_out=tuple(one for name in names if isinstance(one := found[name], LeftOutColumn)),
        note=_note(columns),
    )


def cells_of(plan: DriftPlan, numbers: int) -> int:
    """Return into how many cells each of so many columns of numbers is counted."""
    return max(_FEWEST_CELLS, min(_MOST_CELLS, plan.memory // _BYTES_OF_CELL // max(1, numbers)))


def most_categories_of(plan: DriftPlan, texts: int) -> int:
    """Return how many different values each of so many columns of categories may have."""
    return max(1, min(plan.most_categories, plan.memory // (_BYTES_OF_CATEGORY * max(1, texts))))


def _names(tables: tuple[Table, Table], plan: DriftPlan) -> Sequence[str]:
    return plan.columns or tuple(
        dict.fromkeys([*tables[REFERENCE].schema.names, *tables[CURRENT].schema.names])
    )


def _how_to_read(name: str, tables: tuple[Table, Table]) -> tuple[Reading | None, str]:
    """Return how to read a column of numbers, None for categories; and why it is left out, if it is."""
    import pyarrow as pa

    if missing := [table.name for table in tables if name not in table.schema.names]:
        return None, f"is not in {' and '.join(missing)}"
    left, right = (table.schema.field(name).type for table in tables)
    if pa.types.is_null(left) and pa.types.is_null(right):
        return None, "has no values in either table"
    reading = reading_of(left, right)
    if reading or is_category(left, right):
        return reading, ""
    if pa.types.is_nested(left) or pa.types.is_nested(right):
        return None, f"is nested ({left if pa.types.is_nested(left) else right})"
    if left == right:
        return None, f"holds {left}, which has no distribution to compare"
    return None, f"is {left} in {tables[REFERENCE].name} and {right} in {tables[CURRENT].name}"


def _measurements(
    tables: tuple[Scan, Scan], readings: Mapping[str, Reading | None], plan: DriftPlan
) -> dict[str, Measurement[ColumnDrift | LeftOutColumn]]:
    numbers = {name: reading for name, reading in readings.items() if reading}
    cells = cells_of(plan, len(numbers))
    samples = _first_values(tables, numbers)
    most = most_categories_of(plan, len(readings) - len(numbers))
    return {
        name: (
            number_drift(name, reading, samples[name], cells=cells, bins=plan.bins)
            if reading
            else category_drift(name, most)
        )
        for name, reading in readings.items()
    }


def _first_values(tables: tuple[Scan, Scan], readings: Mapping[str, Reading]) -> dict[str, NDArray[Any]]:
    """Return the values of the first batch of both tables, to choose cells by."""
    import numpy as np

    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in readings}
    if not readings:
        return {}
    for table in tables:
        for batch in table.batches(list(readings), batch_rows(len(readings))):
            for name, reading in readings.items():
                parts[name].append(reading.values(batch.column(name)))
            break
    return {
        name: np.concatenate(values) if values else np.empty(0, dtype=readings[name].dtype)
        for name, values in parts.items()
    }


def _adjusted(columns: Sequence[ColumnDrift], correction: Correction) -> Iterable[ColumnDrift]:
    tested = {one.name: one.p_value for one in columns if one.p_value is not None}
    p_values = dict(zip(tested, adjust(list(tested.values()), correction), strict=True))
    return (one.model_copy(update={"p_adjusted": p_values.get(one.name)}) for one in columns)


def _rows(table: Scan, summaries: Sequence[ColumnSummary]) -> int:
    if summaries:
        return summaries[0].rows
    return sum(batch.num_rows for batch in table.batches(table.schema.names[:1], batch_rows(1)))


def _note(columns: Sequence[ColumnDrift]) -> str:
    """Say what p-values are worth here."""
    least = [one.detectable for one in columns if one.detectable is not None]
    if not least or min(least) > _SMALL_EFFECT:
        return ""
    return (
        f"With so many rows an effect of {min(least):.2g} already has p < 0.05: p-values say that tables differ, which "
        "two tables always do. Look at the effects."
    )
