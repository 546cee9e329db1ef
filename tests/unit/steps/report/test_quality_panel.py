"""Checks and columns on the page."""

from __future__ import annotations

import re

import pytest
from tests import data_reports

from airfoil.records import QualityReport
from airfoil.steps.report import quality_panel

pytestmark = pytest.mark.unit


def test_failed_checks_come_first_with_rows_that_failed():
    shown = quality_panel.checks(data_reports.dirty().quality)
    failed, _, folded = shown.partition('<details class="fold">')
    assert set(re.findall(r'<tbody[^>]* data-level="(\w+)"', failed)) == {"bad"}
    assert set(re.findall(r'<tbody[^>]* data-level="(\w+)"', folded)) == {"good"}
    assert "20 checks passed" in folded
    assert shown.count("<details open>") == quality_panel.OPEN_FAILURES
    assert "that failed" in shown
    assert "crypto" in shown


def test_a_column_shows_what_is_in_it():
    shown = quality_panel.profiles(data_reports.odd().quality)
    assert "never has a value" in shown
    assert "one value only" in shown
    assert "2 infinite" in shown
    assert "1 NaN" in shown
    assert "<script>alert" not in shown


def test_passed_checks_beyond_measure_are_left_out_and_counted(monkeypatch):
    monkeypatch.setattr(quality_panel, "MOST_PASSED", 2)
    shown = quality_panel.checks(data_reports.dirty().quality)
    failures = len(data_reports.dirty().quality.failures)
    assert shown.count("<tbody") - shown.count('class="plain"') == failures + 2
    assert "more are left out here" in shown


@pytest.mark.parametrize("rows", [0, 3])
def test_a_report_without_checks_or_columns_is_a_table_without_rows(rows):
    report = QualityReport(
        dataset="x", at=data_reports.AT, passed=True, reason="", rows=rows, checks=(), columns=()
    )
    assert "<tbody" not in quality_panel.checks(report)
    assert "<tbody" not in quality_panel.profiles(report)


def test_examples_of_unequal_rows_share_one_table():
    check = (
        data_reports.dirty()
        .quality.failures[0]
        .model_copy(update={"examples": ({"row": 1, "a": None}, {"times": 3, "b": "<x>"}), "failed": 9})
    )
    report = data_reports.dirty().quality.model_copy(update={"checks": (check,)})
    shown = quality_panel.checks(report)
    assert "2 of 9 that failed" in shown
    assert "missing" in shown
    assert "&lt;x&gt;" in shown
