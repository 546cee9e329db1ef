"""What is read from a folder mlruns."""

from __future__ import annotations

import math

import pytest
from tests.mlruns_folder import CHILD, LOGGED, PARENT, STALE, write_mlruns

from airfoil.clients.mlruns.file_store import FileStore, LoggedModel, place_of
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path):
    return write_mlruns(tmp_path / "mlruns")


def test_runs_are_read_but_for_deleted_ones(folder):
    runs = {run.id: run for run in FileStore(folder.root).runs()}
    assert set(runs) == {PARENT, CHILD, STALE}
    child = runs[CHILD]
    assert (child.experiment, child.status, child.started_ms, child.ended_ms) == (
        "wines",
        "FAILED",
        1000,
        2000,
    )
    assert child.params() == {"model/depth": "3"}
    first, second = child.points()
    assert first == ("loss", 0.5, 1000, 0)
    assert math.isnan(second.value)
    assert second.step == 1


def test_a_registered_model_has_its_versions_wherever_their_files_were(folder):
    (wine,) = FileStore(folder.root).models()
    assert (wine.name, wine.description, wine.tags, wine.aliases) == (
        "wine",
        "A wine",
        {"owner": "anne"},
        {"best": 1},
    )
    assert [(one.number, one.stage, one.run_id, one.path) for one in wine.versions] == [
        (1, "Archived", PARENT, "model"),
        (3, "Production", CHILD, "forest"),
        (4, "Staging", CHILD, "forest"),
        (5, "Production", "", None),
    ]


def test_a_damaged_run_costs_itself_alone(folder):
    folder.text(f"7/{PARENT}/meta.yaml", "run_id: [")
    store = FileStore(folder.root)
    assert {run.id for run in store.runs()} == {CHILD, STALE}
    (sentence,) = store.damaged
    assert f"{PARENT}/meta.yaml cannot be read" in sentence


def test_a_folder_without_experiments_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="is no folder of MLflow runs"):
        FileStore(tmp_path)
    with pytest.raises(ConfigurationError, match="is no folder of MLflow runs"):
        FileStore(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (f"file:///x/mlruns/7/{CHILD}/artifacts/a/b", (CHILD, "a/b")),
        (f"mlflow-artifacts:/7/{CHILD}/artifacts", (CHILD, "")),
        (f"runs:/{CHILD}/model", (CHILD, "model")),
        (f"models:/{LOGGED}", (PARENT, "forest")),
        ("models:/m-" + "0" * 32, None),
        ("s3://bucket/model", None),
    ],
)
def test_an_address_is_understood_by_the_ids_in_it(source, place, tmp_path):
    assert place_of(source, {LOGGED: LoggedModel(LOGGED, "forest", PARENT, tmp_path)}) == place
