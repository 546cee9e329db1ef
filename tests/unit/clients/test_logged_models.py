"""Logged models: announced, uploaded, finalised, linked; or marked as failed."""

import pytest

from airfoil.clients.logged_models import log_model_files
from airfoil.clients.run_keys import RunKey
from airfoil.errors import ServiceAnswerError
from airfoil.records import ModelRef

pytestmark = pytest.mark.unit


@pytest.fixture
def run(tracking):
    return tracking.open_dag_run(RunKey("d", "r"), experiment="wine").info


def save(folder, identity):
    folder.mkdir()
    (folder / "MLmodel").write_text(f"{identity.model_id} {identity.run_id}")


def test_a_model_is_uploaded_announced_and_linked(server, http, run):
    model = log_model_files(http, run, "wine", save)
    (number,) = server.models
    assert model == ModelRef(name="wine", uri=f"models:/{number}", run_id=run.id)
    path = f"{run.experiment_id}/models/{number}/artifacts/MLmodel"
    assert server.artifacts[path].decode() == f"{number} {run.id}"
    assert server.models[number]["status"] == "LOGGED_MODEL_READY"
    assert server.runs[run.id]["models"] == [number]


def test_a_model_that_cannot_be_saved_is_marked_and_not_linked(server, http, run):
    def fail(*_):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        log_model_files(http, run, "wine", fail)
    (model,) = server.models.values()
    assert model["status"] == "LOGGED_MODEL_UPLOAD_FAILED"
    assert server.runs[run.id]["models"] == []


def test_the_first_failure_is_the_one_that_is_told(server, http, run):
    """A server that went away during the upload cannot be told that the upload failed."""
    server.faults.fail_next("mlflow-artifacts/artifacts/*", 500, code="FULL")
    server.faults.fail_next("mlflow/logged-models/*", 500, code="AWAY")
    with pytest.raises(ServiceAnswerError, match="told to fail"):
        log_model_files(http, run, "wine", save)
