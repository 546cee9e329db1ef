"""Waiting for tables: here, or in the triggerer."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.provider.sensors.published_tables import PublishedTablesSensor
from airfoil.provider.triggers.published_tables import PublishedTablesTrigger

pytestmark = pytest.mark.unit


@pytest.fixture
def tables(tmp_path):
    """Two tables of which the first is there."""
    paths = [tmp_path / f"2024-0{month}.parquet" for month in (1, 2)]
    paths[0].write_bytes(b"PAR1")
    return paths


def sensor(tables, **given):
    return PublishedTablesSensor(task_id="wait", tables=tables, **given)


@pytest.mark.parametrize("deferrable", [True, False])
def test_what_is_there_already_is_not_waited_for(tables, deferrable):
    assert sensor(tables[:1], deferrable=deferrable).execute({}) is None
    assert sensor(tables[0], deferrable=deferrable).execute({}) is None


def test_it_hands_over_to_the_triggerer(tables):
    waiting = sensor(tables, deferrable=True, poke_interval=timedelta(hours=1), timeout=timedelta(days=3))
    with pytest.raises(TaskDeferred) as deferred:
        waiting.execute({})
    trigger = deferred.value.trigger
    assert isinstance(trigger, PublishedTablesTrigger)
    assert trigger.awaited.tables == [str(path) for path in tables]
    assert (trigger.poll_seconds, trigger.waited_seconds) == (3600, 3 * 24 * 3600)
    assert deferred.value.timeout > timedelta(days=3)
    json.dumps(trigger.serialize())


def test_without_a_triggerer_it_looks_here_until_its_time_is_over(tables):
    with pytest.raises(
        AirflowSensorTimeout, match=r"Not published after 0 seconds: \S+2024-02.parquet \(nothing"
    ):
        sensor(tables, deferrable=False, poke_interval=0, timeout=0).execute({})


def test_what_the_trigger_says_is_the_end(tables):
    assert sensor(tables).execute_complete({}, {"published": True}) is None
    with pytest.raises(AirflowFailException, match="Not published"):
        sensor(tables).execute_complete({}, {"error": "Not published after 3 hours"})


def test_what_names_no_table_fails_at_once():
    with pytest.raises(AirflowFailException, match="names no table"):
        sensor([""]).execute({})


def test_it_survives_serialization(tables):
    with DAG("one", schedule=None) as dag:
        sensor(tables)
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("wait")
    assert back.tables == [str(path) for path in tables]
