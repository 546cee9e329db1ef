"""Decisions: direction, bounds, gain over a champion, and numbers that are missing."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from airfoil.records import GainInterval, GateDecision, Scores
from airfoil.steps.gates import Gate, judge, judge_all

pytestmark = pytest.mark.unit
numbers = st.floats(-1e6, 1e6, allow_nan=False)
shares = st.floats(0, 1)


def scores(rows=100, **values):
    return Scores(values=values, rows=rows)


def over_guess(metric, value, guess, share):
    return judge(
        Gate(metric=metric, fewer_errors=share), scores(**{metric: value}), scores(**{metric: guess})
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
def test_a_model_must_make_a_share_fewer_errors(metric, value, guess, passed):
    decision = over_guess(metric, value, guess, 0.1)
    assert decision.passed is passed
    assert f"{value:.6g}" in decision.reason


def test_without_a_wanted_gain_equal_is_still_not_better():
    assert not over_guess("rmse", 1.0, 1.0, 0).passed
    assert over_guess("rmse", 0.99, 1.0, 0).passed


@pytest.mark.parametrize(
    ("metric", "value", "passed"),
    [
        ("accuracy", 0.9, True),
        ("accuracy", 0.91, True),
        ("accuracy", 0.89, False),
        ("rmse", 0.9, True),
        ("rmse", 0.91, False),
    ],
)
def test_with_ties_a_model_that_is_as_good_passes(metric, value, passed):
    gate = Gate(metric=metric, min_gain=0, ties="pass")
    champion = Scores(values={metric: 0.9}, rows=100)
    decision = judge(gate, Scores(values={metric: value}, rows=100), champion)
    assert decision.passed is passed
    assert f"at {'most' if metric == 'rmse' else 'least'} 0.9 is needed" in decision.reason


@pytest.mark.parametrize(
    ("gate", "value", "outcome", "said"),
    [
        ({"at_least": 0.9}, 0.95, "passed", "accuracy is 0.95 on 100 rows; at least 0.9 is needed"),
        ({"at_least": 0.9}, 0.85, "failed", "accuracy is 0.85 on 100 rows; at least 0.9 is needed"),
        (
            {"at_least": 0.9, "at_most": 0.99},
            1.0,
            "failed",
            "accuracy is 1 on 100 rows; at most 0.99 is allowed",
        ),
        (
            {"at_least": 0.5, "min_rows": 101},
            0.9,
            "too_few_rows",
            "accuracy is 0.9 on 100 rows, and 101 are needed",
        ),
        (
            {"min_gain": 0},
            0.95,
            "no_champion",
            "accuracy is 0.95 on 100 rows; there is no wine@champion to beat",
        ),
        (
            {"min_gain": 0, "at_least": 0.9},
            0.8,
            "failed",
            "accuracy is 0.8 on 100 rows; at least 0.9 is needed",
        ),
    ],
)
def test_each_outcome_has_its_sentence(gate, value, outcome, said):
    decision = judge(Gate(metric="accuracy", **gate), scores(accuracy=value), against="wine@champion")
    assert (decision.outcome, decision.reason) == (outcome, said)
    assert decision.passed is (outcome in {"passed", "no_champion"})


def test_the_first_model_may_be_refused_for_want_of_a_champion():
    gate = Gate(metric="accuracy", min_gain=0, without_champion="fail")
    decision = judge(gate, scores(accuracy=0.9))
    assert (decision.passed, decision.outcome) == (False, "no_champion")


def test_a_missing_metric_is_its_own_outcome_and_says_what_there_is():
    decision = judge(Gate(metric="auc", at_least=0.9), scores(accuracy=1.0, f1=1.0))
    assert (decision.outcome, decision.reason) == (
        "metric_missing",
        "auc was not measured, only accuracy, f1",
    )
    decision = judge(Gate(metric="auc", min_gain=0), scores(auc=1.0), scores(f1=1.0), against="wine@champion")
    assert decision.outcome == "metric_missing"
    assert decision.reason == "auc is 1 on 100 rows, and that of wine@champion is not known"


@pytest.mark.parametrize(
    ("gate", "value", "champion", "passed", "needed"),
    [
        ({"min_gain": 0.1}, 0.3, 0.2, True, 0.3),  # 0.2 + 0.1 > 0.3 in floating point
        ({"min_gain": 0.1}, 0.29, 0.2, False, 0.3),
        ({"min_gain": 0}, 0.2, 0.2, False, 0.2),
        ({"min_gain": -0.01}, 0.195, 0.2, True, 0.19),
        ({"min_relative_gain": 0.1}, 0.22, 0.2, True, 0.22),
        ({"min_relative_gain": 0.1, "min_gain": 0.05}, 0.22, 0.2, False, 0.25),
        ({"min_relative_gain": 0.1}, 0.0, 0.0, False, 0.0),
    ],
)
def test_a_gain_is_absolute_or_a_share_and_the_larger_counts(gate, value, champion, passed, needed):
    decision = judge(Gate(metric="accuracy", **gate), scores(accuracy=value), scores(accuracy=champion))
    assert decision.passed is passed
    assert decision.needed == pytest.approx(needed)
    assert decision.gain == pytest.approx(value - champion)


def test_a_gain_that_may_be_chance_does_not_pass():
    gate = Gate(metric="accuracy", confidence=0.95)
    new, old = scores(accuracy=0.95), scores(accuracy=0.94)

    def decide(low, confidence=0.95):
        return judge(gate, new, old, interval=GainInterval(low=low, high=0.04, confidence=confidence))

    assert decide(0.001).passed
    refused = decide(-0.02)
    assert refused.reason == (
        "accuracy is 0.95 on 100 rows; with 95 % confidence its gain lies between -0.02 and 0.04, more than 0 is needed"
    )
    assert decide(0.001, confidence=0.9).outcome == "metric_missing"
    assert judge(gate, new, old).outcome == "metric_missing"
    assert judge(gate, new).outcome == "no_champion"


@pytest.mark.parametrize(
    "gate",
    [
        {"metric": "accuracy"},
        {"metric": ""},
        {"metric": "accuracy", "at_least": 2, "at_most": 1},
        {"metric": "latency", "min_gain": 0},
        {"metric": "latency", "at_least": 0, "at_most": 1},
        {"metric": "accuracy", "at_least": float("nan")},
        {"metric": "accuracy", "at_least": 0.5, "confidence": 95},
        {"metric": "accuracy", "at_least": 0.5, "min_rows": 0},
        {"metric": "accuracy", "at_least": "much"},
        {"metric": "accuracy", "atleast": 0.5},
    ],
)
def test_a_gate_that_means_nothing_is_refused(gate):
    with pytest.raises(ValidationError):
        Gate(**gate)


def test_an_only_bound_tells_the_direction_of_an_unknown_metric():
    assert not Gate(metric="latency", at_most=10).is_higher_better
    assert Gate(metric="clicks", at_least=10).is_higher_better
    assert not Gate(metric="clicks", at_least=10, higher_is_better=False).is_higher_better


def test_a_gate_may_come_as_text_from_a_template():
    assert Gate(metric="accuracy", fewer_errors="0.05").fewer_errors == 0.05


def test_several_gates_all_have_to_pass():
    good = judge(Gate(metric="accuracy", at_least=0.5), scores(accuracy=0.9))
    bad = judge(Gate(metric="log_loss", at_most=0.5), scores(log_loss=0.9))
    both = judge_all([good, bad])
    assert (both.passed, both.outcome, both.metric) == (False, "failed", "accuracy, log_loss")
    assert both.reason == bad.reason
    assert both.parts == (good, bad)
    assert judge_all([good]) is good
    assert judge_all([good, good]).passed
    assert GateDecision.from_json(both.to_json()) == both
    with pytest.raises(ValueError, match="at least one"):
        judge_all([])


def test_a_stored_decision_without_an_outcome_is_still_read():
    old = {
        "passed": True,
        "metric": "rmse",
        "value": 1.0,
        "baseline": 2.0,
        "needed": 1.9,
        "reason": "rmse is 1",
    }
    assert GateDecision.from_json(old).outcome == "passed"
    assert GateDecision(passed=False, metric="rmse", reason="no").outcome == "failed"
    with pytest.raises(ValidationError):
        GateDecision(passed=True, metric="rmse", reason="no", outcome="failed")


@given(value=numbers, better=numbers, base=numbers, gain=st.floats(-10, 10), share=shares)
def test_a_better_value_never_turns_a_pass_into_a_refusal(value, better, base, gain, share):
    assume(better >= value)
    gate = Gate(metric="accuracy", min_gain=gain, min_relative_gain=share, at_least=gain)
    if judge(gate, scores(accuracy=value), scores(accuracy=base)).passed:
        assert judge(gate, scores(accuracy=better), scores(accuracy=base)).passed


@given(value=numbers, base=numbers, gain=st.floats(-10, 10), share=shares)
def test_a_metric_turned_around_is_judged_the_same(value, base, gain, share):
    wanted = {"metric": "m", "min_gain": gain, "min_relative_gain": share}
    up = judge(Gate(higher_is_better=True, **wanted), scores(m=value), scores(m=base))
    down = judge(Gate(higher_is_better=False, **wanted), scores(m=-value), scores(m=-base))
    assert (up.passed, up.outcome, up.gain) == (down.passed, down.outcome, down.gain)


@given(
    value=numbers,
    base=numbers | st.none(),
    floor=numbers | st.none(),
    gain=st.floats(0, 10),
    rows=st.integers(1, 50),
)
def test_a_decision_has_its_numbers_and_survives_json(value, base, floor, gain, rows):
    gate = Gate(metric="accuracy", at_least=floor, min_gain=gain, min_rows=25)
    decision = judge(gate, scores(rows, accuracy=value), None if base is None else scores(accuracy=base))
    assert f"{value:.6g}" in decision.reason
    assert str(rows) in decision.reason
    assert GateDecision.from_json(decision.to_json()) == decision
    if decision.passed:
        assert rows >= 25
        assert floor is None or value >= floor - 1e-3
        assert base is None or value > base
