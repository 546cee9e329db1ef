from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from airfoil.steps.drift.cells import EvenCells
from airfoil.steps.drift.counting import Counting
from airfoil.steps.drift.distances import (
    chi_square,
    jensen_shannon,
    least_detectable_v,
    stability_index,
    wasserstein,
)
from airfoil.steps.numbers import reading_of

pytestmark = pytest.mark.unit

COUNTS = st.integers(1, 12).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 500), min_size=size, max_size=size).filter(any)] * 2)
)


@given(COUNTS)
def test_jensen_shannon_is_scipys(counts):
    assert jensen_shannon(*counts) == pytest.approx(jensenshannon(*counts, base=2), abs=1e-7)


@given(COUNTS)
def test_the_stability_index_is_its_formula(counts):
    total = 0.0
    for one, other in zip(*counts, strict=True):
        first, second = max(one / sum(counts[0]), 1e-4), max(other / sum(counts[1]), 1e-4)
        total += (second - first) * np.log(second / first)
    assert stability_index(*counts) == pytest.approx(total, abs=1e-12)


@given(st.lists(st.tuples(st.integers(20, 900), st.integers(20, 900)), min_size=2, max_size=9))
@settings(deadline=None)
def test_the_chi_square_test_is_scipys(pairs):
    table = np.array(pairs).T
    expected = stats.chi2_contingency(table, correction=False)
    found = chi_square(*table)
    if not found.pooled:
        assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-300)
        assert found.cramers_v == pytest.approx(stats.contingency.association(table, "cramer"))


def test_rare_values_are_tested_together():
    found = chi_square([1000, 1, 1, 1, 0], [1000, 0, 1, 0, 0])
    assert found.pooled == 3
    assert found.degrees == 1


def test_one_value_on_both_sides_has_not_changed():
    found = chi_square([7], [9])
    assert (found.p_value, found.cramers_v) == (1.0, 0.0)


def test_the_least_detectable_v_has_the_p_value_of_the_level():
    rows = 5000
    statistic = least_detectable_v(rows, 3) ** 2 * rows
    assert stats.chi2.sf(statistic, 3) == pytest.approx(0.05)


def counted(first, second, cells):
    reading = reading_of(pa.array(first).type, pa.array(second).type)
    counting = Counting(reading, EvenCells.around(np.concatenate([first, second]), cells))
    counting.take(0, pa.array(first))
    counting.take(1, pa.array(second))
    return counting


@given(
    *[st.lists(st.integers(-40, 40), min_size=1, max_size=50).map(np.array)] * 2,
    st.sampled_from([32, 64, 1024]),
)
@settings(deadline=None)
def test_the_wasserstein_distance_of_whole_numbers_is_scipys(first, second, cells):
    found = counted(first, second, cells)
    if found.cells.is_whole:
        assert wasserstein(found) == pytest.approx(stats.wasserstein_distance(first, second), abs=1e-9)


def test_the_wasserstein_distance_of_floats_is_off_by_less_than_a_cell():
    random = np.random.default_rng(7)
    first, second = random.normal(size=5000), random.normal(0.3, 1.4, size=4000)
    found = counted(first, second, 4096)
    width = 1 / found.cells.per_unit
    assert wasserstein(found) == pytest.approx(stats.wasserstein_distance(first, second), abs=2 * width)


def test_an_infinite_distance_is_not_told():
    assert wasserstein(counted(np.array([1.0, np.inf]), np.array([1.0]), 64)) is None
