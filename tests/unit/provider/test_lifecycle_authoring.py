"""The functions for DAG files about a life cycle: which tasks they make, and what they leave to the operators."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG, XComArg
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.provider.authoring import promote
from airfoil.provider.lifecycle_authoring import crawl, finish, monitor, smoke_test, tell

pytestmark = pytest.mark.unit


@pytest.fixture
def dag():
    with DAG("iris", schedule=None) as dag:
        yield dag


def test_the_whole_chain(dag):
    crawled = crawl("{{ var.value.url }}", source="iris", settings={"ml_model_type": "knn"}, retries=3)
    deployed = promote(crawled, alias="champion")
    smoke_test(deployed, crawled, target="kind", rows=2)
    watched = monitor(deployed, crawled, target="kind", classes=["a"])
    told = tell("It is out", about=[watched], to="ana@example.com")
    assert isinstance(finish(crawled), XComArg)
    assert isinstance(told, XComArg)
    assert {one.task_id: one.upstream_task_ids for one in dag.tasks} == {
        "crawl": set(),
        "promote": {"crawl"},
        "smoke_test": {"crawl", "promote"},
        "monitor": {"crawl", "promote"},
        "tell": {"monitor"},
        "finish": {"crawl"},
    }
    assert dag.get_task("crawl").retries == 3
    assert dag.get_task("finish").trigger_rule == "none_failed_min_one_success"
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert set(back.task_ids) == set(dag.task_ids)


def test_what_does_not_exist_is_refused(dag):
    with pytest.raises(TypeError, match="sauce"):
        crawl("http://a.test", source="iris", sauce=1)
    with pytest.raises(TypeError):
        tell("Something", adress="ana@example.com")
