"""Tracking: one run per key, closed with the outcome of its block."""

import sys

import httpx
import pytest

from airfoil.clients import tracking as module
from airfoil.errors import ConfigurationError, ServiceAnswerError
from airfoil.records import ModelRef
from airfoil.steps.charts import draw_confusion

pytestmark = pytest.mark.unit


def open_run(tracking, key="dag/run-1", **tags):
    return tracking.run(experiment="wine", name="run-1", key=key, tags=tags)


def test_a_run_is_created_with_its_tags_and_finished(server, tracking):
    with open_run(tracking, team="ü") as run:
        assert server.runs[run.id]["info"]["status"] == "RUNNING"
    kept = server.run_of("run-1")
    assert kept["info"]["status"] == "FINISHED"
    assert kept["info"]["end_time"] == 1000500
    assert kept["tags"]["team"] == "ü"
    assert kept["tags"]["mlflow.runName"] == "run-1"


def test_the_run_has_an_address_for_people(tracking):
    with open_run(tracking) as run:
        assert run.url == f"http://mlflow.test:5000/#/experiments/1/runs/{run.id}"


def test_the_same_key_continues_the_same_run(server, tracking):
    with pytest.raises(RuntimeError), open_run(tracking):
        raise RuntimeError
    (first,) = server.runs
    assert server.runs[first]["info"]["status"] == "FAILED"
    with open_run(tracking) as again:
        assert again.id == first
        assert server.runs[first]["info"]["status"] == "RUNNING"
    assert list(server.runs) == [first]
    assert server.runs[first]["info"]["status"] == "FINISHED"


def test_another_key_is_another_run(server, tracking):
    for key in ("dag/it's one", "dag/it's two"):
        with open_run(tracking, key):
            pass
    assert len(server.runs) == 2


def test_a_stop_from_outside_is_told_apart_from_a_failure(server, tracking):
    with pytest.raises(KeyboardInterrupt), open_run(tracking):
        raise KeyboardInterrupt
    assert server.run_of("run-1")["info"]["status"] == "KILLED"


def test_the_error_of_the_body_is_kept_when_the_run_cannot_be_closed(server, tracking):
    def body():
        with open_run(tracking):
            server.fail["mlflow/runs/update"] = httpx.Response(500, text="gone")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        body()
    assert "could not be closed as FAILED" in caught.value.__notes__[0]


def test_params_and_metrics_arrive(server, tracking):
    with open_run(tracking) as run:
        run.log_params({"trees": 50, "depth": None})
        run.log_metrics({"accuracy": 0.5}, step=3)
    assert server.runs[run.id]["params"] == {"trees": "50", "depth": "None"}
    assert server.runs[run.id]["metrics"] == [
        {"key": "accuracy", "value": 0.5, "timestamp": 1000500, "step": 3}
    ]


def test_numbers_that_json_cannot_hold_travel_as_words(server, tracking):
    with open_run(tracking) as run:
        run.log_metrics({"a": float("nan"), "b": float("inf"), "c": float("-inf")})
    # As MLflow keeps them: a database has no infinity.
    largest = sys.float_info.max
    assert [row["value"] for row in server.runs[run.id]["metrics"]] == ["NaN", largest, -largest]


def test_many_values_are_sent_in_as_many_calls_as_mlflow_allows(server, tracking):
    with open_run(tracking) as run:
        run.log_params({f"p{number}": number for number in range(module.MAX_PARAMS_PER_CALL + 1)})
        run.log_metrics({f"m{number}": number for number in range(module.MAX_METRICS_PER_CALL * 2)})
    assert server.calls.count("mlflow/runs/log-batch") == 4
    assert len(server.runs[run.id]["params"]) == module.MAX_PARAMS_PER_CALL + 1


def test_a_figure_is_stored_as_a_picture(server, tracking):
    with open_run(tracking) as run:
        run.log_figure(draw_confusion([[1]], ["only"]), "charts/confusion.png")
    assert server.artifacts[f"1/{run.id}/artifacts/charts/confusion.png"].startswith(b"\x89PNG")


def test_a_model_is_uploaded_announced_and_linked(server, tracking, monkeypatch):
    def save(estimator, folder, *, identity, **_):
        folder.mkdir()
        (folder / "MLmodel").write_text(f"{estimator} {identity.model_id} {identity.run_id}")

    monkeypatch.setattr(module, "save_sklearn_model", save)
    with open_run(tracking) as run:
        model = run.log_model("forest", name="wine", example=None)
    (model_id,) = server.models
    assert model == ModelRef(name="wine", uri=f"models:/{model_id}", run_id=run.id)
    written = server.artifacts[f"1/models/{model_id}/artifacts/MLmodel"]
    assert written == f"forest {model_id} {run.id}".encode()
    assert server.models[model_id]["status"] == "LOGGED_MODEL_READY"
    assert server.runs[run.id]["models"] == [model_id]


def test_a_model_that_cannot_be_saved_is_marked_and_not_linked(server, tracking, monkeypatch):
    def save(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(module, "save_sklearn_model", save)
    with pytest.raises(OSError, match="disk full"), open_run(tracking) as run:
        run.log_model("forest", name="wine", example=None)
    (kept,) = server.models.values()
    assert kept["status"] == "LOGGED_MODEL_UPLOAD_FAILED"
    assert server.runs[run.id]["models"] == []


def test_an_experiment_made_by_somebody_else_in_between_is_used(server, tracking):
    def somebody_else():
        server.experiments["wine"] = {"experiment_id": "9", "lifecycle_stage": "active"}

    server.faults.meanwhile("mlflow/experiments/create", somebody_else)
    assert tracking.experiment_id("wine") == "9"


def test_an_experiment_name_that_mlflow_refuses_is_our_error(server, tracking):
    server.fail["mlflow/experiments/create"] = httpx.Response(400, json={"message": "bad name"})
    with pytest.raises(ConfigurationError, match="bad name"):
        tracking.experiment_id("//")


def test_a_deleted_experiment_says_how_to_get_it_back(server, tracking):
    server.experiments["wine"] = {"experiment_id": "7", "lifecycle_stage": "deleted"}
    with pytest.raises(ConfigurationError, match="is deleted") as caught:
        tracking.experiment_id("wine")
    assert "restore -x 7" in caught.value.next_move


def test_check_needs_a_working_server(server, tracking):
    tracking.check()
    server.fail["mlflow/experiments/search"] = httpx.Response(500, text="down")
    with pytest.raises(ServiceAnswerError):
        tracking.check()
