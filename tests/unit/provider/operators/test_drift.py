"""Drift as a task: limits, what is left out, and tables that cannot be compared."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from tests.unit.provider.operators.tables import rides, work, write

from airfoil.clients.object_store import read_text
from airfoil.errors import ConfigurationError
from airfoil.provider.operators.drift import DriftOperator
from airfoil.records import DataVerdict
from airfoil.steps.drift.measurement import DriftPlan
from airfoil.steps.drift.report import DriftLimits, DriftReport, DriftVerdict

__all__ = ["work", "write"]
pytestmark = pytest.mark.unit


def compare(data, reference, **given):
    return DriftOperator(task_id="drift", data=data, reference=reference, dataset="rides", **given)


@pytest.fixture
def january(write):
    return write("january", rides(1))


def test_a_table_like_its_reference(registry, run, write, january):
    verdict = DataVerdict.from_json(run(compare(write("t", rides(2)), january)))
    assert (verdict.outcome, verdict.rows) == ("stable", 1000)
    assert (verdict.numbers["drifted_columns"], verdict.numbers["compared_columns"]) == (0, 4)


def test_a_table_that_has_moved(registry, run, context, write, january):
    task = compare(write("t", rides(2, dearer=1.5)), january)
    with pytest.raises(AirflowFailException, match="1 of 4 columns drifted; fare: gap"):
        run(task)
    verdict = DataVerdict.from_json(context["ti"].pushed["return_value"])
    whole = json.loads(read_text(verdict.record))
    assert DriftReport.from_json(whole["report"]).current == "rides"
    assert DriftVerdict.from_json(whole["verdict"]).drifted == ("fare",)
    assert [one.column for one in task._lineage.claims if not one.holds] == ["fare"]


def test_limits_and_plan_are_values_or_texts(registry, run, write, january):
    moved = write("t", rides(2, dearer=1.5))
    assert run(compare(moved, january, limits=DriftLimits(effect=0.9)))["outcome"] == "stable"
    assert run(compare(moved, january, limits={"effect": "0.9"}))["outcome"] == "stable"
    left = run(compare(moved, january, plan=DriftPlan(without=["fare"])))
    assert (left["outcome"], left["numbers"]["compared_columns"]) == ("stable", 3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"limits": {"p_value": 2}}, "p_value"),
        ({"limits": 7}, "should be DriftLimits"),
        ({"plan": {"x": 1}}, "It may say"),
    ],
)
def test_what_means_nothing_is_refused(registry, run, write, january, given, said):
    with pytest.raises((ConfigurationError, AirflowFailException)) as refused:
        run(compare(january, january, **given))
    assert said in getattr(refused.value, "in_full", str(refused.value))


def test_tables_that_cannot_be_compared_do_not_pass(registry, run, write, january):
    empty = run(compare(write("t", rides(1, rows=0)), january, when_failed="continue"))
    assert (empty["outcome"], empty["reason"]) == ("not_measured", "Drift is not known: rides has no rows")
    other = run(compare(write("t", {"x": [1]}), january, when_failed="continue"))
    assert other["outcome"] == "not_measured"
    with pytest.raises(AirflowFailException, match="'reference' names no table"):
        run(compare(january, ""))


def test_it_survives_serialization():
    with DAG("one", schedule=None) as dag:
        compare("/t", "/r", limits=DriftLimits(effect=0.2), plan=DriftPlan(without=("at",)))
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("drift")
    assert back.limits["effect"] == 0.2
    assert list(back.plan["without"]) == ["at"]
