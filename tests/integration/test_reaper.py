"""A plain Airflow with the provider alone and a real MLflow: nothing stays RUNNING, whoever was killed when."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest
from tests.integration.orphan_dags import DYING, LOGGING, PLAIN, TRADING, WAITING
from tests.integration.running_airflow import RunningAirflow, RunningMlflow
from tests.sizes import full_only

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    with RunningMlflow.started(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="module")
def airflow(migrated_airflow, mlflow, tmp_path_factory):
    airflow = RunningAirflow.prepare(
        migrated_airflow,
        tmp_path_factory.mktemp("plain") / "home",
        AIRFLOW_CONN_MLFLOW_DEFAULT=f'{{"conn_type": "mlflow", "host": "{mlflow.uri}"}}',
        MLFLOW_TRACKING_URI=mlflow.uri,
        MLFLOW_HTTP_REQUEST_MAX_RETRIES="1",
        AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT="15",
        AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL="5",
    )
    texts = {"dying": DYING, "plain": PLAIN, "waiting": WAITING, "trading": TRADING, "logging": LOGGING}
    for name, text in texts.items():
        airflow.write(name, text)
    try:
        airflow.start()
        yield airflow
    finally:
        airflow.stop()


@pytest.fixture
def held(airflow):
    """A run of `waiting` whose task has opened its child and waits; its id and the task's process."""
    folder = airflow.home.folder / "dags"
    for name in ("held", "go"):
        (folder / name).unlink(missing_ok=True)
    run_id = airflow.trigger("waiting")
    airflow.until((folder / "held").exists, 120, "the task waits")
    return run_id, int((folder / "held").read_text())


def let_go(airflow):
    (airflow.home.folder / "dags" / "go").touch()


def closed_after(airflow, mlflow, dag_id, run_id, seconds=60.0):
    """How long after the end of a DAG run the last of its runs was closed."""
    took = airflow.until(
        lambda: not mlflow.running(dag_id=dag_id, run_id=run_id), seconds, f"no run of {run_id} is RUNNING"
    )
    print(f"{dag_id}: all closed {took:.1f} s after the end was seen")
    return took


def is_dead(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def by_task(mlflow, **tags):
    return {run["tags"].get("airflow.task_id", ""): run for run in mlflow.runs(**tags)}


def test_a_failed_dag_run_leaves_nothing_running(airflow, mlflow):
    """A task that was killed, one that did not close its run, and plain MLflow that nobody closes."""
    run_id = airflow.trigger("dying")
    assert airflow.until_over("dying", run_id) == "failed"
    closed_after(airflow, mlflow, "dying", run_id)
    runs = by_task(mlflow, dag_id="dying", run_id=run_id)
    assert {task: run["status"] for task, run in runs.items()} == {
        "": "FAILED",
        "killed": "FAILED",
        "forgetful": "FINISHED",
        "plain": "FINISHED",
    }, airflow.last_words()
    assert runs["killed"]["tags"]["airfoil.reason"] == "its task ended: failed"
    assert runs["plain"]["tags"]["mlflow.parentRunId"] == runs[""]["run_id"]
    assert runs["plain"]["tags"]["airflow.url"].startswith(airflow.url)


@full_only
def test_plain_runs_nest_and_those_of_a_killed_try_are_closed(airflow, mlflow):
    run_id = airflow.trigger("plain")
    assert airflow.until_over("plain", run_id) == "success"
    closed_after(airflow, mlflow, "plain", run_id)
    runs = mlflow.runs(dag_id="plain", run_id=run_id)
    (parent,) = [run for run in runs if "airflow.task_id" not in run["tags"]]
    assert parent["status"] == "FINISHED"
    outer = {
        (run["tags"]["airflow.map_index"], run["tags"]["airflow.try_number"]): run["status"]
        for run in runs
        if run["tags"].get("mlflow.parentRunId") == parent["run_id"]
    }
    assert outer == {("0", "1"): "FINISHED", ("1", "1"): "FAILED", ("1", "2"): "FINISHED"}
    inner = [run for run in runs if run["tags"].get("mlflow.parentRunId") not in {None, parent["run_id"]}]
    assert [run["status"] for run in inner] == ["FINISHED"] * 2
    assert {run["experiment_id"] for run in runs} == {parent["experiment_id"]}, (
        "side by side in MLflow's list"
    )


def nested_run(airflow, mlflow, dag_id, experiment):
    """The one run of a DAG run's task, after it was found below the one of the DAG run."""
    run_id = airflow.trigger(dag_id)
    assert airflow.until_over(dag_id, run_id) == "success", airflow.last_words()
    closed_after(airflow, mlflow, dag_id, run_id)
    runs = mlflow.runs(dag_id=dag_id, run_id=run_id)
    (parent,) = [run for run in runs if "airflow.task_id" not in run["tags"]]
    (child,) = [run for run in runs if "airflow.task_id" in run["tags"]]
    assert child["tags"]["mlflow.parentRunId"] == parent["run_id"]
    assert child["status"] == parent["status"] == "FINISHED"
    assert child["tags"]["airflow.try_number"] == "1"
    named = mlflow.ask("experiments/search", filter=f"name = '{experiment}'", max_results=5)["experiments"]
    assert [one["experiment_id"] for one in named] == [child["experiment_id"]]
    return child


def test_a_project_of_the_guide_nests_without_a_changed_line(airflow, mlflow):
    child = nested_run(airflow, mlflow, "trading_strategy_train", "trading_models")
    assert child["params"] == {"strategy": "momentum"}
    assert child["tags"]["airflow.task_id"] == "train"


@full_only
def test_a_chart_and_a_model_are_logged_as_they_ever_were(airflow, mlflow):
    child = nested_run(airflow, mlflow, "logging_to_mlflow", "my_experiment")
    assert child["params"] == {"symbol": "AAPL"}
    answer = mlflow.fetch("artifacts/list", run_id=child["run_id"])
    assert [file["path"] for file in answer["files"]] == ["chart.png"]
    run = mlflow.fetch("runs/get", run_id=child["run_id"])["run"]
    assert len(run["outputs"]["model_outputs"]) == 1


def test_a_living_task_keeps_its_run_through_many_rounds(airflow, mlflow, held):
    run_id, _ = held
    time.sleep(35)
    assert len(mlflow.running(dag_id="waiting", run_id=run_id)) == 2
    let_go(airflow)
    assert airflow.until_over("waiting", run_id) == "failed"
    closed_after(airflow, mlflow, "waiting", run_id)


def test_mlflow_away_when_the_dag_run_ends_and_back_later(airflow, mlflow, held):
    run_id, _ = held
    mlflow.kill()
    let_go(airflow)
    assert airflow.until_over("waiting", run_id) == "failed"
    airflow.until(
        lambda: "are left as they are for now" in airflow.components["scheduler"].said(), 60, "it is told"
    )
    mlflow.start()
    closed_after(airflow, mlflow, "waiting", run_id)
    assert {run["status"] for run in mlflow.runs(dag_id="waiting", run_id=run_id)} == {"FAILED"}


def test_scheduler_and_task_killed_together(airflow, mlflow, held):
    """Nobody is left who could report: the next scheduler begins the task again, and the same child goes on."""
    run_id, pid = held
    airflow.components["scheduler"].kill()
    airflow.until(lambda: is_dead(pid), 10, "the task is dead")
    let_go(airflow)
    airflow.start("scheduler")
    assert airflow.until_over("waiting", run_id) == "failed"
    closed_after(airflow, mlflow, "waiting", run_id)
    runs = by_task(mlflow, dag_id="waiting", run_id=run_id)
    assert {task: run["status"] for task, run in runs.items()} == {"": "FAILED", "hold": "FAILED"}
    assert len(mlflow.runs(dag_id="waiting", run_id=run_id)) == 2


@full_only
def test_a_deleted_dag_run_takes_its_runs_with_it(airflow, mlflow, held):
    """As a clean-up of Airflow's database deletes it, while a task of it is under way."""
    run_id, pid = held
    time.sleep(31)  # one round has seen it
    for table in ("task_instance", "dag_run"):
        airflow.home.rows(f"delete from {table} where run_id = '{run_id}'")  # noqa: S608 - ours
    os.kill(pid, signal.SIGKILL)
    airflow.until(lambda: not mlflow.running(dag_id="waiting", run_id=run_id), 90, "its runs are closed")
    assert {run["status"] for run in mlflow.runs(dag_id="waiting", run_id=run_id)} == {"KILLED"}


@full_only
def test_two_schedulers_do_it_as_well(airflow, mlflow):
    from tests.integration.running_airflow import Component

    first = airflow.components["scheduler"]
    airflow.components["second"] = Component(first.argv, first.environment, first.folder, "second")
    airflow.components["second"].start()
    try:
        run_id = airflow.trigger("dying")
        assert airflow.until_over("dying", run_id) == "failed"
        closed_after(airflow, mlflow, "dying", run_id)
        statuses = sorted(run["status"] for run in mlflow.runs(dag_id="dying", run_id=run_id))
        assert statuses == ["FAILED", "FAILED", "FINISHED", "FINISHED"]
    finally:
        airflow.components.pop("second").kill(signal.SIGTERM)
