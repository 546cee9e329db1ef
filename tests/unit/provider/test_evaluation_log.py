"""What is left of an evaluation: always the numbers, and pictures where they can be drawn and read."""

import builtins
import json

import pytest

from airfoil.clients.testing import fake_mlflow_run
from airfoil.provider.evaluation_log import MOST_DRAWN, log_evaluation
from airfoil.steps.evaluation import evaluate_classifier, evaluate_regressor

pytestmark = pytest.mark.unit


def logged(evaluation):
    with fake_mlflow_run() as run:
        log_evaluation(run, evaluation)
        return run.files


def test_a_classifier_with_probabilities():
    shares = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]
    files = logged(
        evaluate_classifier(
            ["no", "yes", "yes", "yes"], ["no", "yes", "no", "yes"], shares, labels=["no", "yes"]
        )
    )
    assert sorted(files) == ["calibration.png", "confusion.png", "evaluation.json", "roc.png"]
    assert json.loads(files["evaluation.json"])["confusion"] == [[1, 0], [1, 2]]
    assert files["roc.png"].startswith(b"\x89PNG")


def test_a_classifier_without():
    assert sorted(logged(evaluate_classifier([0, 1], [0, 1]))) == ["confusion.png", "evaluation.json"]


def test_a_matrix_that_nobody_can_read_is_not_drawn():
    classes = list(range(MOST_DRAWN + 1))
    assert sorted(logged(evaluate_classifier(classes, classes))) == ["evaluation.json"]


def test_a_regressor():
    files = logged(evaluate_regressor([1.0, 2.0, 3.0], [1.5, 2.0, 2.5]))
    assert sorted(files) == ["calibration.png", "evaluation.json", "residuals.png"]


def test_without_matplotlib_the_numbers_are_there(monkeypatch):
    found = builtins.__import__

    def refuse(name, *arguments, **named):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return found(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert sorted(logged(evaluate_classifier([0, 1], [0, 1]))) == ["evaluation.json"]
