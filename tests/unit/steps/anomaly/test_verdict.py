from __future__ import annotations

import pytest

from airfoil.steps.anomaly.report import AnomalyLimits, AnomalyReport
from airfoil.steps.anomaly.verdict import judge_anomalies

pytestmark = pytest.mark.unit


def report(anomalous, rows=100, threshold=0.6):
    return AnomalyReport(
        table="new", rows=rows, trained_rows=rows, trees=9, seed=7, threshold=threshold, anomalous=anomalous
    )


@pytest.mark.parametrize(("anomalous", "outcome"), [(0, "usual"), (10, "usual"), (11, "anomalous")])
def test_more_than_a_tenth_is_too_many(anomalous, outcome):
    verdict = judge_anomalies(report(anomalous))
    assert (verdict.outcome, verdict.passed) == (outcome, outcome == "usual")
    assert f"{anomalous} of 100 rows are anomalous" in verdict.reason


def test_the_limit_can_be_said():
    assert not judge_anomalies(report(3), AnomalyLimits(rate=0.02)).passed


@pytest.mark.parametrize("given", [report(0, rows=0), report(0, threshold=None)])
def test_no_scores_are_no_pass(given):
    assert judge_anomalies(given).outcome == "not_measured"


def test_too_few_rows_are_no_pass():
    verdict = judge_anomalies(report(0, rows=5), AnomalyLimits(min_rows=10))
    assert "5 rows, and 10 are needed" in verdict.reason
