"""Going back as a task: to the version before, once."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.operators.rollback_model import RollbackModelOperator

pytestmark = pytest.mark.unit


def rollback():
    return RollbackModelOperator(task_id="back", model="wine", alias="champion", reason="complaints")


@pytest.fixture
def wine(registry):
    registry.add_versions("wine", 2)
    with MlflowHook().http() as http:
        for number in (1, 2):
            http.do(Ledger(Claims()).move("wine", "champion", number, who="ana"))
    return registry


def test_the_version_before_holds_the_alias_again_and_a_retry_goes_no_further(wine, run):
    first = run(rollback())
    assert (first["kind"], first["from_version"], first["to_version"]) == ("rollback", 2, 1)
    assert (first["reason"], first["who"]) == ("complaints", "DAG wine_weekly")
    assert run(rollback()) == first
    assert wine.alias("wine") == 1


def test_without_an_earlier_version_it_fails_in_words(registry, run):
    registry.add_versions("wine", 1)
    with pytest.raises(AirflowFailException, match="no earlier version"):
        run(rollback())


def test_it_survives_serialization():
    with DAG("one", schedule=None) as dag:
        rollback()
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("back")
    assert (back.model, back.alias, back.reason) == ("wine", "champion", "complaints")
