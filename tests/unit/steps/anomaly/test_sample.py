from __future__ import annotations

import numpy as np
import pytest

from airfoil.steps.anomaly.sample import RowSample

pytestmark = pytest.mark.unit

ROWS = np.arange(1000.0).reshape(-1, 1)


def sampled(size, seed=7, step=100):
    sample = RowSample(size, seed)
    for start in range(0, len(ROWS), step):
        sample.add(ROWS[start : start + step])
    return sample.rows()[:, 0]


def test_the_batches_make_no_difference_and_the_seed_does():
    assert sampled(50).tolist() == sampled(50, step=7).tolist() == sampled(50, step=1000).tolist()
    assert sampled(50).tolist() != sampled(50, seed=8).tolist()


def test_rows_come_once_in_order_and_from_everywhere():
    found = sampled(200)
    assert len(set(found)) == 200
    assert (np.diff(found) > 0).all()
    assert abs(found.mean() - 500) < 60


def test_a_small_table_is_taken_whole():
    assert sampled(5000).tolist() == ROWS[:, 0].tolist()
    assert RowSample(5, 1).rows().shape == (0, 0)
