"""The functions for DAG files: which tasks they make, in which order, and what they leave to the operators."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG, XComArg, task
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.errors import ConfigurationError
from airfoil.provider.assets import Model
from airfoil.provider.authoring import approve, gate, promote, register, rollback
from airfoil.records import GateDecision, ModelRef, Scores
from airfoil.steps.gates import Gate

pytestmark = pytest.mark.unit
SCORES = Scores(values={"accuracy": 0.9}, rows=9)


@task
def train():
    return {}


@task
def evaluate(model):
    return {}


@pytest.fixture
def dag():
    with DAG("wine", schedule=None) as dag:
        yield dag


def test_the_whole_chain(dag):
    model = train()
    decision = gate(
        evaluate(model), metric="accuracy", at_least=0.9, better_than=Model("wine").at("champion")
    )
    version = register(model, name="wine", when=decision, retries=3)
    answer = approve(version, because=decision)
    entry = promote(version, because=decision, approval=answer)
    assert isinstance(entry, XComArg)
    assert {one.task_id: one.upstream_task_ids for one in dag.tasks} == {
        "train": set(),
        "evaluate": {"train"},
        "gate": {"evaluate"},
        "register": {"train", "gate"},
        "approve": {"register", "gate"},
        "promote": {"register", "gate", "approve"},
    }
    assert dag.get_task("register").retries == 3
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert set(back.task_ids) == set(dag.task_ids)


def test_conditions_make_a_gate_and_a_rival_asks_for_a_gain(dag):
    gate(SCORES, metric="accuracy", at_least=0.9, when_rejected="fail")
    assert dag.get_task("gate").gates == [{"metric": "accuracy", "at_least": 0.9}]
    assert dag.get_task("gate").when_rejected == "fail"
    gate(SCORES, metric="accuracy", better_than=SCORES)
    assert dag.get_task("gate__1").gates == [{"min_gain": 0.0, "metric": "accuracy"}]
    gate(SCORES, metric="accuracy", better_than=SCORES, min_relative_gain=0.1)
    assert dag.get_task("gate__2").gates == [{"metric": "accuracy", "min_relative_gain": 0.1}]
    gate(SCORES, gates=[Gate(metric="accuracy", at_least=0.9), Gate(metric="log_loss", at_most=1)])
    assert [one["metric"] for one in dag.get_task("gate__3").gates] == ["accuracy", "log_loss"]


def test_a_condition_that_does_not_exist_is_refused(dag):
    with pytest.raises(ConfigurationError, match="without a condition"):
        gate(SCORES)
    with pytest.raises(TypeError, match="at_leest"):
        gate(SCORES, metric="accuracy", at_least=0.5, at_leest=0.9)


def test_a_person_is_asked_in_words_that_are_filled_in_later(dag):
    version = register(train(), name="wine")
    approve(
        version, because=GateDecision(passed=True, metric="m", reason="it is good"), response_timeout=None
    )
    asked = dag.get_task("approve")
    assert asked.subject == (
        "Promote {{ ti.xcom_pull(task_ids='register')['name'] }} "
        "version {{ ti.xcom_pull(task_ids='register')['version'] }}?"
    )
    assert asked.body == "it is good"
    approve(ModelRef(name="wine", uri="models:/wine/3", run_id="r", version=3), task_id="again")
    assert dag.get_task("again").subject == "Promote wine version 3?"


def test_back_to_the_version_before(dag):
    rollback("wine", reason="complaints")
    made = dag.get_task("rollback")
    assert (made.model, made.alias, made.reason) == ("wine", "champion", "complaints")
