"""Which way a metric is better, by the words in its name."""

from __future__ import annotations

import pytest

from airfoil.steps.directions import higher_is_better

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "metric", ["accuracy", "f1_macro", "ROC-AUC", "r2", "test.recall", "neg_log_loss", "val_auc"]
)
def test_higher_is_better(metric):
    assert higher_is_better(metric) is True


@pytest.mark.parametrize(
    "metric", ["rmse", "val_rmse", "log_loss", "mean_squared_error", "Brier score", "mae_min"]
)
def test_lower_is_better(metric):
    assert higher_is_better(metric) is False


@pytest.mark.parametrize("metric", ["", "latency", "accuracy_loss", "closs", "42", "maelstrom"])
def test_a_name_that_does_not_tell_is_not_guessed_at(metric):
    assert higher_is_better(metric) is None
