"""When a feature store can be used, and when what is online is right: pure numbers in, a verdict with reasons out."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from airfoil.records import OnlineDifference, OnlineSample, ViewFacts, ViewFault
from airfoil.steps.feature_checks import (
    OnlineLimits,
    OnlineVerdict,
    StoreLimits,
    StoreVerdict,
    judge_online,
    judge_store,
)

pytestmark = pytest.mark.unit
NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def facts(newest=NOON, view="spending", **more):
    return ViewFacts(view=view, rows=10, newest=newest, **more)


def test_views_without_faults_pass():
    verdict = judge_store([facts(), facts(view="visits")], NOON)
    assert (verdict.passed, verdict.reason) == (True, "2 views can be brought online")
    assert StoreVerdict.from_json(verdict.to_json()) == verdict


def test_every_fault_is_named_with_its_view():
    fault = ViewFault(check="column", reason="its source has no column 'spent'")
    verdict = judge_store([facts(faults=(fault,)), facts(view="visits")], NOON)
    assert not verdict.passed
    assert verdict.failures == ("spending: its source has no column 'spent'",)


def test_many_faults_are_counted_where_they_are_not_told():
    faults = tuple(ViewFault(check="column", reason=f"no column {n}") for n in range(9))
    verdict = judge_store([facts(faults=faults)], NOON)
    assert len(verdict.failures) == 9
    assert verdict.reason.endswith("spending: no column 4; and 4 more")


@pytest.mark.parametrize(
    ("newest", "reason"),
    [
        (NOON - DAY, ""),
        (NOON - 3 * DAY, "3.0 days old; at most 2.0 days is fresh"),
        (NOON + dt.timedelta(minutes=4), ""),
        (NOON + DAY, "which is in the future"),
        (None, ""),
    ],
)
def test_a_newest_row_is_neither_old_nor_of_tomorrow(newest, reason):
    verdict = judge_store([facts(newest)], NOON, StoreLimits(fresh_within=2 * DAY))
    assert verdict.passed is not bool(reason)
    assert reason in verdict.reason


def test_nobody_asks_how_old_a_row_is_unless_told_to():
    assert judge_store([facts(NOON - 1000 * DAY)], NOON).passed


def test_a_store_without_views_does_not_pass():
    assert "no view" in judge_store([], NOON).reason


def sample(**counts):
    sampled = sum(counts.values())
    examples = tuple(
        OnlineDifference(entity="customer=7", kind=kind, detail="so it is")
        for kind in ("missing", "stale", "different")
        if counts.get(kind)
    )
    return OnlineSample(
        view="spending",
        start=NOON - DAY,
        end=NOON,
        entities=1000,
        sampled=sampled,
        examples=examples,
        **counts,
    )


def test_equal_values_pass_and_newer_ones_too():
    verdict = judge_online(sample(equal=90, newer=10))
    assert (verdict.passed, verdict.outcome) == (True, "passed")
    assert verdict.reason == "spending: of 100 entities all are as in the source"
    assert OnlineVerdict.from_json(verdict.to_json()) == verdict


@pytest.mark.parametrize("kind", ["missing", "stale", "different"])
def test_one_that_differs_fails_with_an_example_unless_some_may(kind):
    found = sample(equal=99, **{kind: 1})
    verdict = judge_online(found)
    assert (verdict.passed, verdict.outcome) == (False, "failed")
    assert verdict.reason == f"spending: of 100 entities 1 {kind}; such as customer=7: so it is"
    allowed = judge_online(found, OnlineLimits(**{kind: 0.01}))
    assert allowed.passed
    assert allowed.reason == f"spending: of 100 entities 1 {kind}"
    assert not judge_online(sample(equal=98, **{kind: 2}), OnlineLimits(**{kind: 0.01})).passed


def test_nothing_compared_is_no_pass():
    verdict = judge_online(sample())
    assert (verdict.passed, verdict.outcome) == (False, "empty")
    assert "no entity has a row from 2026-01-04" in verdict.reason


@pytest.mark.parametrize("wrong", [{"missing": -0.1}, {"stale": 1.1}, {"equal": 0.5}])
def test_limits_are_shares(wrong):
    with pytest.raises(ValidationError):
        OnlineLimits(**wrong)
    with pytest.raises(ValidationError):
        StoreLimits(fresh_within=dt.timedelta(0))
