"""Numbers of a deployed model: quantiles, shares, accuracy, disk, and the record that holds them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airfoil.steps.lifecycle.monitoring import (
    MonitoringRecord,
    ServiceHealth,
    accuracy_of,
    disk_of,
    latency_of,
    shares_of,
)

pytestmark = pytest.mark.unit


def test_latency_is_the_middle_the_slow_end_and_the_worst():
    assert latency_of([float(one) for one in range(100, 0, -1)]) == {"p50": 50.0, "p95": 95.0, "most": 100.0}
    assert latency_of([3.0]) == {"p50": 3.0, "p95": 3.0, "most": 3.0}
    assert latency_of([]) == {}


def test_shares_have_names_and_show_classes_that_are_never_predicted():
    assert shares_of([0, 0, 1, 0], ["low", "high", "odd"]) == {"low": 0.75, "high": 0.25, "odd": 0.0}
    assert shares_of(["a", "b"]) == {"a": 0.5, "b": 0.5}
    assert shares_of([7, True], ["low"]) == {"low": 0.0, "7": 0.5, "True": 0.5}
    assert shares_of([], ["low"]) == {}


def test_accuracy_needs_as_many_truths():
    assert accuracy_of([0, 1, 1], [0, 1, 0]) == pytest.approx(2 / 3)
    assert accuracy_of([], []) is None
    assert accuracy_of([1], [1, 2]) is None


def test_a_record_gives_its_metrics_and_who_is_unwell():
    services = (
        ServiceHealth(name="MLflow", healthy=True),
        ServiceHealth(name="Airflow", healthy=False, said="no"),
    )
    found = MonitoringRecord(
        model="iris",
        alias="champion",
        version=3,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        rows=38,
        accuracy=0.9,
        latency_ms={"p50": 1.5},
        predicted={"c++ 1": 1.0},
        services=services,
        **disk_of({"free": 3 << 30, "total": 8 << 30}),
    )
    assert found.metrics() == {
        "latency_p50_ms": 1.5,
        "predicted_share_c__ 1": 1.0,
        "free_disk_gib": 3.0,
        "unhealthy_services": 1.0,
        "deployed_accuracy": 0.9,
    }
    assert [one.name for one in found.unhealthy] == ["Airflow"]
    assert MonitoringRecord.from_json(found.to_json()) == found
