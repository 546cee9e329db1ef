from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from airfoil.steps.drift.number_drift import number_drift
from airfoil.steps.drift.passes import run
from airfoil.steps.numbers import reading_of
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit

FEW = st.sampled_from([0.0, 1.0, -1.0, 0.1, 0.3, float("inf"), float("-inf"), 5e-324, 1e300])
FLOATS = st.lists(st.one_of(FEW, st.floats(allow_nan=True), st.none()), min_size=1, max_size=120)
INTEGERS = st.lists(
    st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1), st.none()), min_size=1, max_size=120
)


def measured(first, second, *, sample=5, cells=64, most_kept=1000):
    tables = tuple(Scan.of_table(pa.table({"a": values})) for values in (first, second))
    reading = reading_of(first.type, second.type)
    start = reading.values(first.slice(0, sample))
    search = number_drift("a", reading, start, cells=cells, most_kept=most_kept)
    return run(tables, {"a": search}, memory=2**26)["a"]


def there(values):
    return np.array(
        [value for value in values.to_pylist() if value is not None and value == value],  # noqa: PLR0124 - NaN
        dtype=np.int64 if pa.types.is_integer(values.type) else float,
    )


def check_against_scipy(first, second, found):
    left, right = there(first), there(second)
    if not len(left) or not len(right):
        assert found.statistic is None
        assert found.note.startswith("Nothing to compare")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = stats.ks_2samp(left, right)
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)


@given(FLOATS, FLOATS, st.sampled_from([4, 64, 4096]), st.sampled_from([0, 1, 5, 1000]), st.integers(0, 50))
@settings(deadline=None, max_examples=200)
def test_floats_are_tested_as_scipy_tests_them(first, second, cells, most_kept, sample):
    first, second = pa.array(first, pa.float64()), pa.array(second, pa.float64())
    found = measured(first, second, sample=sample, cells=cells, most_kept=most_kept)
    check_against_scipy(first, second, found)


@given(
    INTEGERS, INTEGERS, st.sampled_from([4, 64, 4096]), st.sampled_from([0, 1, 5, 1000]), st.integers(0, 50)
)
@settings(deadline=None, max_examples=200)
def test_whole_numbers_are_tested_as_scipy_tests_them(first, second, cells, most_kept, sample):
    first, second = pa.array(first, pa.int64()), pa.array(second, pa.int64())
    found = measured(first, second, sample=sample, cells=cells, most_kept=most_kept)
    check_against_scipy(first, second, found)


@pytest.mark.parametrize("most_kept", [10, 500, 10**6])
@pytest.mark.parametrize("kind", ["normal", "sorted", "heavy", "zeros", "cents", "shifted"])
def test_many_rows_are_tested_as_scipy_tests_them(kind, most_kept):
    random = np.random.default_rng(11)
    rows = 30_000
    made = {
        "normal": lambda: random.normal(size=rows),
        "sorted": lambda: np.sort(random.normal(size=rows)),
        "heavy": lambda: random.standard_cauchy(rows) ** 3,
        "zeros": lambda: np.where(random.random(rows) < 0.7, 0.0, random.normal(size=rows) * 1e-9),
        "cents": lambda: np.round(random.lognormal(3, 1, rows), 2),
        "shifted": lambda: random.normal(random.random(), size=rows) + 1e9,
    }[kind]
    first, second = pa.array(made()), pa.array(made())
    check_against_scipy(first, second, measured(first, second, sample=1000, cells=1024, most_kept=most_kept))


def test_a_badly_placed_sample_is_mended_before_anything_is_summed_up():
    values = pa.array(np.arange(100_000.0))
    found = measured(values, values, sample=10, cells=4096)
    assert len(found.groups.reference) == 10
    assert len(found.histogram.reference) > 30
    assert found.stability_index == 0


def test_the_summary_is_that_of_the_finite_values():
    values = np.random.default_rng(2).normal(1e6, 3, size=5000)
    found = measured(pa.array([*values, float("inf"), None, float("nan")]), pa.array(values)).reference
    assert (found.rows, found.missing, found.infinite) == (5003, 2, 1)
    assert found.mean == pytest.approx(values.mean(), rel=1e-12)
    assert found.deviation == pytest.approx(values.std(), rel=1e-9)
    assert (found.least, found.largest) == (values.min(), values.max())


def test_the_gap_is_where_the_distributions_are_farthest_apart():
    first, second = np.arange(1000.0), np.arange(500.0, 1500.0)
    found = measured(pa.array(first), pa.array(second), cells=2**12)
    assert found.statistic == 0.5
    assert 499 <= found.gap_at <= 1000
