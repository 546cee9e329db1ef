"""Verdicts: kept by model, the latest ones, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airfoil.clients.claims import Claims
from airfoil.clients.verdicts import MAX_CHARACTERS, TAG, Verdict, keep_verdict, latest_verdicts, verdicts
from airfoil.records import GateDecision

pytestmark = pytest.mark.unit
START = datetime(2026, 11, 21, tzinfo=UTC)


def verdict(number=0, *, model="wine", **decision):
    given = {"passed": bool(number % 2), "metric": "accuracy", "reason": f"number {number}", **decision}
    at = START + timedelta(minutes=number)
    return Verdict(model=model, at=at, decision=GateDecision(**given), dag_run=f"d/{number}")


def test_nobody_was_judged_and_looking_leaves_nothing_behind(server, http):
    assert http.do(verdicts(Claims(), "wine")) == []
    assert server.runs == {}


def test_verdicts_come_back_newest_first_and_by_model(http):
    for one in (verdict(1), verdict(0), verdict(5, model="beer")):
        http.do(keep_verdict(Claims(), one))
    assert http.do(verdicts(Claims(), "wine")) == [verdict(1), verdict(0)]
    assert http.do(verdicts(Claims(), "beer")) == [verdict(5, model="beer")]
    assert sorted(one.model for one in http.do(latest_verdicts(Claims()))) == ["beer", "wine"]


def test_the_same_verdict_of_a_retry_is_one(http):
    http.do(keep_verdict(Claims(), verdict(1)))
    later = verdict(1).model_copy(update={"at": START + timedelta(hours=1)})
    http.do(keep_verdict(Claims(), later))
    assert http.do(verdicts(Claims(), "wine")) == [later]


def test_a_long_verdict_is_shortened_to_what_mlflow_takes(server, http):
    part = GateDecision(passed=False, metric="accuracy", reason="y" * 500)
    http.do(keep_verdict(Claims(), verdict(reason="x" * 9000, parts=(part,) * 30)))
    (kept,) = http.do(verdicts(Claims(), "wine"))
    assert kept.decision.parts == ()
    assert kept.decision.reason.startswith("xxx")
    (text,) = [
        text for run in server.runs.values() for key, text in run["tags"].items() if key.startswith(TAG)
    ]
    assert len(text) <= MAX_CHARACTERS
