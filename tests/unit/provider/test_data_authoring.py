"""The functions for DAG files about tables: which tasks they make, and what they leave to the operators."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG, XComArg, task
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.errors import ConfigurationError
from airfoil.provider.data_authoring import anomalies, drift, quality, report
from airfoil.provider.datasets import Dataset

pytestmark = pytest.mark.unit


@task
def find():
    return {}


@pytest.fixture
def dag():
    with DAG("shop", schedule=None) as dag:
        yield dag


def test_the_whole_chain(dag):
    tables = find()
    told = {"dataset": "trips", "when_failed": "continue"}
    checked = [quality(tables, "c.yaml", part=part, **told) for part in ("schema", "content")]
    moved = drift(tables, "/january.parquet", p_value=0.01, without=["at"], retries=3, **told)
    odd = anomalies(tables, rate="{{ params.rate }}", trees=20, **told)
    verdict = report("trips", quality=checked, drift=moved, anomalies=odd)
    assert isinstance(verdict, XComArg)
    assert {one.task_id: one.upstream_task_ids for one in dag.tasks} == {
        "find": set(),
        "quality": {"find"},
        "quality__1": {"find"},
        "drift": {"find"},
        "anomalies": {"find"},
        "report": {"quality", "quality__1", "drift", "anomalies"},
    }
    made = dag.get_task("drift")
    assert (made.limits, made.plan, made.retries) == ({"p_value": 0.01}, {"without": ["at"]}, 3)
    made = dag.get_task("anomalies")
    assert (made.limits, made.plan) == ({"rate": "{{ params.rate }}"}, {"trees": 20})
    assert dag.get_task("quality").part == "schema"
    made = dag.get_task("report")
    assert (made.trigger_rule, made.outlets) == ("all_done", [Dataset("trips")])
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert set(back.task_ids) == set(dag.task_ids)


def test_what_does_not_exist_is_refused(dag):
    with pytest.raises(TypeError, match="p_valu"):
        drift("/a", "/b", p_valu=0.1)
    with pytest.raises(TypeError, match="limits"):
        drift("/a", "/b", task_id="two", p_value=0.1, limits={"effect": 0.2})
    with pytest.raises(ConfigurationError, match="p_value"):
        drift("/a", "/b", task_id="three", p_value=7)
