"""A copy of a logged model is whole, replaces an older one, and leaves nothing half-done."""

from __future__ import annotations

import json

import pytest
from tests.unit.provider.registry_tasks import Registry

from airfoil.clients.model_loading import artifact_address
from airfoil.clients.model_shelf import ABOUT, keep_model
from airfoil.errors import NotFoundError, StorageError

pytestmark = pytest.mark.unit


@pytest.fixture
def server():
    return Registry()


@pytest.fixture
def model(server, http):
    found = server.log_model()
    below = http.do(artifact_address(found.uri)).removeprefix("mlflow-artifacts:/")
    server.artifacts[f"{below}/MLmodel"] = b"flavors"
    return found


def test_files_and_what_is_known_lie_together(http, model, tmp_path):
    folder = tmp_path / "iris" / "v1"
    for kind in ("knn", "svm"):
        assert keep_model(http, model, folder, {"ml_model_type": kind}) == folder
    assert (folder / "model" / "MLmodel").read_bytes() == b"flavors"
    about = json.loads((folder / ABOUT).read_text())
    assert (about["ml_model_type"], about["model"]) == ("svm", model.to_json())
    assert [path.name for path in folder.parent.iterdir()] == ["v1"]


def test_a_model_without_files_leaves_what_was_there(server, http, model, tmp_path):
    folder = tmp_path / "v1"
    keep_model(http, model, folder, {})
    server.artifacts.clear()
    with pytest.raises(NotFoundError):
        keep_model(http, model, folder, {})
    assert (folder / "model" / "MLmodel").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["v1"]


def test_a_folder_that_cannot_be_made_is_said(http, model, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        keep_model(http, model, tmp_path / "file" / "v1", {})
