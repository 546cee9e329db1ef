"""Drift counted by DuckDB through Ibis: statistics, p-values and verdict as on local tables, to the last bit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from scipy import stats
from tests.sizes import FULL
from tests.warehouse_tables import HARD, measured, trips

from airfoil.steps.drift.cells import EvenCells
from airfoil.steps.drift.gaps import Tally
from airfoil.steps.drift.measurement import DriftPlan, measure_drift
from airfoil.steps.drift.verdict import judge_drift
from airfoil.steps.numbers import Reading
from airfoil.steps.scans import Scan
from airfoil.steps.warehouse import drift
from airfoil.steps.warehouse.drift import measure_drift_in_warehouse
from airfoil.steps.warehouse.number_columns import NumberColumn, sums_of

pytestmark = pytest.mark.unit


def both(duck, reference, current, plan=None):
    """The reports of both ways."""
    here = measure_drift(Scan.of_table(reference, "before"), Scan.of_table(current, "after"), plan)
    return here, measure_drift_in_warehouse(duck(reference, "before"), duck(current, "after"), plan)


@pytest.mark.parametrize("shift", [0.0, 2.0])
def test_a_table_with_everything_that_is_hard(duck, shift):
    here, there = both(duck, trips(2000, 1), trips(2500, 2, shift))
    assert measured(there) == measured(here)
    assert judge_drift(there) == judge_drift(here)


@pytest.mark.parametrize("rows", [8, 0])
def test_values_that_engines_take_for_different_things(duck, rows):
    here, there = both(duck, HARD.slice(0, rows), HARD)
    assert measured(there) == measured(here)


def test_distances_are_near_those_of_local_tables_where_cells_lie_elsewhere(duck):
    here, there = both(duck, trips(20_000, 1), trips(20_000, 2, 2.0), DriftPlan(columns=["fare", "extra"]))
    for ours, theirs in zip(here.columns, there.columns, strict=True):
        assert theirs.stability_index == pytest.approx(ours.stability_index, abs=0.01)
        assert theirs.jensen_shannon == pytest.approx(ours.jensen_shannon, abs=0.02)
        assert theirs.reference.mean == pytest.approx(ours.reference.mean, rel=1e-9)
        assert theirs.current.deviation == pytest.approx(ours.current.deviation, rel=1e-9)
        assert sum(theirs.histogram.reference) == ours.reference.rows - ours.reference.missing


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([1.0, 2.0], []),
        ([None, float("nan")], [1.0]),
        ([0.0] * 999 + [1e300], [0.0] * 999 + [-1e300]),
        ([float("inf"), float("-inf"), 1.0], [float("inf")] * 3),
        ([5e-324, 0.0, -0.0], [1e-310, -1e-310]),
        ([1.0] * 50, [1.0] * 50),
    ],
)
def test_odd_columns(duck, left, right):
    tables = [pa.table({"a": pa.array(values, pa.float64())}) for values in (left, right)]
    here, there = both(duck, *tables)
    assert measured(there) == measured(here)


_SIDE = some.lists(
    some.none() | some.floats() | some.sampled_from([0.0, -0.0, 0.1, 0.1 + 0.2, 0.3, 1e-300, 1e300]),
    min_size=1,
)


@pytest.mark.filterwarnings("ignore:divide by zero")  # scipy's p-value of two values, which nobody asks for
@settings(
    max_examples=30 if FULL else 5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(left=_SIDE, right=_SIDE)
def test_the_statistic_is_scipys_for_any_numbers(duck, left, right):
    tables = [pa.table({"a": pa.array(values, pa.float64())}) for values in (left, right)]
    (found,) = measure_drift_in_warehouse(*(duck(one) for one in tables)).columns
    numbers = [
        np.array([one for one in side if one is not None and not np.isnan(one)]) for side in (left, right)
    ]
    if all(side.size for side in numbers):
        assert found.statistic == pytest.approx(stats.ks_2samp(*numbers, method="asymp").statistic, abs=1e-15)
    else:
        assert found.statistic is None


@settings(
    max_examples=15 if FULL else 5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    left=some.lists(some.none() | some.integers(-(2**63), 2**63 - 1) | some.integers(0, 5), min_size=1),
    right=some.lists(some.none() | some.integers(-(2**63), 2**63 - 1) | some.integers(0, 5), min_size=1),
)
def test_any_integers(duck, left, right):
    here, there = both(duck, *(pa.table({"a": pa.array(side, pa.int64())}) for side in (left, right)))
    assert [one.statistic for one in there.columns] == pytest.approx([one.statistic for one in here.columns])


@pytest.mark.parametrize("most_kept", [1, 10, 100])
def test_a_stretch_with_too_many_values_is_cut_anew(duck, most_kept):
    random = np.random.default_rng(3)
    sides = [random.normal(size=20_000), random.normal(0.003, 1.0, 20_000)]
    tables = tuple(duck(pa.table({"a": side})) for side in sides)
    reading = Reading("number", "float64")
    sums = tuple(sums_of(table, {"a": reading})["a"] for table in tables)
    column = NumberColumn("a", reading, tables, sums)
    cells = EvenCells.around(np.concatenate(sides), 64)
    gap = drift._largest_gap(column, cells, Tally.of_all(*column.count(cells).counts), most_kept)
    assert gap.statistic == stats.ks_2samp(*sides).statistic


def test_what_is_left_out_says_why(duck):
    table = pa.table(
        {
            "a": [[1]],
            "b": pa.array([1], pa.uint64()),
            "c": ["x"],
            "d": pa.array([1], pa.time64("us")),
            "e": pa.array([1], pa.timestamp("ns")),
        }
    )
    found = measure_drift_in_warehouse(duck(table), duck(table.drop(["c"])))
    assert {one.name: one.reason for one in found.left_out} == {
        "a": "is nested (list<item: int64>)",
        "b": "holds uint64, which other engines have not",
        "c": "is not in trips",
        "d": "holds time64[ns], which is not compared in duckdb",
        "e": "holds timestamp[ns], which is not compared in duckdb",
    }


def test_too_many_different_values_are_an_identifier(duck):
    tables = [duck(pa.table({"a": [f"{side}{number}" for number in range(30)]})) for side in "xy"]
    found = measure_drift_in_warehouse(*tables, DriftPlan(most_categories=20))
    assert found.left_out[0].reason == "has more than 20 different values: it looks like an identifier"
    assert measure_drift_in_warehouse(*tables, DriftPlan(most_categories=30)).left_out == ()


def test_empty_tables(duck):
    table = pa.table({"a": pa.array([], pa.float64()), "b": pa.array([], pa.string())})
    here, there = both(duck, table, table)
    assert measured(there) == measured(here)
    assert judge_drift(there) == judge_drift(here)
