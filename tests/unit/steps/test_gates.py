"""Decisions: direction, gain, and numbers that are missing."""

from __future__ import annotations

import pytest

from airfoil.records import GateDecision, Scores
from airfoil.steps.gates import beat_baseline

pytestmark = pytest.mark.unit


def decide(metric, value, guess, gain=0.1):
    return beat_baseline(
        Scores(values={metric: value}, rows=9), Scores(values={metric: guess}, rows=9), metric, min_gain=gain
    )


@pytest.mark.parametrize(
    ("metric", "value", "guess", "passed"),
    [
        ("rmse", 0.9, 1.0, True),
        ("rmse", 0.91, 1.0, False),
        ("rmse", 2.0, 1.0, False),
        ("accuracy", 0.96, 0.6, True),
        ("accuracy", 0.63, 0.6, False),
        ("accuracy", 0.6, 0.6, False),
        ("accuracy", 1.0, 1.0, False),
        ("r2", -1.0, 0.0, False),
    ],
)
def test_a_model_must_beat_guessing(metric, value, guess, passed):
    decision = decide(metric, value, guess)
    assert decision.passed is passed
    assert f"{value:.6g}" in decision.reason


def test_without_a_wanted_gain_equal_is_still_not_better():
    assert not decide("rmse", 1.0, 1.0, gain=0).passed
    assert decide("rmse", 0.99, 1.0, gain=0).passed


def test_a_metric_that_was_not_measured_lets_nothing_through():
    scores = Scores(values={"rmse": 1.0}, rows=3)
    decision = beat_baseline(scores, scores, "mae", min_gain=0)
    assert (decision.passed, decision.value) == (False, None)


def test_a_decision_survives_json():
    decision = decide("rmse", 0.5, 1.0)
    assert GateDecision.from_json(decision.to_json()) == decision
