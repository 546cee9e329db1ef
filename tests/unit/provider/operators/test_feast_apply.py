"""Registering definitions as a task: once is as good as twice, and what Feast refuses is not tried again."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.errors import ConfigurationError
from airfoil.provider.hooks.feast import FeastHook
from airfoil.provider.operators.feast_apply import FeastApplyOperator

pytestmark = pytest.mark.unit


def test_the_views_that_are_there_afterwards_are_returned(features, execute):
    assert execute(FeastApplyOperator(task_id="apply")) == ["spending", "visits"]


def test_what_feast_refuses_fails_at_once(features, execute, monkeypatch):
    def refuse(_):
        raise ConfigurationError("The definitions in features cannot be applied: no such entity", "Look.")

    monkeypatch.setattr(FeastHook, "apply", refuse)
    with pytest.raises(AirflowFailException, match="no such entity"):
        execute(FeastApplyOperator(task_id="apply"))


def test_it_survives_serialization():
    with DAG("nightly", schedule=None) as dag:
        FeastApplyOperator(task_id="apply", feast_conn_id="feast_shop")
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("apply")
    assert back.feast_conn_id == "feast_shop"
