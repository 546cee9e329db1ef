"""Comparing online with offline as a task: which window and sample, and what the limits mean for it."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from tests.unit.provider.feature_tasks import NOON

from airfoil.clients.feature_store import online_check
from airfoil.provider.operators.feast_online_check import FeastOnlineCheckOperator
from airfoil.records import OnlineSample
from airfoil.steps.feature_checks import OnlineLimits, OnlineVerdict

pytestmark = pytest.mark.unit
DAY = dt.timedelta(days=1)


@pytest.fixture
def asked(monkeypatch, features):
    """What was asked for; of 100 entities 2 are stale."""
    asked = []

    def compare_online(_, view, start, end, *, size, seed):
        asked.append((view, start, end, size, seed))
        return OnlineSample(view=view, start=start, end=end, entities=100, sampled=100, equal=98, stale=2)

    monkeypatch.setattr(online_check, "compare_online", compare_online)
    return asked


def check(**given):
    return FeastOnlineCheckOperator(task_id="check", view="spending", **{"last": 7 * DAY, **given})


def test_stale_entities_fail_and_some_may_be_allowed(asked, execute):
    with pytest.raises(AirflowFailException, match="of 100 entities 2 stale"):
        execute(check())
    for limits in (OnlineLimits(stale=0.02), {"stale": 0.02}):
        assert OnlineVerdict.from_json(execute(check(limits=limits))).passed
    assert execute(check(when_failed="continue"))["outcome"] == "failed"


def test_the_window_and_the_sample_are_handed_on(asked, execute):
    execute(check(sample=10, seed=3, when_failed="continue"))
    execute(check(last=None, start=NOON - DAY, end=NOON, when_failed="continue"))
    assert asked[0] == ("spending", NOON - 7 * DAY, NOON, 10, 3)
    assert asked[1][1:3] == (NOON - DAY, NOON)


def test_limits_that_are_none_are_not_tried_again(asked, execute):
    with pytest.raises(AirflowFailException, match="'limits' should be OnlineLimits"):
        execute(check(limits={"stale": 2}))


def test_it_survives_serialization():
    with DAG("nightly", schedule=None) as dag:
        check(limits=OnlineLimits(stale=0.1), start=NOON, last=None)
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("check")
    assert (back.view, back.start) == ("spending", str(NOON))
    assert back.limits == {"missing": 0.0, "stale": 0.1, "different": 0.0}
