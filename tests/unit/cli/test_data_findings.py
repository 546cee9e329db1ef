"""What a report says in a terminal."""

from __future__ import annotations

import pytest
from tests import data_reports

from airfoil.cli import data_findings
from airfoil.steps.report import DatasetReport

pytestmark = pytest.mark.unit


def test_each_part_is_a_line():
    lines = list(data_findings.parts(data_reports.fine()))
    assert [(part, outcome) for part, outcome, _ in lines] == [
        ("quality", "passed"),
        ("drift", "stable"),
        ("anomalies", "usual"),
    ]
    assert list(data_findings.tables(data_reports.fine())) == []


def test_what_failed_is_a_table_each():
    checks, drift = data_findings.tables(data_reports.dirty())
    assert checks.columns == ("CHECK", "COLUMN", "ASKED", "FOUND")
    assert len(checks.rows) == len(data_reports.dirty().quality.failures)
    assert drift.columns == ("DRIFTED", "WHY")
    assert {row[0] for row in drift.rows} == set(data_reports.dirty().drift_verdict.drifted)


def test_names_cannot_command_a_terminal():
    for table in data_findings.tables(data_reports.odd()):
        for row in table.rows:
            assert all(cell.isprintable() for cell in row)
    for line in data_findings.parts(data_reports.odd()):
        assert all(word.isprintable() for word in line)


def test_thousands_of_failures_are_counted():
    quality = data_reports.dirty().quality
    many = quality.model_copy(update={"checks": quality.failures[:1] * 500})
    (found,) = data_findings.tables(DatasetReport(dataset="x", at=data_reports.AT, quality=many))
    assert len(found.rows) == data_findings.MOST_ROWS
    assert found.note == "and 480 more checks"


def test_the_oddest_rows_are_told_when_there_are_too_many():
    whole = data_reports.dirty()
    verdict = whole.anomaly_verdict.model_copy(update={"passed": False, "outcome": "anomalous"})
    report = DatasetReport(dataset="x", at=whole.at, anomalies=whole.anomalies, anomaly_verdict=verdict)
    (found,) = data_findings.tables(report)
    assert found.right == ("ROW", "SCORE")
    assert "usually" in found.rows[0][2]
