"""Promoting as a task: through the ledger, only from where the gate saw the alias, and once."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.provider.operators.promote_model import PromoteModelOperator
from airfoil.records import GateDecision, LedgerEntry, ModelRef

pytestmark = pytest.mark.unit


def version(number):
    return ModelRef(name="wine", uri=f"models:/wine/{number}", run_id="r", version=number).to_json()


def decision(against_version, *, passed=True, **given):
    return GateDecision(
        passed=passed,
        metric="accuracy",
        reason="accuracy is 0.95",
        against="wine@champion",
        against_version=against_version,
        **given,
    )


def promote(number, **given):
    return PromoteModelOperator(task_id="promote", version=version(number), alias="champion", **given)


@pytest.fixture
def wine(registry):
    registry.add_versions("wine", 3)
    return registry


def test_the_first_champion_and_the_next(wine, run):
    first = LedgerEntry.from_json(run(promote(1, because=decision(None, outcome="no_champion"))))
    assert (first.from_version, first.to_version, first.reason) == (None, 1, "accuracy is 0.95")
    assert (first.who, first.dag_run) == ("DAG wine_weekly", "wine_weekly/manual__1")
    second = LedgerEntry.from_json(run(promote(2, because=decision(1))))
    assert (second.from_version, second.gate["against_version"]) == (1, 1)
    assert wine.alias("wine") == 2


def test_an_alias_that_somebody_else_moved_since_the_gate_is_left_alone(wine, run):
    run(promote(1))
    run(promote(2))
    with pytest.raises(AirflowFailException, match=r"at version 2, not at version 1"):
        run(promote(3, because=decision(1)))
    with pytest.raises(AirflowFailException, match="not at no version"):
        run(promote(3, because=decision(None, outcome="no_champion")))
    assert wine.alias("wine") == 2


def test_a_decision_against_another_alias_says_nothing_about_this_one(wine, run):
    run(promote(1))
    elsewhere = decision(7).model_copy(update={"against": "wine@challenger"})
    assert run(promote(2, because=elsewhere))["from_version"] == 1


def test_a_retry_finds_its_own_move_even_after_a_later_one(wine, run, context):
    run(promote(1))
    mine = run(promote(2, because=decision(1)))
    assert run(promote(2, because=decision(1))) == mine
    context["ti"].run_id = "manual__2"
    run(promote(3))
    context["ti"].run_id = "manual__1"
    assert run(promote(2, because=decision(1))) == mine
    assert wine.alias("wine") == 3


def test_whoever_approved_stands_in_the_ledger(wine, run, context):
    context["dag_run"].triggering_user_name = "ana"
    answer = {"chosen_options": ["Approve"], "responded_by_user": {"id": "7", "name": "zoë"}}
    entry = run(promote(1, approval=answer, reason="spring cleaning"))
    assert (entry["approver"], entry["who"], entry["reason"]) == ("zoë", "ana", "spring cleaning")


def test_a_no_is_a_no_for_gates_and_people(wine, run):
    with pytest.raises(AirflowSkipException, match=r"Not promoted: accuracy is 0\.95"):
        run(promote(1, because=decision(None, passed=False)))
    answer = {"chosen_options": ["Reject"], "responded_by_user": {"id": "7", "name": "zoë"}}
    with pytest.raises(AirflowSkipException, match="zoë said no"):
        run(promote(1, approval=answer))
    assert wine.alias("wine") is None


def test_what_is_not_registered_cannot_be_promoted(wine, run):
    task = promote(1)
    task.version = {"name": "forest", "uri": "models:/m-1", "run_id": "r"}
    with pytest.raises(AirflowFailException, match="is not registered"):
        run(task)


def test_it_survives_serialization():
    with DAG("one", schedule=None) as dag:
        promote(1, because=decision(1))
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task(
        "promote"
    )
    assert (back.alias, back.version["version"]) == ("champion", 1)
