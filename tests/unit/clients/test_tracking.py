"""Tracking: the run of a DAG run and the run of a task, opened by key."""

import httpx
import pytest

from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import Attempt
from airfoil.errors import ServiceAnswerError

pytestmark = pytest.mark.unit

KEY = RunKey("shop", "manual__1", "train")


def test_a_dag_run_is_one_run_and_a_task_is_its_child(server, tracking):
    whole = tracking.open_dag_run(KEY, experiment="wine", tags={"team": "ü"})
    task = tracking.open_task(KEY, experiment="wine")
    assert task.parent_id == whole.id
    assert whole.parent_id == ""
    assert task.key == KEY
    assert whole.key == KEY.parent
    assert server.runs[whole.id]["tags"]["team"] == "ü"
    assert server.runs[task.id]["tags"]["mlflow.runName"] == "train"


def test_a_task_makes_the_run_of_its_dag_run(server, tracking):
    task = tracking.open_task(KEY, experiment="wine", tags={"a": "1"}, parent_tags={"b": "2"})
    assert server.runs[task.id]["tags"]["a"] == "1"
    assert server.runs[task.parent_id]["tags"]["b"] == "2"


def test_a_retry_gets_the_same_run(tracking):
    first = tracking.open_task(KEY, experiment="wine", fingerprint="f")
    assert tracking.open_task(KEY, experiment="wine", fingerprint="f", attempt=Attempt(2)).id == first.id
    assert (
        tracking.open_task(KEY, experiment="wine", fingerprint="f", attempt=Attempt(3), cached=first.id).id
        == first.id
    )
    assert tracking.open_task(KEY, experiment="wine", fingerprint="g", attempt=Attempt(4)).id != first.id


def test_a_run_has_an_address_for_people(tracking):
    run = tracking.open_dag_run(KEY, experiment="wine")
    assert run.url == tracking.url_of(run.info)
    assert run.url == f"http://mlflow.test:5000/#/experiments/{tracking.experiment_id('wine')}/runs/{run.id}"


def test_check_needs_a_working_server(server, tracking):
    tracking.check()
    server.fail["mlflow/experiments/search"] = httpx.Response(500, text="down")
    with pytest.raises(ServiceAnswerError):
        tracking.check()


def test_it_closes_its_connections(tracking):
    with tracking as same:
        assert same.uri == "http://mlflow.test:5000"
    with pytest.raises(RuntimeError, match="closed"):
        tracking.check()
