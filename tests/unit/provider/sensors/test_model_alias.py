"""Waiting for an alias: here, or in the triggerer."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.provider.sensors.model_alias import ModelAliasSensor
from airfoil.provider.triggers.model_alias import AwaitedAlias, ModelAliasTrigger

pytestmark = pytest.mark.unit


def sensor(**given):
    return ModelAliasSensor(task_id="wait", model="wine", alias="champion", **given)


@pytest.fixture
def wine(registry):
    registry.add_versions("wine", 2)
    registry.point("wine", 2)
    return registry


@pytest.mark.parametrize("deferrable", [True, False])
def test_what_is_there_already_is_not_waited_for(wine, run, deferrable):
    assert run(sensor(deferrable=deferrable, moved_from="1"))["uri"] == "models:/wine/2"


def test_it_hands_over_to_the_triggerer(wine, run):
    with pytest.raises(TaskDeferred) as deferred:
        run(sensor(deferrable=True, moved_from="2", poke_interval=7))
    trigger = deferred.value.trigger
    assert isinstance(trigger, ModelAliasTrigger)
    assert trigger.awaited == AwaitedAlias("wine", "champion", moved_from=2)
    assert trigger.poll_seconds == 7
    assert deferred.value.method_name == "execute_complete"


def test_without_a_triggerer_it_asks_here_until_its_time_is_over(wine, run):
    with pytest.raises(AirflowSensorTimeout):
        run(sensor(deferrable=False, version=9, poke_interval=0, timeout=0))


def test_what_the_trigger_saw_is_the_result_or_the_failure(context):
    assert sensor().execute_complete(context, {"version": {"name": "wine"}}) == {"name": "wine"}
    with pytest.raises(AirflowFailException, match="refused"):
        sensor().execute_complete(context, {"error": "refused"})


def test_it_survives_serialization():
    with DAG("one", schedule=None) as dag:
        sensor(version=3)
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("wait")
    assert (back.model, back.alias, back.version) == ("wine", "champion", 3)
