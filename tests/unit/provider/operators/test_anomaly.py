"""Anomalies as a task: with a reference and without one."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from tests.unit.provider.operators.tables import rides, work, write

from airfoil.clients.object_store import read_text
from airfoil.provider.operators.anomaly import AnomalyOperator
from airfoil.records import DataVerdict
from airfoil.steps.anomaly.measurement import AnomalyPlan
from airfoil.steps.anomaly.report import AnomalyLimits, AnomalyReport

__all__ = ["work", "write"]
pytestmark = pytest.mark.unit
PLAN = {"trees": 20, "without": ["id"]}


def score(data, reference=None, **given):
    given = {"plan": PLAN, "dataset": "rides", **given}
    return AnomalyOperator(task_id="anomalies", data=data, reference=reference, **given)


def test_rows_like_those_of_the_reference(registry, run, write):
    verdict = DataVerdict.from_json(run(score(write("t", rides(2)), write("january", rides(1)))))
    assert verdict.outcome == "usual"
    assert verdict.numbers["anomaly_rate"] == verdict.numbers["anomalous_rows"] / 1000 < 0.1
    assert (
        AnomalyReport.from_json(json.loads(read_text(verdict.record))["report"]).reference
        == "january.parquet"
    )


def test_rows_unlike_it(registry, run, write):
    odd = rides(2) | {"miles": rides(2)["miles"] + 100}
    with pytest.raises(AirflowFailException, match=r"rows are anomalous \(.*at most 10 % may be\)"):
        run(score(write("t", odd), write("january", rides(1))))
    lenient = run(score(write("t", odd), write("january", rides(1)), limits=AnomalyLimits(rate=1)))
    assert lenient["passed"]


@pytest.mark.parametrize("reference", [None, ""])
def test_without_a_reference_the_table_is_its_own(registry, run, write, reference):
    verdict = DataVerdict.from_json(run(score(write("t", rides(2)), reference)))
    whole = json.loads(read_text(verdict.record))
    assert "trained on this table itself" in whole["report"]["note"]


def test_a_table_without_numbers_does_not_pass(registry, run, write):
    verdict = run(score(write("t", {"zone": ["a", "b"]}), plan={}, when_failed="continue"))
    assert (verdict["outcome"], "anomaly_rate" in verdict["numbers"]) == ("not_measured", False)
    assert verdict["reason"] == "Anomalies are not known: Not measured: no column holds numbers"


def test_it_survives_serialization():
    with DAG("one", schedule=None) as dag:
        score("/t", "/r", limits={"rate": "{{ params.rate }}"}, plan=AnomalyPlan(trees=7))
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    made = back.get_task("anomalies")
    assert (made.limits, made.plan["trees"]) == ({"rate": "{{ params.rate }}"}, 7)
