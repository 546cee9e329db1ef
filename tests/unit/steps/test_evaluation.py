"""Evaluations against scikit-learn's own figures, and predictions as bad as they come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import ConfigurationError
from airfoil.steps.directions import higher_is_better
from airfoil.steps.evaluation import (
    ClassifierEvaluation,
    RegressorEvaluation,
    evaluate_classifier,
    evaluate_regressor,
)

pytestmark = pytest.mark.unit
pairs = st.lists(st.tuples(*[st.sampled_from(["a", "b", "c"])] * 2), min_size=1, max_size=60)
amounts = st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=60)


@given(pairs)
def test_classes_are_scored_as_scikit_learn_scores_them(rows):
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    truth, told = zip(*rows, strict=True)
    found = evaluate_classifier(truth, told)
    assert found.labels == tuple(sorted({*truth, *told}))
    counted = [[rows.count((true, claimed)) for claimed in found.labels] for true in found.labels]
    assert found.confusion == tuple(map(tuple, counted))
    each = precision_recall_fscore_support(truth, told, zero_division=0)
    assert [one.precision for one in found.classes] == pytest.approx(each[0])
    assert [one.recall for one in found.classes] == pytest.approx(each[1])
    assert [one.f1 for one in found.classes] == pytest.approx(each[2])
    assert [one.rows for one in found.classes] == each[3].tolist()
    macro = precision_recall_fscore_support(truth, told, average="macro", zero_division=0)
    names = ("precision_macro", "recall_macro", "f1_macro")
    assert [found.scores[name] for name in names] == pytest.approx(macro[:3])
    assert found.scores["accuracy"] == pytest.approx(accuracy_score(truth, told))
    assert found.roc == found.calibration == ()
    assert ClassifierEvaluation.from_json(found.to_json()) == found


@pytest.mark.parametrize("size", [2, 4])
def test_probabilities_are_scored_as_scikit_learn_scores_them(size):
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    make = np.random.default_rng(size)
    truth = make.integers(size, size=500)
    shares = make.dirichlet(np.ones(size), 500) + 0.5 * np.eye(size)[truth]
    shares /= shares.sum(axis=1, keepdims=True)
    found = evaluate_classifier(truth, shares.argmax(axis=1), shares, labels=range(size))
    assert found.scores["log_loss"] == pytest.approx(log_loss(truth, shares))
    if size == 2:
        assert found.scores["roc_auc"] == pytest.approx(roc_auc_score(truth, shares[:, 1]))
        assert found.scores["brier"] == pytest.approx(brier_score_loss(truth, shares[:, 1]))
        assert [one.label for one in found.roc] == [one.label for one in found.calibration] == ["1"]
        same = evaluate_classifier(truth, shares.argmax(axis=1), shares[:, 1], labels=[0, 1])
        assert same.scores["log_loss"] == pytest.approx(found.scores["log_loss"])
        assert same.roc == found.roc
    else:
        assert found.scores["roc_auc"] == pytest.approx(roc_auc_score(truth, shares, multi_class="ovr"))
        assert {one.label for one in found.roc} == {"0", "1", "2", "3"}
    assert ClassifierEvaluation.from_json(found.to_json()) == found


def test_labels_come_in_the_models_order_and_a_class_it_never_saw_comes_last():
    found = evaluate_classifier(
        ["no", "yes", "new"], ["no", "no", "yes"], [[0, 1], [0.5, 0.5], [1, 0]], labels=["yes", "no"]
    )
    assert found.labels == ("yes", "no", "new")
    assert found.confusion == ((0, 1, 0), (0, 1, 0), (1, 0, 0))
    assert found.scores["log_loss"] > 10, "a class of no probability came true"


def test_whole_numbers_are_one_class_whether_they_are_whole_or_not():
    found = evaluate_classifier(np.array([0, 1, 1]), np.array([0.0, 1.0, 0.0]))
    assert found.labels == ("0", "1")
    assert found.scores["accuracy"] == pytest.approx(2 / 3)
    assert evaluate_classifier([True, False], [True, True]).labels == ("False", "True")
    assert evaluate_classifier([1, 2], ["1", "2"]).scores["accuracy"] == 1


def test_one_class_alone_has_no_curve_and_no_area():
    found = evaluate_classifier([1, 1], [1, 1], [0.9, 0.8], labels=[0, 1])
    assert found.scores["accuracy"] == 1
    assert "roc_auc" not in found.scores.values
    assert found.roc[0].auc is None


@given(amounts)
def test_amounts_are_scored_as_scikit_learn_scores_them(rows):
    from sklearn.metrics import mean_absolute_error, median_absolute_error, root_mean_squared_error

    truth, told = map(np.array, zip(*rows, strict=True))
    found = evaluate_regressor(truth, told)
    assert found.scores["rmse"] == pytest.approx(root_mean_squared_error(truth, told))
    assert found.scores["mae"] == pytest.approx(mean_absolute_error(truth, told))
    assert found.scores["median_absolute_error"] == pytest.approx(median_absolute_error(truth, told))
    assert found.scores["mean_residual"] == pytest.approx((truth - told).mean(), abs=1e-6)
    assert sum(found.residuals.counts) == sum(found.calibration.rows) == len(rows)
    assert RegressorEvaluation.from_json(found.to_json()) == found


def test_r2_is_that_of_scikit_learn_and_absent_where_nothing_varies():
    from sklearn.metrics import r2_score

    make = np.random.default_rng(1)
    truth, told = make.normal(size=(2, 100))
    assert evaluate_regressor(truth, told).scores["r2"] == pytest.approx(r2_score(truth, told))
    assert "r2" not in evaluate_regressor([1, 1], [1, 2]).scores.values


def test_a_gate_knows_the_direction_of_every_score():
    shares = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
    classifier = evaluate_classifier([0, 1, 1], [0, 1, 0], shares, labels=[0, 1])
    assert len(classifier.scores.values) == 8
    lower = {name for name in classifier.scores.values if higher_is_better(name) is False}
    assert lower == {"log_loss", "brier", "calibration_error"}
    assert all(higher_is_better(name) for name in set(classifier.scores.values) - lower)
    regressor = evaluate_regressor([1, 2], [1, 3])
    directions = {name: higher_is_better(name) for name in regressor.scores.values}
    assert directions.pop("mean_residual") is None, "neither more nor less of it is better"
    assert directions == {"rmse": False, "mae": False, "r2": True, "median_absolute_error": False}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1, 2], [1]), "1 predictions cannot be compared with 2"),
        (([], []), "0 predictions"),
        (([1, None], [1, 1]), "1 classes are missing"),
        (([1.0, float("nan")], [1.0, 1.0]), "1 classes are missing"),
        ((range(300), range(300)), "300 classes"),
        (([0, 1], [0, 1], [[1, 0]]), "do not fit"),
        (([0, 1], [0, 1], [[0.3, 0.3, 0.4]] * 2), "do not fit"),
        (([0, 1], [0, 1], [[1.5, -0.5]] * 2), "between 0 and 1"),
        (([0, 1], [0, 1], [[float("nan"), 1]] * 2), "between 0 and 1"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(arguments, words):
    labels = [0, 1] if len(arguments) == 3 else []
    with pytest.raises(ConfigurationError, match=words) as caught:
        evaluate_classifier(*arguments, labels=labels)
    assert caught.value.next_move


@pytest.mark.parametrize("told", [[1.0], [1.0, float("inf")], [1.0, float("nan")]])
def test_amounts_that_are_none_are_refused(told):
    with pytest.raises(ConfigurationError):
        evaluate_regressor([1.0, 2.0], told)
