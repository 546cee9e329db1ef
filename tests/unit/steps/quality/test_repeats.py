"""Repeated rows are counted exactly, in memory and in parts on disk, against a naive count."""

from __future__ import annotations

import math
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.steps.duckdb_engine import duckdb_engine
from airfoil.steps.quality.repeats import Repeats, find_repeats
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def engine():
    with duckdb_engine() as opened:
        yield opened


ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 3)),
        st.one_of(st.none(), st.sampled_from([0.0, -0.0, 1.5, float("nan"), float("inf")])),
        st.one_of(st.none(), st.sampled_from(["", "a", "b"])),
    ),
    max_size=60,
)


def same(value):
    """NaN is like NaN here, and 0 like -0, as in SQL."""
    if not isinstance(value, float):
        return value
    return "nan" if math.isnan(value) else value + 0.0


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, in_memory=st.sampled_from([7, 1000]))
def test_whole_rows_and_keys_are_counted_as_a_naive_counter_counts(engine, rows, in_memory):
    table = pa.table(
        {
            "n": pa.array([row[0] for row in rows], pa.int64()),
            "x": pa.array([row[1] for row in rows], pa.float64()),
            "w": pa.array([row[2] for row in rows], pa.string()),
        }
    )
    scan = Scan.of_table(table)
    whole = Counter(tuple(same(value) for value in row) for row in rows)
    found = find_repeats(scan, engine, len(rows), rows_in_memory=in_memory)
    assert (found.checked, found.repeated) == (len(rows), len(rows) - len(whole))
    keys = Counter((row[0], row[2]) for row in rows if row[0] is not None and row[2] is not None)
    found = find_repeats(scan, engine, len(rows), ("n", "w"), rows_in_memory=in_memory)
    assert (found.checked, found.repeated) == (keys.total(), keys.total() - len(keys))


def test_the_commonest_are_shown(engine):
    scan = Scan.of_table(pa.table({"a": [1, 1, 1, 2, 2, 3], "A": ["x"] * 6}))
    found = find_repeats(scan, engine, 6, examples=1)
    assert found == Repeats(6, 3, ({"times": 3, "a": 1, "A": "x"},))
    assert find_repeats(scan, engine, 6, ("A",)).repeated == 5
    assert find_repeats(scan, engine, 6, examples=0) == Repeats(6, 3)


def test_nested_and_awkward_columns_are_compared_too(engine):
    table = pa.table(
        {
            'a "b"': [[1], [1], None],
            "when": pa.array([1, 1, 1], pa.timestamp("ns", tz="UTC")),
            "place": [{"x": 1}, {"x": 1}, {"x": None}],
        }
    )
    assert find_repeats(Scan.of_table(table), engine, 3).repeated == 1


def test_no_rows_repeat_nothing_and_disk_is_left_clean(engine, tmp_path):
    empty = Scan.of_table(pa.table({"a": pa.array([], pa.int64())}))
    assert find_repeats(empty, engine, 0) == Repeats(0, 0)
    scan = Scan.of_table(pa.table({"a": list(range(1000)) * 2}))
    assert find_repeats(scan, engine, 2000, rows_in_memory=100, folder=tmp_path).repeated == 1000
    assert list(tmp_path.iterdir()) == []
