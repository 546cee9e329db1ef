"""A logged model is kept below data/model, by the source's version and the run that trained it."""

from __future__ import annotations

import json

import pytest
from tests.unit.provider.registry_tasks import registry

from airfoil.clients.model_loading import artifact_address
from airfoil.provider.kept_models import keep_logged_model

__all__ = ["registry"]
pytestmark = pytest.mark.unit


def test_its_folder_says_where_it_is_from(registry, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path))
    model = registry.log_model()
    with registry.http() as http:
        below = http.do(artifact_address(model.uri)).removeprefix("mlflow-artifacts:/")
    registry.artifacts[f"{below}/MLmodel"] = b"flavors"
    crawled = {"source": "iris", "version": "2026-abc", "raw": {"uri": "file:///raw"}}
    folder = keep_logged_model(model, crawled, {"ml_model_type": "knn"})
    assert folder == tmp_path / "data" / "model" / "iris" / "2026-abc" / model.run_id
    about = json.loads((folder / "about.json").read_text())
    assert (about["source_version"], about["ml_model_type"]) == ("2026-abc", "knn")
    assert (folder / "model" / "MLmodel").exists()
