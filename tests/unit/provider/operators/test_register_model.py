"""Registering as a task: one version however often it runs, and none for a model that was refused."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.clients.champions import GATE_TAG
from airfoil.provider.operators.register_model import RegisterModelOperator
from airfoil.records import GateDecision, ModelRef

pytestmark = pytest.mark.unit
FOREST = ModelRef(name="forest", uri="models:/m-1", run_id="r1")
GOOD = GateDecision(passed=True, metric="accuracy", value=0.9, rows=9, reason="accuracy is 0.9")
BAD = GateDecision(passed=False, metric="accuracy", value=0.1, rows=9, reason="accuracy is 0.1")


def register(model=None, **given):
    return RegisterModelOperator(task_id="register", model=model, name="wine", **given)


def test_a_model_gets_one_version_however_often_it_is_registered(registry, run):
    model = registry.log_model()
    versions = {json.dumps(run(register(model, when=GOOD.to_json()))) for _ in range(3)}
    (version,) = map(ModelRef.from_json, versions)
    assert version == ModelRef(name="wine", uri="models:/wine/1", run_id=model.run_id, version=1)
    assert registry.alive("wine") == [1]


def test_a_version_says_which_decision_let_it_in_and_which_dag_run(registry, run):
    run(register(registry.log_model(), when=GOOD, tags={"team": "ü"}))
    tags = registry.version("wine")["tags"]
    assert GateDecision.from_json(tags[GATE_TAG]) == GOOD
    assert (tags["airfoil.dag_run"], tags["team"]) == ("wine_weekly/manual__1", "ü")


def test_a_refused_model_is_skipped_and_nobody_is_asked(registry, run):
    with pytest.raises(AirflowSkipException, match=r"Not registered: accuracy is 0.1"):
        run(register({"name": "forest", "uri": "models:/m-1", "run_id": "r"}, when=BAD))
    assert registry.calls == []


@pytest.mark.parametrize("model", [None, "models:/m-1", {"name": "x"}, 7])
def test_what_is_no_model_is_said(registry, run, model):
    with pytest.raises(AirflowFailException, match="'model' should be ModelRef"):
        run(register(model))


def test_it_survives_serialization():
    with DAG("one", schedule=None) as dag:
        register(FOREST, when=GOOD)
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task(
        "register"
    )
    assert (back.name, back.model) == ("wine", FOREST.to_json())
