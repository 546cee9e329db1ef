"""Who moves an alias, and who said yes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airfoil.provider.mover import TIMEOUT, approver_of, dag_run_of, is_refused, key_of, who

pytestmark = pytest.mark.unit


@pytest.fixture
def context():
    ti = SimpleNamespace(
        dag_id="wine_weekly", run_id="manual__1", task_id="promote", map_index=-1, try_number=1
    )
    run = SimpleNamespace(dag_id="wine_weekly", run_id="manual__1", triggering_user_name=None)
    return {"ti": ti, "dag_run": run}


def test_a_person_who_triggered_it_is_the_mover_else_the_dag(context):
    assert (who(context), dag_run_of(context)) == ("DAG wine_weekly", "wine_weekly/manual__1")
    context["dag_run"].triggering_user_name = "ana"
    assert who(context) == "ana"


def test_a_key_tells_tasks_and_their_map_indexes_apart_but_not_tries(context):
    first = key_of(context, "wine", 3)
    context["ti"].try_number = 2
    assert key_of(context, "wine", 3) == first
    context["ti"].map_index = 1
    assert key_of(context, "wine", 3) != first


@pytest.mark.parametrize(
    ("approval", "name"),
    [
        (None, ""),
        ("ana", "ana"),
        ({"responded_by_user": {"id": "7", "name": "zoë"}}, "zoë"),
        ({"responded_by_user": {"id": "7", "name": None}}, "7"),
        ({"responded_by_user": None, "chosen_options": ["Approve"]}, TIMEOUT),
        ({}, TIMEOUT),
        ([], TIMEOUT),
    ],
)
def test_the_approver_is_who_answered(approval, name):
    assert approver_of(approval) == name


def test_only_an_answer_without_a_yes_is_a_no():
    assert is_refused({"chosen_options": ["Reject"]})
    assert is_refused({})
    assert not is_refused({"chosen_options": ["Approve"]})
    assert not is_refused(None)
