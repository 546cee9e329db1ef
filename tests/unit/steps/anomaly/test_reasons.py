from __future__ import annotations

import numpy as np
import pytest

from airfoil.steps.anomaly.forest import Forest
from airfoil.steps.anomaly.reasons import explain

pytestmark = pytest.mark.unit

SAMPLE = np.random.default_rng(3).normal(size=(1000, 3))
FOREST = Forest.trained(SAMPLE, trees=50, seed=7)


def test_the_odd_column_is_the_weightiest_reason():
    (first, *_) = explain(FOREST, np.array([0.0, 9.0, 0.0]), ["a", "b", "c"], SAMPLE)
    assert first.column == "b"
    assert (first.value, first.share_below) == (9.0, 1.0)
    assert first.usual == pytest.approx(0, abs=0.1)
    assert first.weight > 0.05


def test_a_usual_row_has_no_reason():
    assert explain(FOREST, FOREST.middles, ["a", "b", "c"], SAMPLE) == ()


def test_an_infinite_value_is_a_reason_without_a_number():
    (first, *_) = explain(FOREST, np.array([np.inf, 0.0, 0.0]), ["a", "b", "c"], SAMPLE, most=1)
    assert (first.column, first.value) == ("a", None)
