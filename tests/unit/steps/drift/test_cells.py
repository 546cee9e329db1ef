from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.steps.drift.cells import EvenCells, FineCells

pytestmark = pytest.mark.unit

FLOATS = st.lists(st.floats(allow_nan=False, width=64), min_size=1, max_size=60).map(np.array)
INTEGERS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=60).map(
    lambda given: np.array(given, dtype=np.int64)
)


@given(st.one_of(FLOATS, INTEGERS), st.integers(4, 5000), st.integers(1, 20))
@settings(deadline=None)
def test_a_cell_never_falls_when_a_value_rises(values, count, sampled):
    cells = EvenCells.around(values[:sampled], count)
    _, found = cells.find(np.sort(values))
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() < count


@given(st.one_of(FLOATS, INTEGERS), st.integers(4, 500))
@settings(deadline=None)
def test_fine_cells_keep_the_order_and_give_a_knot_a_cell_of_its_own(values, count):
    cells = EvenCells.around(values, count)
    _, coarse = cells.find(values)
    wanted = np.zeros(count, dtype=bool)
    wanted[coarse[::2]] = True
    knots = np.unique(np.sort(values[wanted[coarse]])[::3])
    fine = FineCells(cells, wanted, knots)
    kept, found = fine.find(np.sort(values))
    assert (np.diff(found) >= 0).all()
    assert found.max() < fine.count
    for value in knots:
        assert len(set(kept[found == found[kept == value][0]])) == 1
    assert fine.single()[fine.find(knots)[1]].all()


def test_whole_numbers_have_a_cell_each():
    cells = EvenCells.around(np.array([3, 4, 9]), 64)
    assert cells.is_whole
    _, found = cells.find(np.arange(-5, 20))
    assert len(set(found)) == 25
    single = cells.single()
    assert not single[[0, -1]].any()
    assert single[1:-1].all()


@pytest.mark.parametrize("sample", [[], [np.inf, -np.inf], [2.5], [0.0], [-1e308, 1e308], [5e-324, 1e-323]])
def test_any_sample_gives_usable_cells(sample):
    cells = EvenCells.around(np.array(sample, dtype=float), 16)
    _, found = cells.find(np.array([-np.inf, -1e308, 0.0, 1e308, np.inf]))
    assert found[0] == 0
    assert found[-1] == 15
    assert (np.diff(found) >= 0).all()


@given(FLOATS, st.integers(8, 4096))
@settings(deadline=None)
def test_an_edge_is_the_least_value_of_its_cell(sample, count):
    cells = EvenCells.around(sample, count)
    asked = np.array([1, count // 2, count - 1])
    edges = cells.edges(asked, "float64")
    assert (cells.find(edges)[1] >= asked).all()
    before = np.nextafter(edges, -np.inf)
    tiny = np.abs(edges) < 1e-200  # halving stops there before it reaches the very last step
    assert ((cells.find(before)[1] < asked) | tiny).all()


def test_edges_between_whole_numbers_are_whole():
    cells = EvenCells.around(np.array([0, 1_000_000]), 100)
    asked = np.arange(1, 100)
    edges = cells.edges(asked, "int64")
    assert (edges == np.round(edges)).all()
    assert (cells.find(edges)[1] >= asked).all()
    assert (cells.find(edges - 1)[1] < asked).all()
