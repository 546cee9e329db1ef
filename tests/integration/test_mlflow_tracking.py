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
    with tracking.run(experiment="it's wine", name="one", key="whole", tags={"team": "ü"}) as run:
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
    for attempt in ("first", "second"):
        try:
            with tracking.run(experiment="retries", name="one", key="same") as run:
                run.log_params({"trees": 5})
                if attempt == "first":
                    raise TimeoutError
        except TimeoutError:
            assert (
                ask(server, "runs/search", experiment_ids=[run.experiment_id])["runs"][0]["info"]["status"]
                == "FAILED"
            )
    (found,) = ask(server, "runs/search", experiment_ids=[run.experiment_id])["runs"]
    assert found["info"]["status"] == "FINISHED"


def test_a_changed_parameter_is_refused_in_words(tracking):
    with (
        pytest.raises(ConfigurationError, match="Changing param values is not allowed"),
        tracking.run(experiment="changes", name="one", key="changed") as run,
    ):
        run.log_params({"trees": 5})
        run.log_params({"trees": 6})


def test_an_estimator_of_unknown_types_is_not_saved(tracking, trained):
    with (
        pytest.raises(ConfigurationError, match="cannot be saved safely"),
        tracking.run(experiment="unsafe", name="one", key="unsafe") as run,
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
