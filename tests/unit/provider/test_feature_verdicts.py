"""A verdict about features is handed on, and fails a task only when it should."""

from __future__ import annotations

import datetime as dt

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airfoil.provider.feature_verdicts import act_on
from airfoil.records import ViewFacts, ViewFault
from airfoil.steps.feature_checks import judge_store

pytestmark = pytest.mark.unit
NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
GOOD = judge_store([ViewFacts(view="spending")], NOON)
BAD = judge_store([ViewFacts(view="spending", faults=(ViewFault(check="column", reason="no column"),))], NOON)


def test_a_good_verdict_is_returned_as_json(make_context):
    assert act_on(make_context(), GOOD, "fail") == GOOD.to_json()


def test_a_bad_one_fails_for_good_and_leaves_itself_behind(make_context):
    context = make_context()
    with pytest.raises(AirflowFailException, match="spending: no column"):
        act_on(context, BAD, "fail")
    assert context["ti"].pushed["return_value"]["passed"] is False


def test_a_bad_one_is_only_said_where_that_is_wanted(make_context):
    assert act_on(make_context(), BAD, "continue")["passed"] is False
