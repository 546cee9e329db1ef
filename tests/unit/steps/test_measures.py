"""Metrics against scikit-learn, and how sure a gain is against what is known about it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.errors import ConfigurationError
from airfoil.steps.measures import compare, draw_means, score

pytestmark = pytest.mark.unit
classes = st.lists(st.tuples(*[st.sampled_from(["a", "b", "c"])] * 3), min_size=1, max_size=60)
amounts = st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 3), min_size=2, max_size=60)


@given(classes)
@settings(deadline=None)
def test_scores_of_classes_are_those_of_scikit_learn(rows):
    from sklearn.metrics import accuracy_score, f1_score

    truth, told, _ = zip(*rows, strict=True)
    found = score(truth, told, task="classification")
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, told))
    assert found["f1_macro"] == pytest.approx(f1_score(truth, told, average="macro", zero_division=0))
    assert found.rows == len(rows)


@given(amounts)
@settings(deadline=None)
def test_scores_of_amounts_are_those_of_scikit_learn(rows):
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    truth, told, _ = zip(*rows, strict=True)
    found = score(truth, told, task="regression")
    assert found["rmse"] == pytest.approx(root_mean_squared_error(truth, told))
    assert found["mae"] == pytest.approx(mean_absolute_error(truth, told))
    if np.std(truth) > 1e-3:
        assert found["r2"] == pytest.approx(r2_score(truth, told), rel=1e-6)


@given(classes)
@settings(deadline=None, max_examples=25)
def test_a_gain_seen_from_the_other_side_is_a_loss(rows):
    truth, ours, theirs = zip(*rows, strict=True)
    there = compare(truth, ours, theirs, task="classification", rounds=200)
    back = compare(truth, theirs, ours, task="classification", rounds=200)
    for name in there.gains:
        ours, theirs = there.gains[name], back.gains[name]
        if name == "accuracy" and len(rows) > 30:  # the draws differ where kinds of rows are sorted
            assert ours.low == pytest.approx(-theirs.high, abs=0.1)
        assert ours.low <= ours.high


def test_equal_predictions_gain_nothing_for_sure():
    truth = np.arange(50) % 3
    both = compare(truth, truth[::-1], truth[::-1], task="classification")
    assert both.gains["accuracy"].low == both.gains["accuracy"].high == 0
    assert compare(truth, truth, None, task="classification").champion is None


def test_the_same_seed_gives_the_same_interval():
    make = np.random.default_rng(1)
    truth, ours, theirs = make.normal(size=(3, 200))
    first = compare(truth, ours, theirs, task="regression", rounds=300)
    assert compare(truth, ours, theirs, task="regression", rounds=300) == first
    assert compare(truth, ours, theirs, task="regression", rounds=300, seed=8) != first


def test_more_confidence_is_a_wider_interval():
    make = np.random.default_rng(1)
    truth, ours, theirs = make.normal(size=(3, 200))
    wide = compare(truth, ours, theirs, task="regression", confidence=0.99).gains["rmse"]
    narrow = compare(truth, ours, theirs, task="regression", confidence=0.5).gains["rmse"]
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_interval_holds_the_true_gain_as_often_as_it_says(task):
    make, held, trials, rows = np.random.default_rng(3), 0, 200, 300
    for trial in range(trials):
        if task == "classification":  # right in 80 % and 75 % of the rows
            truth = np.ones(rows, int)
            ours, theirs = (make.random((2, rows)) < [[0.8], [0.75]]).astype(int)
            name, gain = "accuracy", 0.05
        else:
            truth = np.zeros(rows)
            ours, theirs = make.normal(size=(2, rows)) * [[1.0], [1.2]]
            name, gain = "rmse", 0.2
        found = compare(truth, ours, theirs, task=task, confidence=0.9, rounds=400, seed=trial).gains[name]
        held += found.low <= gain <= found.high
    assert 0.82 <= held / trials <= 0.96


def test_draws_of_few_kinds_of_rows_are_spread_like_any_other():
    columns = np.repeat([[0.0], [1.0]], [300, 700], axis=0)
    noisy = columns + np.random.default_rng(1).normal(scale=1e-9, size=columns.shape)
    few, many = draw_means(columns, seed=1), draw_means(noisy, seed=1)
    assert few.mean() == pytest.approx(0.7, abs=0.005)
    assert few.std() == pytest.approx(many.std(), rel=0.1)


@pytest.mark.parametrize("rows", [5001, 12_345, 40_000])
def test_groups_of_many_rows_vary_as_the_rows_do(rows):
    columns = np.random.default_rng(1).normal(loc=3, scale=2, size=(rows, 1))
    means = draw_means(columns, seed=1)
    assert means.mean() == pytest.approx(columns.mean(), abs=4 * 2 / rows**0.5)
    assert means.std() == pytest.approx(2 / rows**0.5, rel=0.1)


def test_labels_of_different_kinds_are_compared_as_text():
    assert score([1, 2], ["1", "2"], task="classification")["accuracy"] == 1
    assert score(np.array(["a", "b"], dtype=object), ["a", "x"], task="classification")["accuracy"] == 0.5


@pytest.mark.parametrize(
    ("truth", "told", "task"), [([1, 2], [1], "regression"), ([], [], "regression"), ([1], [1], "guessing")]
)
def test_what_cannot_be_compared_is_refused(truth, told, task):
    with pytest.raises(ConfigurationError):
        score(truth, told, task=task)
