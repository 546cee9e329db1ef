"""Drift on the page: all measures, drifted columns first, both tables' numbers."""

from __future__ import annotations

import re

import pytest
from tests import data_reports

from airfoil.steps.drift.report import ColumnDrift, ColumnSummary, DriftReport
from airfoil.steps.drift.verdict import judge_drift
from airfoil.steps.report import drift_panel

pytestmark = pytest.mark.unit


def shown(report, types=None):
    return drift_panel.comparison(report.drift, report.drift_verdict, types or {})


def test_drifted_columns_come_first_and_say_why():
    text = shown(data_reports.dirty())
    outcomes = re.findall(r"</i>(drifted|stable|not measured)</span>", text)
    drifted = len(data_reports.dirty().drift_verdict.drifted)
    assert 0 < drifted < len(outcomes)
    assert outcomes[:drifted] == ["drifted"] * drifted
    assert "drifted" not in outcomes[drifted:]
    assert "or more counts" in text
    for title in ("Effect", "p adjusted", "PSI", "Jensen-Shannon", "Wasserstein", "Statistic", "Test"):
        assert f">{title}</th>" in text


def test_every_column_has_its_drawing_and_its_mark():
    text = shown(data_reports.dirty())
    columns = data_reports.dirty().drift.columns
    assert text.count('class="spark"') == len(columns)
    assert text.count('class="plot"') == sum(one.kind != "category" for one in columns)
    assert "They are farthest apart at" in text
    assert len(set(re.findall(r'<g id="(d\d+)"', text))) == len(columns)


def test_times_read_as_dates_and_spans_as_spans():
    text = shown(data_reports.dirty())
    assert re.search(r"<td[^>]*>2026-1\d-\d\d \d\d:\d\d</td>", text)
    spans = shown(data_reports.odd(), {"span": "duration[us]"})
    assert re.search(r"<td[^>]*>299 d</td>", spans)


def test_limits_and_what_p_values_are_worth_are_said():
    report = data_reports.fine()
    noted = report.drift.model_copy(update={"note": "Look at the effects."})
    text = drift_panel.comparison(noted, report.drift_verdict, {})
    assert "p is below 0.05 and the effect is at least 0.1" in text
    assert "Look at the effects." in text


def test_what_was_not_compared_is_listed():
    text = shown(data_reports.odd())
    assert "not compared" in text
    assert "is nested" in text


def test_a_column_without_values_is_not_measured():
    nothing = ColumnSummary(rows=3, missing=3)
    column = ColumnDrift(
        name="x", kind="number", test="kolmogorov_smirnov", reference=nothing, current=nothing, note="Nothing"
    )
    report = DriftReport(
        reference="a", current="b", reference_rows=3, current_rows=3, correction="none", columns=(column,)
    )
    text = drift_panel.comparison(report, judge_drift(report), {})
    assert "not measured" in text
    assert "spark" not in text
