from __future__ import annotations

import pytest

from airfoil.clients import run_context
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.run_context import Parents, active_experiment, tracking_server
from airfoil.clients.run_keys import RunKey
from airfoil.errors import ServiceUnreachableError

pytestmark = pytest.mark.unit

KEY = RunKey("d", "r", "t", 1)


@pytest.fixture
def uri(monkeypatch):
    import mlflow

    for name in ("USERNAME", "PASSWORD", "TOKEN", "SERVER_CERT_PATH"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)

    def be(address):
        monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: address)

    return be


def test_the_server_is_the_one_that_mlflow_talks_to(uri, monkeypatch):
    uri("https://mlflow.example.com/base/")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ann")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "/ca.pem")
    server = tracking_server()
    assert server.uri == "https://mlflow.example.com/base"
    assert (server.username, server.password, server.ca_file) == ("ann", "secret", "/ca.pem")


def test_a_token_is_taken_as_well(uri, monkeypatch):
    uri("http://127.0.0.1:5000")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abc")
    assert tracking_server().token == "abc"


@pytest.mark.parametrize("address", ["sqlite:///mlflow.db", "file:///mlruns", "mlruns", "databricks", ""])
def test_a_folder_or_a_database_is_no_server(uri, address):
    uri(address)
    assert tracking_server() is None


def test_mlflow_tells_its_active_experiment(monkeypatch):
    monkeypatch.setattr("mlflow.tracking.fluent._active_experiment_id", "42")
    assert active_experiment() == "42"


class Http:
    """A server that knows one experiment and makes any parent."""

    asked: list[object]
    error: Exception | None

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def do(self, conversation):
        type(self).asked.append(self.server.uri)
        conversation.close()
        if self.error:
            raise self.error
        return type("Run", (), {"id": f"parent at {self.server.uri}"})


@pytest.fixture
def scene():
    class Scene:
        now = 0.0
        server: MlflowServer | None = MlflowServer("http://one")

    scene = Scene()
    Http.asked, Http.error = [], None
    scene.parents = Parents(
        server=lambda: scene.server, experiment=lambda: "7", connect=Http, clock=lambda: scene.now
    )
    return scene


def test_a_hundred_runs_ask_once(scene):
    assert {scene.parents.find(KEY, {}) for _ in range(100)} == {"parent at http://one"}
    assert Http.asked == ["http://one"]


def test_another_server_has_another_parent(scene):
    scene.parents.find(KEY, {})
    scene.server = MlflowServer("http://two")
    assert scene.parents.find(KEY, {}) == "parent at http://two"


def test_runs_in_a_folder_have_none(scene):
    scene.server = None
    assert scene.parents.find(KEY, {}) == ""
    assert Http.asked == []


def test_after_a_failure_nobody_waits_again_for_a_while(scene):
    Http.error = ServiceUnreachableError("no answer in time")
    with pytest.raises(ServiceUnreachableError):
        scene.parents.find(KEY, {})
    assert scene.parents.find(KEY, {}) == ""
    assert len(Http.asked) == 1
    scene.now += run_context.FORGET_FAILURE_SECONDS
    Http.error = None
    assert scene.parents.find(KEY, {}) == "parent at http://one"


def test_the_parent_is_made_where_mlflow_is_about_to_write():
    steps = run_context.parent_in("7", KEY.parent, {})
    asked = next(steps)
    assert (asked.path.rpartition("/")[2], dict(asked.query)) == ("get", {"experiment_id": "7"})
    asked = steps.send({"experiment": {"name": "trading_models"}})
    assert dict(asked.query) == {"experiment_name": "trading_models"}
