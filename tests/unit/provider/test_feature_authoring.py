"""The functions about features for DAG files: which tasks they make, one or one for each view."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from airflow.sdk import DAG, XComArg
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.provider.feature_authoring import (
    apply_features,
    check_online,
    materialize,
    training_set,
    validate_features,
)

pytestmark = pytest.mark.unit
WEEK = dt.timedelta(days=7)
VIEWS = ["spending", "visits"]


@pytest.fixture
def dag():
    with DAG("nightly", schedule=None) as dag:
        yield dag


def test_the_whole_chain(dag):
    online = materialize(VIEWS, last=WEEK, retries=3)
    (
        apply_features()
        >> validate_features(VIEWS, fresh_within=WEEK)
        >> online
        >> check_online(VIEWS, last=WEEK)
    )
    assert isinstance(online, XComArg)
    arrows = [
        (task.task_id, sorted(task.downstream_task_ids)) for task in dag.tasks if task.downstream_task_ids
    ]
    assert sorted(arrows) == [
        ("apply_features", ["validate_features"]),
        ("materialize", ["check_online"]),
        ("validate_features", ["materialize"]),
    ]
    assert dag.get_task("materialize").retries == 3
    assert dag.get_task("materialize").is_mapped
    DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))


def test_one_view_is_a_plain_task_and_a_second_one_has_its_own_name(dag):
    for view in VIEWS:
        materialize(view, last=WEEK)
    assert sorted(dag.task_ids) == ["materialize", "materialize__1"]
    assert not dag.get_task("materialize").is_mapped
    assert dag.get_task("materialize__1").view == "visits"


def test_views_may_be_what_a_task_returns(dag):
    materialize(apply_features(), last=WEEK)
    assert dag.get_task("apply_features").downstream_task_ids == {"materialize"}


def test_rows_of_a_task_before_are_waited_for(dag):
    training_set(validate_features(), ["spending:spent"])
    assert dag.get_task("training_set").upstream_task_ids == {"validate_features"}
