"""The record of a report: what follows of its parts, and that nothing checked is nothing passed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tests import data_reports

from airfoil.records import DatasetVerdict, QualityReport
from airfoil.steps.drift.report import DriftLimits, DriftVerdict
from airfoil.steps.report import DatasetReport

pytestmark = pytest.mark.unit
AT = data_reports.AT
UNKNOWN = DriftVerdict(passed=False, outcome="not_measured", reason="no rows", limits=DriftLimits())


def test_a_fine_table_passes_with_what_was_looked_at():
    report = data_reports.fine()
    assert report.passed
    assert report.outcomes == {"quality": "passed", "drift": "stable", "anomalies": "usual"}
    assert report.reason.startswith("trips passed: none of ")
    assert report.rows == 6000
    assert report.numbers["failed_checks"] == report.numbers["drifted_columns"] == 0
    assert 0 < report.numbers["anomaly_rate"] < 0.1


def test_a_dirty_table_fails_with_what_failed():
    report = data_reports.dirty()
    assert not report.passed
    assert report.failed_parts == ("quality", "drift")
    assert "checks failed (" in report.reason
    assert "columns drifted (" in report.reason
    assert "anomalous" not in report.reason
    assert report.numbers["failed_checks"] == len(report.quality.failures) > 3
    assert report.numbers["largest_effect"] > 0.1


def test_nothing_checked_is_nothing_passed():
    report = DatasetReport(dataset="trips", at=AT)
    assert (report.passed, report.outcomes, report.rows, report.numbers) == (False, {}, None, {})
    assert report.reason == "trips did not pass: nothing was checked"


def test_a_contract_of_which_nothing_applies_says_so():
    quality = QualityReport(dataset="x", at=AT, passed=True, reason="", rows=0, checks=(), columns=())
    assert "no check applied" in DatasetReport(dataset="x", at=AT, quality=quality).reason


def test_what_was_not_measured_does_not_pass():
    report = DatasetReport(dataset="x", at=AT, drift_verdict=UNKNOWN)
    assert (report.passed, report.failed_parts, report.rows) == (False, ("drift",), None)
    assert report.reason == "x failed: drift is not known"


def test_measured_and_not_judged_is_refused():
    with pytest.raises(ValidationError, match="drift were measured and not judged"):
        DatasetReport(dataset="x", at=AT, drift=data_reports.fine().drift)


@pytest.mark.parametrize("make", [data_reports.fine, data_reports.dirty, data_reports.odd])
def test_it_survives_json(make):
    report = make()
    again = DatasetReport.from_json(report.to_json())
    assert again == report
    assert again.verdict("r") == report.verdict("r")


def test_its_verdict_is_what_a_history_keeps():
    report = data_reports.dirty()
    said = report.verdict("run 7")
    assert isinstance(said, DatasetVerdict)
    assert (said.run_id, said.passed, said.dag_run) == ("run 7", False, report.dag_run)
    assert said.numbers == report.numbers


def unmeasured():
    why = dict.fromkeys(("quality", "anomalies"), "The table is damaged.")
    return DatasetReport(dataset="trips", at=AT, not_measured=why, drift_verdict=UNKNOWN)


@pytest.mark.parametrize("make", [data_reports.fine, data_reports.dirty, data_reports.odd, unmeasured])
def test_a_history_knows_which_parts_passed_by_the_words_of_real_verdicts(make):
    report = make()
    assert report.verdict().passed_parts == {
        part: part not in report.failed_parts for part in report.outcomes
    }


def test_a_sentence_stays_a_sentence():
    report = data_reports.odd()
    assert len(report.reason) < 700


def test_what_could_not_be_measured_fails_and_comes_first():
    why = "The table trips is damaged or was cut short."
    report = data_reports.dirty().model_copy(
        update={"quality": None, "not_measured": {"quality": why, "anomalies": why}, "anomaly_verdict": None}
    )
    assert report.outcomes == {"quality": "error", "drift": "drifted", "anomalies": "error"}
    assert report.failed_parts == ("quality", "drift", "anomalies")
    assert report.reason.startswith("trips failed: The table trips is damaged or was cut short, ")
    assert report.reason.count("damaged") == 1
    assert not DatasetReport(dataset="x", at=AT, not_measured={"drift": why}).passed
    with pytest.raises(ValidationError, match="no part 'taste'"):
        DatasetReport(dataset="x", at=AT, not_measured={"taste": why})
