from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from airfoil.steps.anomaly.forest import Forest

pytestmark = pytest.mark.unit


def test_scores_are_those_of_scikit_learn():
    random = np.random.default_rng(3)
    sample, rows = random.normal(size=(700, 4)), random.normal(size=(20_000, 4)) * 2
    ours = Forest.trained(sample, trees=25, seed=7).scores(rows)
    peer = IsolationForest(n_estimators=25, random_state=7).fit(sample)
    assert np.abs(ours + peer.score_samples(rows)).max() <= 1e-12


def test_missing_values_are_usual_and_infinite_ones_are_far_away():
    sample = np.random.default_rng(3).normal(size=(500, 2))
    sample[::7, 0] = np.nan
    forest = Forest.trained(sample, trees=25, seed=7)
    missing, middle, infinite, huge = forest.scores(
        np.array([[np.nan, 0], [forest.middles[0], 0], [np.inf, 0], [1e300, 0]])
    )
    assert missing == middle
    assert infinite == huge > middle


def test_a_sample_of_infinities_can_be_trained_on():
    sample = np.array([[np.inf], [-np.inf], [1.0], [2.0]])
    assert np.isfinite(Forest.trained(sample, trees=3, seed=1).scores(sample)).all()
