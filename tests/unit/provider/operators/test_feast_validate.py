"""Checking a feature store as a task: which views, how fresh, and what becomes of what is found."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from tests.unit.provider.feature_tasks import NOON

from airfoil.clients.feature_store import inspection
from airfoil.errors import NotFoundError, ServiceUnreachableError
from airfoil.provider.operators.feast_validate import FeastValidateOperator
from airfoil.records import ViewFacts, ViewFault
from airfoil.steps.feature_checks import StoreVerdict

pytestmark = pytest.mark.unit
DAY = dt.timedelta(days=1)


@pytest.fixture
def found(monkeypatch, features):
    """What is found behind each view: change it."""
    facts = {name: ViewFacts(view=name, rows=9, newest=NOON - DAY) for name in features.views()}

    def inspect_view(_, name):
        if name not in facts:
            raise NotFoundError(f"There is no feature view '{name}'", "There are others.")
        if isinstance(facts[name], Exception):
            raise facts[name]
        return facts[name]

    monkeypatch.setattr(inspection, "inspect_view", inspect_view)
    return facts


def validate(**given):
    return FeastValidateOperator(task_id="validate", **given)


def test_all_views_are_looked_at_unless_some_are_named(found, execute):
    assert [one.view for one in StoreVerdict.from_json(execute(validate())).views] == ["spending", "visits"]
    verdict = StoreVerdict.from_json(execute(validate(views=["visits"])))
    assert [one.view for one in verdict.views] == ["visits"]
    assert verdict.passed


def test_freshness_counts_from_the_moment_of_the_run(found, execute):
    assert StoreVerdict.from_json(execute(validate(fresh_within=2 * DAY))).passed
    with pytest.raises(AirflowFailException, match=r"24\.0 hours old"):
        execute(validate(fresh_within=DAY / 2))


def test_a_fault_fails_at_once_or_is_handed_on(found, execute):
    fault = ViewFault(check="column", reason="its source has no column 'spent'")
    found["spending"] = ViewFacts(view="spending", faults=(fault,))
    with pytest.raises(AirflowFailException, match="spending: its source has no column 'spent'"):
        execute(validate())
    assert execute.context["ti"].pushed["return_value"]["failures"]
    assert execute(validate(when_failed="continue"))["passed"] is False


def test_a_missing_view_fails_at_once_and_a_store_that_is_away_is_tried_again(found, execute):
    with pytest.raises(AirflowFailException, match="no feature view 'nope'"):
        execute(validate(views=["nope"]))
    found["visits"] = ServiceUnreachableError("The online store does not answer", "Start it.")
    with pytest.raises(ServiceUnreachableError, match="does not answer"):
        execute(validate())


def test_it_survives_serialization():
    with DAG("nightly", schedule=None) as dag:
        validate(views=["visits"], fresh_within=DAY)
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task(
        "validate"
    )
    assert (back.views, back.feast_conn_id) == (["visits"], "feast_default")
