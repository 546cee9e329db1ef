"""Continuing one run with mlflow's fluent functions: what is set for a block, and that all of it is put back."""

from __future__ import annotations

import importlib
import os
import sys
from types import SimpleNamespace

import pytest

from airfoil.clients import fluent_session as module
from airfoil.clients.fluent_session import fluent_session
from airfoil.clients.mlflow_server import MlflowServer

pytestmark = pytest.mark.unit

SERVER = MlflowServer(
    "https://mlflow.test:5000", username="ana", password="pw", ca_file="/ca.pem", timeout_seconds=2.4, tries=2
)


@pytest.fixture(autouse=True)
def no_mlflow(monkeypatch):
    """A process that has not imported mlflow; what a test imports under that name is gone after it."""
    for name in _mlflow_modules():
        monkeypatch.delitem(sys.modules, name)
    yield
    for name in _mlflow_modules():
        del sys.modules[name]


def _mlflow_modules():
    return [name for name in sys.modules if name.partition(".")[0] == "mlflow"]


def mlflow_variables():
    return {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")}


def test_server_login_and_run_are_there_inside_and_gone_outside(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "of somebody else")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "7")
    before, finders = mlflow_variables(), list(sys.meta_path)
    with fluent_session(SERVER, "r1"):
        inside = mlflow_variables()
        os.environ.pop("MLFLOW_RUN_ID")  # as mlflow does when it adopts the run
    assert {name: value for name, value in inside.items() if before.get(name) != value} == {
        "MLFLOW_TRACKING_URI": "https://mlflow.test:5000",
        "MLFLOW_TRACKING_USERNAME": "ana",
        "MLFLOW_TRACKING_PASSWORD": "pw",
        "MLFLOW_TRACKING_SERVER_CERT_PATH": "/ca.pem",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "2",
        "MLFLOW_RUN_ID": "r1",
    }
    assert not {"MLFLOW_TRACKING_TOKEN", "MLFLOW_EXPERIMENT_ID"} & set(inside)
    assert mlflow_variables() == before
    assert sys.meta_path == finders
    assert "mlflow" not in sys.modules


def test_a_token_goes_before_a_password_and_a_failure_puts_everything_back():
    before, finders = mlflow_variables(), list(sys.meta_path)
    with pytest.raises(KeyError), fluent_session(MlflowServer("http://m", "ana", "pw", token="t"), "r1"):
        assert os.environ["MLFLOW_TRACKING_TOKEN"] == "t"
        assert "MLFLOW_TRACKING_PASSWORD" not in os.environ
        raise KeyError
    assert mlflow_variables() == before
    assert sys.meta_path == finders


class Fluent(SimpleNamespace):
    """What the session touches of mlflow's fluent module."""

    def __init__(self):
        super().__init__(_active_experiment_id="of an earlier task", ended=[], stack=[])
        self._active_run_stack = SimpleNamespace(get=lambda: self.stack)
        self.set_experiment = self.choose

    def choose(self, name):
        self._active_experiment_id = name
        os.environ["MLFLOW_EXPERIMENT_ID"] = name
        return f"experiment {name}"

    def end_run(self):
        self.ended.append(self.stack.pop().info.run_id)
        if self.ended[-1] == "unreachable":
            raise ConnectionError


@pytest.fixture
def fluent(monkeypatch):
    found = Fluent()
    top = SimpleNamespace(set_experiment=found.set_experiment)
    monkeypatch.setitem(sys.modules, module._FLUENT, found)
    monkeypatch.setitem(sys.modules, "mlflow", top)
    found.top = top
    return found


def test_an_experiment_that_is_chosen_before_the_run_is_adopted_is_forgotten(fluent):
    with fluent_session(SERVER, "r1"):
        assert fluent._active_experiment_id is None
        assert fluent.top.set_experiment("trading") == "experiment trading"
        assert fluent._active_experiment_id is None
        assert "MLFLOW_EXPERIMENT_ID" not in os.environ
        del os.environ["MLFLOW_RUN_ID"]
        fluent.top.set_experiment("trading")
        assert fluent._active_experiment_id == "trading", "later runs go where the code says"
    assert fluent._active_experiment_id == "of an earlier task"
    assert fluent.set_experiment == fluent.top.set_experiment == fluent.choose


def test_runs_that_the_block_leaves_open_are_ended(fluent):
    run = lambda name: SimpleNamespace(info=SimpleNamespace(run_id=name))  # noqa: E731 - short for three of them
    fluent.stack.append(run("outer"))
    with pytest.raises(KeyError), fluent_session(SERVER, "r1"):
        fluent.stack += [run("r1"), run("unreachable")]
        raise KeyError
    assert fluent.ended == ["unreachable", "r1"]


def test_mlflow_is_met_when_it_arrives(monkeypatch, tmp_path):
    package = tmp_path / "mlflow" / "tracking"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("from mlflow.tracking.fluent import set_experiment\n")
    (package / "__init__.py").write_text("")
    (package / "fluent.py").write_text(
        "import types\n_active_experiment_id = None\n"
        "_active_run_stack = types.SimpleNamespace(get=list)\n"
        "def set_experiment(name):\n    global _active_experiment_id\n    _active_experiment_id = name\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    finders = list(sys.meta_path)
    with fluent_session(SERVER, "r1"):
        mlflow = importlib.import_module("mlflow")
        mlflow.set_experiment("trading")
        arrived = sys.modules["mlflow.tracking.fluent"]
        assert arrived._active_experiment_id is None
        assert mlflow.set_experiment is arrived.set_experiment
    assert sys.meta_path == finders
    mlflow.set_experiment("later")
    assert arrived._active_experiment_id == "later"
