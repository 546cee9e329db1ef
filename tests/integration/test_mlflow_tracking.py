"""The tracking client against a real MLflow server that asks for a login."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import Attempt
from airfoil.clients.tracking import Tracking
from airfoil.errors import ConfigurationError, ServiceRefusedError
from airfoil.steps.charts import draw_confusion
from airfoil.steps.training import ForestParameters, train_forest, wine_data

pytestmark = pytest.mark.integration

PASSWORD = "a-long-enough-secret"
START_TIMEOUT_SECONDS = 90


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """An MLflow server on SQLite with basic auth; its artifacts go through it."""
    home = tmp_path_factory.mktemp("mlflow home ü")
    auth = home / "auth.ini"
    auth.write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{home}/auth.db\nauth_cache_ttl_seconds = 300\n"
    )
    port = free_port()
    address = MlflowServer(f"http://127.0.0.1:{port}", username="admin", password=PASSWORD)
    environment = os.environ | {
        "MLFLOW_AUTH_CONFIG_PATH": str(auth),
        "MLFLOW_AUTH_ADMIN_USERNAME": "admin",
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "for this test only",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth", "--workers", "1"]
    command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{home}/mlflow.db"]
    command += ["--artifacts-destination", str(home / "artifacts")]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=home, stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_until_ready(address, process, home / "log")
            yield address
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def wait_until_ready(address, process, log):
    for _ in range(START_TIMEOUT_SECONDS):
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            if httpx.get(f"{address.uri}/health", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(1)
    pytest.fail(f"MLflow did not become ready:\n{log.read_text()[-2000:]}")


@pytest.fixture
def tracking(server):
    with Tracking(MlflowHttp(server)) as client:
        yield client


@pytest.fixture(scope="module")
def trained():
    return train_forest(wine_data(), ForestParameters(trees=5))


def ask(server, path, **body):
    """Read back through the server's own API, not through our client."""
    answer = httpx.post(
        f"{server.uri}/api/2.0/mlflow/{path}", json=body, auth=("admin", PASSWORD), trust_env=False
    )
    answer.raise_for_status()
    return answer.json()


def test_a_training_is_logged_whole_and_the_model_loads_elsewhere(server, tracking, trained):
    with tracking.open_dag_run(RunKey("wine", "it's 1"), experiment="it's wine", tags={"team": "ü"}) as run:
        run.log_params(ForestParameters(trees=5).to_json())
        run.log_metrics(trained.scores.values | {"diverged": float("nan")})
        run.log_figure(draw_confusion(trained.confusion, trained.label_names), "charts/confusion.png")
        model = run.log_model(trained.estimator, name="wine", example=trained.example)

    (found,) = ask(server, "runs/search", experiment_ids=[run.experiment_id])["runs"]
    assert found["info"]["status"] == "FINISHED"
    assert {"key": "trees", "value": "5"} in found["data"]["params"]
    assert {"key": "team", "value": "ü"} in found["data"]["tags"]
    metrics = {row["key"]: row["value"] for row in found["data"]["metrics"]}
    assert metrics["accuracy"] == pytest.approx(trained.scores["accuracy"])
    assert metrics["diverged"] == "NaN"
    assert [one["model_id"] for one in found["outputs"]["model_outputs"]] == [
        model.uri.removeprefix("models:/")
    ]

    code = (
        f"import mlflow.pyfunc, sklearn.datasets as d; model = mlflow.pyfunc.load_model({model.uri!r});"
        "print(list(model.predict(d.load_wine(as_frame=True).data.head(3))))"
    )
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": server.uri,
        "MLFLOW_TRACKING_USERNAME": "admin",
        "MLFLOW_TRACKING_PASSWORD": PASSWORD,
    }
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout.strip().replace("np.int64(0)", "0") == "[0, 0, 0]", said.stderr


def test_a_second_try_continues_the_run(server, tracking):
    key = RunKey("retries", "1", "train")
    with pytest.raises(TimeoutError), tracking.open_task(key, experiment="retries") as run:
        run.log_params({"trees": 5})
        raise TimeoutError
    (failed,) = children(server, run)
    assert failed["info"]["status"] == "FAILED"
    with tracking.open_task(key, experiment="retries", attempt=Attempt(2)) as again:
        again.log_params({"trees": 5})
    (found,) = children(server, run)
    assert found["info"]["run_id"] == again.id == run.id
    assert found["info"]["status"] == "FINISHED"


def test_a_changed_parameter_supersedes_the_run(server, tracking):
    key = RunKey("changes", "1", "train")
    with tracking.open_task(key, experiment="changes") as run:
        run.log_params({"trees": 5})
        run.log_metrics({"loss": 1.0}, step=1)
    with tracking.open_task(key, experiment="changes", attempt=Attempt(2)) as again:
        again.log_metrics({"loss": 0.5, "bad": float("-inf")}, step=1)
        again.log_text("note", "notes.md")
        again.log_dataset("wine", "s3://lake/wine")
        again.flush()
        again.log_params({"trees": 6})
    assert again.id != run.id
    found = {one["info"]["run_id"]: one for one in children(server, again)}
    assert {"key": "airfoil.superseded_by", "value": again.id} in found[run.id]["data"]["tags"]
    assert {"key": "airfoil.supersedes", "value": run.id} in found[again.id]["data"]["tags"]
    assert found[again.id]["data"]["params"] == [{"key": "trees", "value": "6"}]
    assert len(found[again.id]["inputs"]["dataset_inputs"]) == 1
    assert [one.value for one in again.metric_history("loss")] == [0.5]
    assert again.metric_history("bad")[0].value < -1e300  # SQL has no infinity


def children(server, run):
    """The runs below the same DAG run."""
    text = f"tags.`mlflow.parentRunId` = '{run.parent_id}'"
    return ask(server, "runs/search", experiment_ids=[run.experiment_id], filter=text)["runs"]


def test_an_estimator_of_unknown_types_is_not_saved(tracking, trained):
    with (
        pytest.raises(ConfigurationError, match="cannot be saved safely"),
        tracking.open_dag_run(RunKey("unsafe", "1"), experiment="unsafe") as run,
    ):
        run.log_model(Doubler(), name="doubled", example=trained.example)


class Doubler:
    """Not a type that skops knows."""

    def predict(self, frame):
        return frame.iloc[:, 0].to_numpy() * 2


def test_a_wrong_password_is_told_apart_from_a_missing_server(server):
    wrong = MlflowServer(server.uri, username="admin", password="not the password")
    with Tracking(MlflowHttp(wrong)) as tracking, pytest.raises(ServiceRefusedError, match="HTTP 401"):
        tracking.check()
