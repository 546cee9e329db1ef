"""`@task.mlflow` while a DAG file is parsed: calls, mapping, profiles, a trip through Airflow's serialization."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from airflow.sdk import DAG, task
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG

from airfoil.provider.decorators.mlflow import MlflowDecoratedOperator, mlflow_task
from airfoil.provider.get_provider_info import get_provider_info
from airfoil.records import Scores

pytestmark = pytest.mark.unit


def train(rows, mlflow_run, work, params) -> Scores:
    """Learn."""
    return mlflow_run, work, params, rows


def report(scores: Scores): ...


def built():
    with DAG("d", schedule=None, params={"trees": 1}) as dag:
        many = mlflow_task(train, experiment="e").partial(work="mine").expand(rows=[1, 2])
        one = mlflow_task(retries=2, autolog=True, mlflow_conn_id="other")(train)(3)
        mlflow_task(report)(one)
        mlflow_task(report).expand(scores=many)
    return dag


def test_a_call_leaves_out_what_is_injected():
    dag = built()
    assert dag.task_ids == ["train", "train__1", "report", "report__1"]
    one = dag.get_task("train__1")
    assert isinstance(one, MlflowDecoratedOperator)
    assert (one.op_args, one.op_kwargs) == ((3,), {})
    assert (one.autolog, one.mlflow_conn_id, one.retries) == (True, "other", 2)
    assert one.doc_md == "Learn."
    assert dag.get_task("report").upstream_task_ids == {"train__1"}


def test_a_call_is_still_checked():
    with DAG("d", schedule=None):
        for arguments in [(), (1, 2, 3, 4, 5)]:
            with pytest.raises(TypeError):
                mlflow_task(train)(*arguments)
        with pytest.raises(TypeError, match="missing a required argument: 'rows'"):
            mlflow_task(train)(row=1)
        with pytest.raises(TypeError):
            mlflow_task(train).expand(row=[1])


def test_what_is_injected_may_stand_anywhere_and_have_a_default():
    def first(mlflow_run, rows): ...
    def last(rows, *, work=None): ...

    with DAG("d", schedule=None) as dag:
        mlflow_task(first)(rows=1)
        mlflow_task(last)(1)
    assert [one.op_kwargs for one in dag.tasks] == [{"rows": 1}, {}]


def test_a_mapped_task_keeps_its_arguments():
    mapped = built().get_task("train")
    assert mapped.partial_kwargs["experiment"] == "e"
    assert mapped.partial_kwargs["op_kwargs"] == {"work": "mine"}
    unmapped = mapped.unmap({"op_kwargs": {"rows": 1}})
    assert unmapped.op_kwargs == {"work": "mine", "rows": 1}
    assert unmapped.experiment == "e"


def test_several_outputs_are_told_apart_by_the_annotation():
    def both() -> dict[str, Scores]: ...

    with DAG("d", schedule=None) as dag:
        mlflow_task(both)()
        mlflow_task(train)(1)
        mlflow_task(multiple_outputs=True)(report)(1)
    assert [one.multiple_outputs for one in dag.tasks] == [True, False, True]


def test_a_dag_survives_the_trip_through_the_database():
    data = json.loads(json.dumps(DagSerialization.to_dict(built())))
    back = DagSerialization.from_dict(data)
    assert back.task_ids == built().task_ids
    assert back.get_task("train__1").retries == 2
    assert [link.name for link in back.get_task("train__1").operator_extra_links] == ["MLflow run"]
    assert [link.name for link in back.get_task("train").operator_extra_links] == ["MLflow run"]
    assert back.get_task("train__1").operator_name == "@task.mlflow"
    assert (
        LazyDeserializedDAG(data=data).hash
        == LazyDeserializedDAG(data=DagSerialization.to_dict(built())).hash
    )


def test_a_profile_places_the_task_mapped_or_not(monkeypatch):
    table = {"training": {"queue": "big", "timeout_seconds": 60}}
    monkeypatch.setenv("AIRFLOW__AIRFOIL__PROFILES", json.dumps(table))
    with DAG("d", schedule=None) as dag:
        mlflow_task(profile="training")(train)(1)
        mlflow_task(profile="training", queue="mine")(train).expand(rows=[1])
    assert [(one.queue, one.execution_timeout) for one in dag.tasks] == [
        ("big", timedelta(seconds=60)),
        ("mine", timedelta(seconds=60)),
    ]


def test_airflow_knows_it_as_task_mlflow():
    assert {"name": "mlflow", "class-name": f"{mlflow_task.__module__}.mlflow_task"} in get_provider_info()[
        "task-decorators"
    ]
    with DAG("d", schedule=None) as dag:
        task.mlflow(experiment="e")(train)(1)
    assert dag.get_task("train").experiment == "e"
