from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.steps.drift.cells import EvenCells
from airfoil.steps.drift.counting import Counting
from airfoil.steps.drift.histograms import even_bins, even_groups
from airfoil.steps.numbers import reading_of

pytestmark = pytest.mark.unit

VALUES = st.one_of(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=80).map(np.array),
    st.lists(st.integers(-50, 10_000), min_size=1, max_size=80).map(np.array),
)


def counted(first, second, cells=512):
    reading = reading_of(pa.array(first).type, pa.array(second).type)
    counting = Counting(reading, EvenCells.around(np.concatenate([first, second])[:30], cells))
    counting.take(0, pa.array(first))
    counting.take(1, pa.array(second))
    return counting


def naive(values, edges):
    inner = np.searchsorted(np.sort(values), edges[1:-1], side="left")
    return np.diff([0, *inner, len(values)]).tolist()


@given(VALUES, VALUES, st.integers(1, 40))
@settings(deadline=None)
def test_counts_are_those_of_the_values_between_the_edges(first, second, bins):
    counting = counted(first, second)
    for found in (even_bins(counting, bins), even_groups(counting)):
        assert list(found.reference) == naive(first, found.edges)
        assert list(found.current) == naive(second, found.edges)
        assert list(found.edges) == sorted(found.edges)
        assert found.edges[0] == min(first.min(), second.min())
        assert found.edges[-1] == max(first.max(), second.max())


def test_bins_have_one_width_and_few_values_lie_outside():
    values = np.random.default_rng(5).normal(size=20_000)
    found = even_bins(counted(values, values + 0.1, 4096), 30)
    widths = np.diff(found.edges)[1:-1]
    assert 25 <= len(widths) <= 31
    assert widths.max() == pytest.approx(widths.min(), rel=0.01)
    assert found.reference[0] + found.reference[-1] < 0.02 * 20_000


def test_groups_hold_a_tenth_of_the_reference_each():
    values = np.random.default_rng(5).lognormal(size=20_000)
    found = even_groups(counted(values, values, 2**14))
    assert len(found.reference) == 10
    assert max(found.reference) - min(found.reference) < 0.01 * 20_000


def test_a_frequent_value_makes_fewer_groups():
    found = even_groups(counted(np.array([0] * 95 + [1, 2, 3, 4, 5]), np.array([0])))
    assert len(found.reference) == 2


def test_columns_without_finite_values_have_no_histogram():
    assert even_bins(counted(np.array([np.inf]), np.array([np.inf]))) is None
    assert even_groups(counted(np.array([np.inf]), np.array([-np.inf]))) is None
    assert even_bins(Counting(reading_of(pa.int8(), pa.int8()), EvenCells(0.0, 1.0, 8))) is None
