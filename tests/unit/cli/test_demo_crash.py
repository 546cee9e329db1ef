"""The demo's crash over a fake Airflow and a fake MLflow, with a real process that is really killed."""

from __future__ import annotations

import os
import signal
import subprocess

import httpx
import pytest
from tests.unit.clients.wine_shop import WineShop

from airfoil.cli.demo_crash import Crash
from airfoil.clients.claims import Claims
from airfoil.clients.exchange import API
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import Runs

pytestmark = pytest.mark.unit

KEY = RunKey("example_dag", "today", "train")


class Airflow:
    """Tells of the same tasks at each look, until the last list."""

    def __init__(self, *looks):
        self.looks = list(looks)

    def task_instances(self, dag_id, run_id):
        assert (dag_id, run_id) == (KEY.dag_id, KEY.run_id)
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.fixture
def mlflow():
    server = WineShop()
    with MlflowHttp(MlflowServer("http://mlflow.test"), transport=httpx.MockTransport(server)) as http:
        yield http


@pytest.fixture
def training():
    """A process that works for a minute."""
    with subprocess.Popen(["sleep", "60"]) as found:
        yield found
        found.kill()


def begin(mlflow):
    """Have the task open its run."""
    runs = Runs(Claims())
    parent = mlflow.do(runs.parent(KEY.parent, experiment="examples", tags={}))
    return mlflow.do(runs.child(KEY, parent, fingerprint="", tags={}))


def crash(airflow, mlflow, manager_pid=None, seconds=()):
    clock = iter(seconds)
    return Crash(
        airflow,
        mlflow,
        manager_pid or os.getpid(),
        KEY,
        sleep=lambda _: None,
        clock=lambda: next(clock, 0.0),
    )


def task(state, **values):
    return [
        {"task_id": "other", "state": "running", "pid": 1},
        {"task_id": "train", "state": state, **values},
    ]


def test_it_is_killed_in_the_middle_of_its_work(mlflow, training):
    child = begin(mlflow)
    pid = training.pid
    airflow = Airflow([], task("queued"), task("running"), task("running", pid=pid))
    assert crash(airflow, mlflow).happen() == pid
    assert training.wait(5) == -signal.SIGKILL
    assert [run.id for run in crash(airflow, mlflow).aftermath("wine").runs] == [child.id]


def test_one_that_has_not_opened_its_run_is_left_alone(mlflow, training):
    airflow = Airflow(task("running", pid=training.pid), task("success"))
    assert crash(airflow, mlflow).happen() is None
    assert training.poll() is None


def test_a_process_of_somebody_else_is_left_alone(mlflow, training):
    """Airflow remembers the number of a process that has ended; another one may have it by now."""
    begin(mlflow)
    airflow = Airflow(task("running", pid=training.pid), task("success"))
    stranger = subprocess.Popen(["sleep", "60"])
    with stranger:
        assert crash(airflow, mlflow, manager_pid=stranger.pid).happen() is None
        stranger.kill()
    assert training.poll() is None


def test_a_run_without_the_task_ends_the_wait(mlflow):
    ended = [{"task_id": "other", "state": "upstream_failed"}]
    assert crash(Airflow([], ended), mlflow).happen() is None


def test_patience_ends(mlflow):
    assert crash(Airflow(task("queued")), mlflow, seconds=[0.0, 1.0, 59.0, 61.0]).happen() is None


def test_the_aftermath_is_of_this_training_alone(mlflow):
    child = begin(mlflow)
    other = mlflow.do(
        Runs(Claims()).parent(RunKey("example_dag", "yesterday"), experiment="examples", tags={})
    )
    mlflow.post(f"{API}/registered-models/create", {"name": "wine"})
    for run in (other.id, child.id):
        mlflow.post(f"{API}/model-versions/create", {"name": "wine", "source": "s3://b/m", "run_id": run})
    found = crash(Airflow([]), mlflow).aftermath("wine")
    assert [run.id for run in found.runs] == [child.id]
    assert [version.version for version in found.versions] == [2]


def test_nothing_is_left_of_what_never_began(mlflow):
    found = crash(Airflow([]), mlflow).aftermath("no such model")
    assert (found.runs, found.versions) == ((), ())
