from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import IsolationForest

from airfoil.errors import ConfigurationError
from airfoil.steps.anomaly.measurement import AnomalyPlan, measure_anomalies
from airfoil.steps.anomaly.report import AnomalyReport
from airfoil.steps.anomaly.verdict import judge_anomalies
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit

RANDOM = np.random.default_rng(5)
USUAL = RANDOM.normal(size=(3000, 3))
PLAN = AnomalyPlan(sample_rows=1000, trees=25, top=5)


def scan(rows, name="new"):
    columns = {f"x{place}": rows[:, place] for place in range(rows.shape[1])}
    return Scan.of_table(pa.table(columns), name)


def test_a_table_like_the_reference_has_the_share_of_anomalies_that_was_asked_for():
    report = measure_anomalies(scan(RANDOM.normal(size=(3000, 3))), scan(USUAL, "old"), PLAN)
    assert report.rate < 0.03
    assert judge_anomalies(report).passed
    assert report.note == ""
    assert sum(report.scores.current) == report.rows == 3000
    assert sum(report.scores.reference) == report.trained_rows == 1000
    assert AnomalyReport.from_json(report.to_json()) == report


def test_a_damaged_table_is_found_with_rows_and_reasons():
    damaged = USUAL.copy()
    damaged[100:900, 1] += 15
    report = measure_anomalies(scan(damaged), scan(USUAL, "old"), PLAN)
    assert report.rate > 0.1
    assert judge_anomalies(report).outcome == "anomalous"
    assert [one.score for one in report.top] == sorted((one.score for one in report.top), reverse=True)
    for one in report.top:
        assert 100 <= one.row < 900
        assert "x1" in [reason.column for reason in one.reasons]


def test_scores_are_those_of_scikit_learn_on_the_same_sample():
    table = scan(USUAL)
    report = measure_anomalies(table, None, AnomalyPlan(sample_rows=5000, trees=25, threshold=0.5, top=3000))
    peer = -IsolationForest(n_estimators=25, random_state=7).fit(USUAL).score_samples(USUAL)
    ours = {one.row: one.score for one in report.top}
    assert max(abs(ours[row] - score) for row, score in enumerate(peer)) <= 1e-12
    assert report.anomalous == (peer > 0.5).sum()


def test_without_a_reference_the_report_says_what_the_rate_is_worth():
    report = measure_anomalies(scan(USUAL), None, PLAN)
    assert "Give a reference" in report.note
    assert measure_anomalies(scan(USUAL), None, PLAN) == report


@pytest.mark.parametrize(
    "columns",
    [
        {"a": pa.array([], pa.float64())},
        {"a": [1.0]},
        {"a": ["x", "y"]},
        {"a": pa.nulls(5, pa.float64())},
        {"a": pa.nulls(5)},
        {"a": [[1], [2]]},
    ],
)
def test_what_cannot_be_measured_is_said_and_does_not_pass(columns):
    report = measure_anomalies(Scan.of_table(pa.table(columns)), None, PLAN)
    assert report.rows == len(columns["a"])
    assert report.rate is None
    verdict = judge_anomalies(report)
    assert (verdict.passed, verdict.outcome) == (False, "not_measured")
    assert verdict.reason.startswith("Anomalies are not known")
    assert report.note.startswith("Not measured")


def test_an_empty_column_is_left_out_and_the_others_are_used():
    table = Scan.of_table(pa.table({"a": USUAL[:, 0], "b": pa.nulls(3000, pa.int32()), "c": [2.5] * 3000}))
    report = measure_anomalies(table, None, PLAN)
    assert report.columns == ("a", "c")
    assert [(one.name, one.reason) for one in report.left_out] == [("b", "has no values to learn from")]


@pytest.mark.parametrize("wrong", [{"usual_share": 1}, {"sample_rows": 1}, {"trees": 0}, {"top": -1}])
def test_a_plan_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="means nothing"):
        AnomalyPlan(**wrong)


def test_a_column_that_nobody_wants_looked_at_is_left_out_and_named():
    report = measure_anomalies(scan(USUAL), None, AnomalyPlan(trees=5, top=0, without=["x1", "gone"]))
    assert report.columns == ("x0", "x2")
    assert [(one.name, one.reason) for one in report.left_out] == [("x1", "is left out by the plan")]
