"""Records as people read them in a mail: one reason, and numbers with their names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airfoil.records import GateDecision, LedgerEntry
from airfoil.steps.alert_numbers import Facts, facts_of
from airfoil.steps.lifecycle.cleaning import CleaningRecord
from airfoil.steps.lifecycle.monitoring import MonitoringRecord, ServiceHealth

pytestmark = pytest.mark.unit
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DECISION = GateDecision(
    passed=False,
    metric="accuracy",
    value=0.78947,
    needed=0.9,
    baseline=0.9,
    rows=38,
    reason="accuracy is too low",
    against="iris@champion",
    against_version=2,
)
MOVE = LedgerEntry(
    model="iris", alias="champion", number=2, at=NOW, kind="promote", who="ana", from_version=2, to_version=3
)


def watched(*services):
    return MonitoringRecord(
        model="iris",
        alias="champion",
        version=3,
        at=NOW,
        rows=38,
        latency_ms={"p50": 1.2345, "p95": 20.0},
        predicted={"setosa": 0.5, "virginica": 0.5},
        services=services,
        free_disk_gib=3.25,
        whole_disk_gib=40,
    )


def test_everything_that_a_run_has_found_stands_in_one_list():
    cleaned = CleaningRecord(rows=148, rejected=2, reasons={"species is missing": 2})
    found = facts_of(
        [DECISION, MOVE.to_json(), watched(ServiceHealth(name="MLflow", healthy=True)), cleaned.to_json()]
    )
    assert found == Facts(
        "accuracy is too low",
        {
            "Accuracy": "0.7895",
            "Needed": "0.9",
            "Accuracy of iris@champion (version 2)": "0.9",
            "Held-out rows": "38",
            "iris@champion": "version 3, before it version 2",
            "Time for one row": "p50 1.23 ms, p95 20 ms",
            "Predictions": "setosa 50%, virginica 50%",
            "Services": "MLflow: well",
            "Free disk": "3.2 of 40.0 GiB",
            "Rows of the source": "148 rows taken, 2 rejected: species is missing (2)",
        },
    )


def test_a_service_that_is_unwell_is_named():
    ill = ServiceHealth(name="Airflow", healthy=False, said="does not answer")
    assert facts_of([watched(ill)]).numbers["Services"] == "Airflow does not answer"


def test_plain_values_are_told_and_secrets_are_not():
    told = {"rows": 3, "share": 0.123456, "ok": True, "url": "https://a:b@c.test/x?token=abc", "parts": [1]}
    assert facts_of([told]).numbers == {
        "rows": "3", "share": "0.1235", "ok": "yes", "url": "https://a:***@c.test/x?token=***"
    }  # fmt: skip
    assert facts_of([None, "text", 7, []]) == Facts()


def test_a_decision_that_measured_nothing_and_the_first_of_all_moves():
    bare = GateDecision(passed=False, metric="accuracy", outcome="metric_missing", reason="not measured")
    assert facts_of([bare]) == Facts("not measured", {})
    first = MOVE.model_copy(update={"from_version": None})
    assert facts_of([first]).numbers == {"iris@champion": "version 3, the first"}
