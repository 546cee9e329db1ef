"""An engine's cells are ours: each value is counted where numpy would count it."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from tests.sizes import FULL

from airfoil.steps.drift.cells import EvenCells
from airfoil.steps.drift.counting import Counting
from airfoil.steps.numbers import Reading, reading_of
from airfoil.steps.warehouse import number_columns
from airfoil.steps.warehouse.number_columns import NumberColumn, sums_of

pytestmark = pytest.mark.unit

_FLOATS = some.lists(some.none() | some.floats(), min_size=1)


def column(duck, left, right, kind=None):
    kind = kind or pa.float64()
    arrays = [pa.array(side, kind) for side in (left, right)]
    reading = reading_of(kind, kind)
    tables = tuple(duck(pa.table({"a": one})) for one in arrays)
    sums = tuple(sums_of(table, {"a": reading})["a"] for table in tables)
    return NumberColumn("a", reading, tables, sums), arrays


@settings(
    max_examples=30 if FULL else 5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(left=_FLOATS, right=_FLOATS, cells=some.integers(3, 50))
def test_counts_and_sums_are_those_of_a_local_table(duck, left, right, cells):
    there, arrays = column(duck, left, right)
    numbers = np.concatenate([there.reading.values(one) for one in arrays])
    even = EvenCells.around(numbers, cells)
    here, found = Counting(there.reading, even), there.count(even)
    for side, array in enumerate(arrays):
        here.take(side, array)
        assert found.counts[side].tolist() == here.counts[side].tolist()
        ours, theirs = here.sums[side], found.sums[side]
        assert (theirs.rows, theirs.missing, theirs.infinite, theirs.finite) == (
            ours.rows,
            ours.missing,
            ours.infinite,
            ours.finite,
        )
        assert (theirs.least, theirs.largest) == (ours.least, ours.largest)


def test_values_in_wanted_cells_come_with_their_cells(duck):
    there, _ = column(duck, [0.0, 1.0, 1.0, 5.5, None], [1.0, 9.0, -0.0])
    cells = EvenCells(0.0, 1.0, 12)
    wanted = np.zeros(12, dtype=bool)
    wanted[[1, 2, 10]] = True
    values, owners, reference, current = there.kept(cells, wanted)
    assert values.tolist() == [0.0, 1.0, 9.0]
    assert owners.tolist() == [1, 2, 10]
    assert (reference.tolist(), current.tolist()) == ([1, 2, 0], [1, 1, 1])


def test_thousands_of_ranges_are_one_question(duck):
    there, _ = column(duck, list(range(6000)), [1], pa.int64())
    cells = EvenCells(0.0, 1.0, 6002, is_whole=True)
    wanted = np.arange(6002) % 2 == 1
    values, *_ = there.kept(cells, wanted)
    assert len(values) == 3000
    # A few are said as ranges, with both of their ends.
    wanted = np.isin(np.arange(6002), [5, 6, 7, 100, 2000, 2001])
    values, owners, *_ = there.kept(cells, wanted)
    assert (values + 1).tolist() == owners.tolist() == np.flatnonzero(wanted).tolist()


def test_hundreds_of_columns_are_summed_up_in_several_queries(duck, monkeypatch):
    monkeypatch.setattr(number_columns, "COLUMNS_AT_A_TIME", 3)
    names = [f"c{number}" for number in range(8)]
    table = duck(pa.table({name: [1.0 * place, math.inf] for place, name in enumerate(names)}))
    found = sums_of(table, {name: Reading("number", "float64") for name in names})
    assert [(one.least, one.infinite) for one in found.values()] == [(1.0 * one, 1) for one in range(8)]


def test_no_infinity_is_a_bound(duck):
    there, _ = column(duck, [math.inf, 1.0, -2.0], [-math.inf, math.nan, 3.0])
    assert [(one.least, one.largest) for one in there.whole] == [(-2.0, 1.0), (3.0, 3.0)]
    assert [(one.infinite, one.missing, one.finite) for one in there.whole] == [(1, 0, 2), (1, 1, 1)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.int8(), [1, -3, None]),
        (pa.float32(), [0.1, None, float("nan")]),
        (pa.decimal128(12, 3), [Decimal("1.250"), Decimal("-0.001"), None]),
        (pa.date32(), [dt.date(1969, 12, 31), dt.date(2026, 1, 1), dt.date(9999, 12, 31), dt.date(1, 1, 1)]),
        (pa.timestamp("s"), [dt.datetime(9999, 12, 31, 23, 59, 59), dt.datetime(1, 1, 1)]),  # noqa: DTZ001 - a column without a zone
        (pa.timestamp("ms"), [dt.datetime(9999, 12, 31, 23, 59, 59, 999_000), None]),  # noqa: DTZ001 - as above
        (pa.timestamp("us"), [dt.datetime(1969, 12, 31, 23, 59, 59, 999_999), None]),  # noqa: DTZ001 - a column without a zone
        (pa.timestamp("us", "UTC"), [dt.datetime(2026, 1, 1, 0, 0, 0, 1, dt.UTC)]),
    ],
)
def test_numbers_are_those_of_a_local_table(duck, kind, values):
    there, arrays = column(duck, values, values, kind)
    rows = there.values.filter(there.values["side"] == 0).to_pyarrow()["v"].to_numpy()
    assert sorted(rows.astype(there.reading.dtype)) == sorted(there.reading.values(arrays[0]))


def test_nothing_to_sum_up(duck):
    assert sums_of(duck(pa.table({"a": [1]})), {}) == {}
    (found,) = sums_of(
        duck(pa.table({"a": pa.array([], pa.float64())})), {"a": Reading("number", "float64")}
    ).values()
    assert (found.rows, found.finite, found.least) == (0, 0, None)
