"""Curves against scikit-learn: the same areas and points, fewer of them, whatever the scores look like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.steps.curves import (
    MOST_POINTS,
    RocCurve,
    bin_amounts,
    bin_probabilities,
    count_values,
    trace_roc,
)

pytestmark = pytest.mark.unit
rows_of = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=60)


def arrays(rows):
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


@given(rows_of)
def test_the_area_and_the_points_are_those_of_scikit_learn(rows):
    from sklearn.metrics import roc_auc_score, roc_curve

    truth, scores = arrays(rows)
    found = trace_roc(truth, scores, "yes")
    if truth.all() or not truth.any():
        assert found == RocCurve(label="yes", auc=None)
        return
    assert found.auc == pytest.approx(roc_auc_score(truth, scores))
    misses, hits, thresholds = roc_curve(truth, scores, drop_intermediate=False)
    assert found.false_positive_rates == pytest.approx(misses)
    assert found.true_positive_rates == pytest.approx(hits)
    assert found.thresholds[0] is None
    assert found.thresholds[1:] == pytest.approx(thresholds[1:])


def test_a_long_curve_has_few_points_and_the_exact_area():
    from sklearn.metrics import roc_auc_score

    make = np.random.default_rng(1)
    truth = make.random(50_000) < 0.05
    scores = make.random(50_000) + 0.3 * truth
    found = trace_roc(truth, scores, "yes")
    assert found.auc == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert MOST_POINTS / 2 < len(found.thresholds) <= MOST_POINTS
    assert (found.false_positive_rates[0], found.true_positive_rates[0]) == (0, 0)
    assert (found.false_positive_rates[-1], found.true_positive_rates[-1]) == (1, 1)
    steps = np.diff(found.false_positive_rates) + np.diff(found.true_positive_rates)
    assert steps.max() < 3 * 2 / MOST_POINTS
    middle = len(found.thresholds) // 2
    taken = scores >= found.thresholds[middle]
    assert found.true_positive_rates[middle] == pytest.approx(taken[truth].mean())
    assert found.false_positive_rates[middle] == pytest.approx(taken[~truth].mean())
    assert RocCurve.from_json(found.to_json()) == found


@given(rows_of)
def test_bins_of_probabilities_are_those_of_scikit_learn(rows):
    from sklearn.calibration import calibration_curve

    truth, scores = arrays(rows)
    found = bin_probabilities(truth, scores, "yes")
    if truth.any() and not truth.all():
        observed, predicted = calibration_curve(truth, scores, n_bins=10)
        assert found.observed == pytest.approx(observed)
        assert found.predicted == pytest.approx(predicted)
    assert sum(found.rows) == len(rows)
    assert 0 <= found.error <= 1


def test_what_comes_true_as_often_as_it_is_said_is_not_off():
    probabilities = np.repeat([0.25, 0.75], 400)
    truth = np.concatenate([np.arange(400) % 4 == 0, np.arange(400) % 4 != 0])
    assert bin_probabilities(truth, probabilities, "yes").error == pytest.approx(0)
    assert bin_probabilities(~truth, probabilities, "yes").error == pytest.approx(0.5)


def test_amounts_are_averaged_in_bins_of_as_many_rows():
    predicted = np.random.default_rng(1).lognormal(size=1000)
    found = bin_amounts(predicted + 1, predicted, "price")
    assert found.rows == (100,) * 10
    assert found.error == pytest.approx(1)
    assert list(found.predicted) == sorted(found.predicted)
    same = bin_amounts(np.ones(5), np.full(5, 3.0), "price")
    assert (same.predicted, same.observed, same.rows) == ((3.0,), (1.0,), (5,))


@pytest.mark.parametrize(
    "values", [[0.0], [5.0, 5.0], [1e300, 1e300 * (1 + 1e-12)], [-1.0, 2.0, 2.0], [1e-320, 0.0]]
)
def test_a_histogram_holds_every_value(values):
    found = count_values(np.array(values))
    assert sum(found.counts) == len(values)
    assert len(found.edges) == len(found.counts) + 1
    assert found.edges[0] == min(values)
