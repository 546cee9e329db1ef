"""What is seen of a deployed model is a record: in the run, in data/model, and in what the task returns."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.clients.model_endpoints import Predictions
from airfoil.clients.object_store import FolderStore
from airfoil.clients.service_health import Answer
from airfoil.provider.operators import monitor_model as module
from airfoil.provider.operators.monitor_model import MonitorModelOperator
from airfoil.records import LedgerEntry
from airfoil.steps.lifecycle.monitoring import MonitoringRecord

pytestmark = pytest.mark.unit
ENTRY = LedgerEntry(
    model="wine", alias="champion", number=1, at=datetime(2026, 1, 1, tzinfo=UTC), kind="promote", who="a", to_version=2
)  # fmt: skip


class Endpoint:
    """Calls everything the second class."""

    name = "a test"

    def predict(self, model, alias, rows, *, alone=0):
        assert alone > 0
        return Predictions(
            model=model,
            alias=alias,
            version=2,
            predictions=(1,) * len(rows),
            load_seconds=0.5,
            latency_ms=(1.0, 2.0, 30.0),
        )


class Asking(MonitorModelOperator):
    def endpoint(self, server):
        return Endpoint()


@pytest.fixture
def data(tmp_path):
    pa = pytest.importorskip("pyarrow")
    return FolderStore(tmp_path).write("held_out", pa.table({"x": [1.0, 2.0], "kind": [0, 1]}))


@pytest.fixture
def asked(monkeypatch):
    found = []

    def ask(url):
        found.append(url)
        ok = url.endswith("/health") and "mlflow" in url
        return Answer(healthy=ok, said="ok" if ok else "does not answer")

    monkeypatch.setattr(module, "ask_service", ask)
    return found


def test_everything_is_looked_at_and_written_down(registry, run, data, asked, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "work"))
    task = Asking(task_id="watch", deployed=ENTRY, data=data, target="kind", classes=("low", "high"))
    found = MonitoringRecord.from_json(run(task))
    assert (found.model, found.version, found.rows, found.accuracy) == ("wine", 2, 2, 0.5)
    assert found.predicted == {"low": 0.0, "high": 1.0}
    assert found.latency_ms == {"p50": 2.0, "p95": 30.0, "most": 30.0}
    assert {one.name: one.healthy for one in found.services} == {"MLflow": True, "Airflow": False}
    assert asked[0] == "http://mlflow.test:5000/health"
    assert asked[1].endswith("/api/v2/monitor/health")
    assert 0 < found.free_disk_gib <= found.whole_disk_gib
    (kept,) = (tmp_path / "work" / "data" / "model" / "wine" / "v2").iterdir()
    assert MonitoringRecord.from_json(kept.read_text()) == found
    logged = {point["key"]: point["value"] for one in registry.runs.values() for point in one["metrics"]}
    assert logged["latency_p95_ms"] == 30.0
    assert logged["predicted_share_high"] == 1.0
    assert any(name.endswith("monitoring.json") for name in registry.artifacts)


def test_it_survives_a_serialize_round_trip():
    with DAG("shop", schedule=None) as dag:
        MonitorModelOperator(task_id="watch", deployed={"a": 1}, data={}, target="kind", classes=("a", "b"))
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("watch")
    assert (back.deployed, back.classes) == ({"a": 1}, ["a", "b"])
