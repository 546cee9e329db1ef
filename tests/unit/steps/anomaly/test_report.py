from __future__ import annotations

import pytest

from airfoil.steps.anomaly.report import AnomalousRow, AnomalyReason, AnomalyReport

pytestmark = pytest.mark.unit


def test_the_rate_is_a_share_of_the_rows_and_unknown_without_a_threshold():
    report = AnomalyReport(table="t", rows=8, trained_rows=8, trees=1, seed=1, anomalous=2)
    assert report.rate is None
    assert report.model_copy(update={"threshold": 0.5}).rate == 0.25


def test_a_row_with_reasons_survives_json():
    reason = AnomalyReason(column="a", value=None, usual=0.0, weight=0.1, share_below=1.0)
    row = AnomalousRow(row=3, score=0.7, reasons=(reason,))
    assert AnomalousRow.from_json(row.to_json()) == row
