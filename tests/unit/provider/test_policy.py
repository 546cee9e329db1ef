"""Where a task runs is said by its queue, in DAG files that run on a laptop as well."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest
from airflow import settings
from airflow.exceptions import AirflowClusterPolicyViolation
from airflow.sdk import DAG, task

from airfoil.provider import policy

pytestmark = pytest.mark.unit

BOTH = (
    "CeleryExecutor:airfoil.runtime.celery_executor.CeleryExecutor,"
    "EdgeExecutor:airfoil.runtime.edge_executor.EdgeExecutor"
)


@pytest.fixture(autouse=True)
def server(monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__EDGE_QUEUES", "edge, gpu")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", BOTH)


def made(dag_id="shop", **arguments):
    with DAG(dag_id, schedule=None) as dag:

        @task(**arguments)
        def one(n=0):
            return n

        @task(**arguments)
        def many(n):
            return n

        one()
        many.expand(n=[1, 2])
    return dag.tasks


def executors(tasks):
    for one in tasks:
        policy.task_policy(one)
    return {one.task_id: one.executor for one in tasks}


@pytest.mark.parametrize("queue", ["edge", "gpu"])
def test_a_queue_of_other_hosts_is_served_there_mapped_or_not(queue):
    assert executors(made(queue=queue)) == {"one": "EdgeExecutor", "many": "EdgeExecutor"}


def test_other_queues_stay_where_they_are():
    assert executors(made(queue="ml")) == {"one": None, "many": None}
    assert executors(made()) == {"one": None, "many": None}


def test_who_names_an_executor_is_asked_nothing():
    assert executors(made(queue="edge", executor="CeleryExecutor")) == {
        "one": "CeleryExecutor",
        "many": "CeleryExecutor",
    }


@pytest.mark.parametrize("variables", [{"AIRFOIL__EDGE_QUEUES": ""}, {"CORE__EXECUTOR": "LocalExecutor"}])
def test_without_such_workers_nothing_changes(monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(f"AIRFLOW__{name}", value)
    assert executors(made(queue="edge")) == {"one": None, "many": None}


def test_airflow_finds_the_rules():
    (found,) = entry_points(group="airflow.policy", name="airfoil")
    assert found.load() is policy


@pytest.mark.parametrize("dag_id", policy.OF_MAINTENANCE)
def test_the_queue_of_maintenance_is_for_the_dags_of_the_platform(monkeypatch, dag_id):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__MAINTENANCE_QUEUE", "maintenance")
    assert executors(made(dag_id, queue="maintenance")) == {"one": None, "many": None}
    for task_of in made("shop", queue="maintenance"):
        with pytest.raises(AirflowClusterPolicyViolation, match="shop names the queue maintenance"):
            policy.task_policy(task_of)


def test_a_laptop_has_no_such_queue():
    assert executors(made(queue="maintenance")) == {"one": None, "many": None}


def test_a_dag_file_that_names_it_does_not_import(monkeypatch, tmp_path):
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("AIRFLOW__AIRFOIL__MAINTENANCE_QUEUE", "maintenance")
    monkeypatch.setattr(settings, "task_policy", policy.task_policy)
    (tmp_path / "thief.py").write_text(
        "from airflow.sdk import dag, task\n"
        "@dag(schedule=None)\ndef thief():\n    @task(queue='maintenance')\n    def read(): ...\n    read()\nthief()\n"
    )
    bag = DagBag(dag_folder=str(tmp_path), bundle_name="dags-folder")
    assert "thief" not in bag.dags
    assert "names the queue maintenance" in next(iter(bag.import_errors.values()))
