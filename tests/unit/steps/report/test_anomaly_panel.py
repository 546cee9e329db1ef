"""Anomalies on the page: rate against limit, scores, rows with reasons."""

from __future__ import annotations

import pytest
from tests import data_reports

from airfoil.steps.anomaly.verdict import judge_anomalies
from airfoil.steps.report import anomaly_panel

pytestmark = pytest.mark.unit


def test_rate_limit_scores_and_rows_are_shown():
    report = data_reports.dirty()
    text = anomaly_panel.oddity(report.anomalies, report.anomaly_verdict, {})
    assert "10 % may be" in text
    assert 'class="mark"' in text
    assert text.count("<tbody data-keys") == len(report.anomalies.top)
    assert "15 more rows with high scores" in text
    assert "usual is" in text
    assert "than 100 % of what was learnt from" in text


def test_moments_read_as_dates():
    report = data_reports.dirty()
    top = report.anomalies.top[0]
    reason = top.reasons[0].model_copy(update={"column": "pickup", "value": None, "usual": 1_790_000_000.0})
    odd = report.anomalies.model_copy(update={"top": (top.model_copy(update={"reasons": (reason,)}),)})
    text = anomaly_panel.oddity(odd, report.anomaly_verdict, {"pickup": "timestamp[us]"})
    assert "is no value; usual is 2026-09-21 14:13" in text


def test_what_was_not_scored_says_why():
    report = data_reports.fine().anomalies.model_copy(
        update={"rows": 0, "threshold": None, "scores": None, "top": (), "note": "Not measured: x has 0 rows"}
    )
    text = anomaly_panel.oddity(report, judge_anomalies(report), {})
    assert "Anomalies are not known" in text
    assert "<svg" not in text


def test_a_row_that_no_column_explains_says_so():
    report = data_reports.dirty()
    bare = report.anomalies.top[0].model_copy(update={"reasons": ()})
    text = anomaly_panel.oddity(
        report.anomalies.model_copy(update={"top": (bare,)}), report.anomaly_verdict, {}
    )
    assert "no single column explains it" in text
