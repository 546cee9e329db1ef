from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.steps.drift.cells import EvenCells, FineCells
from airfoil.steps.drift.counting import Counting, Keeping, Picking, Recounting
from airfoil.steps.numbers import reading_of

pytestmark = pytest.mark.unit

FLOATS = reading_of(pa.float64(), pa.float64())


def batches(values, size):
    return [pa.array(values[start : start + size]) for start in range(0, len(values), size)]


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(float("inf")), st.just(float("nan")))),
    st.integers(1, 7),
)
@settings(deadline=None)
def test_sums_are_those_of_all_values_however_they_come(values, size):
    counting = Counting(FLOATS, EvenCells.around(np.array([0.0, 1.0, 5.0]), 32))
    for batch in batches(values, size):
        counting.take(0, batch.cast(pa.float64()))
    there = np.array([value for value in values if value is not None and value == value], dtype=float)  # noqa: PLR0124 - NaN
    finite = there[np.isfinite(there)]
    sums = counting.sums[0]
    assert sums.rows == len(values)
    assert sums.missing == len(values) - len(there)
    assert sums.infinite == len(there) - len(finite)
    assert counting.counts[0].sum() == len(there)
    if len(finite):
        assert (sums.least, sums.largest) == (finite.min(), finite.max())
        positions = counting.cells.positions(finite)
        assert sums.mean == pytest.approx(positions.mean(), rel=1e-9, abs=1e-6)
        assert sums.spread / len(finite) == pytest.approx(positions.var(), rel=1e-6, abs=1e-3)
        assert sums.below == pytest.approx(np.maximum(0, 1 - positions).sum(), rel=1e-9, abs=1e-9)
        assert sums.above == pytest.approx(np.maximum(0, positions - 31).sum(), rel=1e-9, abs=1e-9)


def test_every_so_many_th_value_is_picked_over_all_batches():
    picking = Picking(FLOATS, 3)
    values = np.arange(20.0)
    for batch in batches(values, 4):
        picking.take(1, batch)
    assert picking.sample().tolist() == values[::3].tolist()


def test_nothing_picked_is_an_empty_sample():
    assert Picking(FLOATS, 0).sample().size == 0


@pytest.mark.parametrize("most", [(100, 100), (18, 1), (1, 0)])
def test_kept_values_come_once_with_their_counts_even_if_more_come_than_were_counted(most):
    cells = EvenCells.around(np.arange(10.0), 16)
    values = np.array([3.0, 1.0, 3.0, 2.0, 7.0] * 6)
    wanted = np.zeros(16, dtype=bool)
    wanted[cells.find(np.array([3.0, 7.0, 2.0]))[1]] = True
    keeping = Keeping(FLOATS, cells, wanted, most)
    for batch in batches(values, 3):
        keeping.take(0, batch)
    keeping.take(1, pa.array([7.0, 8.0]))
    found, reference, current = keeping.result()
    counts = dict(zip(found, zip(reference, current, strict=True), strict=True))
    assert counts[3.0] == (12, 0)
    assert counts[7.0] == (6, 1)
    assert 1.0 not in counts or wanted[cells.find(np.array([1.0]))[1][0]]


def test_recounted_values_know_their_coarse_cell():
    cells = EvenCells.around(np.arange(10.0), 8)
    wanted = np.ones(8, dtype=bool)
    recounting = Recounting(FLOATS, FineCells(cells, wanted, np.array([2.0, 5.0])))
    values = np.arange(10.0)
    recounting.take(0, pa.array(values))
    recounting.take(1, pa.array(values[:3]))
    _, coarse = cells.find(values)
    _, fine = recounting.cells.find(values)
    assert recounting.counts[0].sum() == 10
    assert recounting.counts[1].sum() == 3
    assert recounting.owners()[fine].tolist() == coarse.tolist()
