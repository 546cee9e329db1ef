"""Verdicts about datasets: by name, one for each run, short enough for a tag."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airfoil.clients.claims import Claims
from airfoil.clients.dataset_verdicts import (
    MAX_CHARACTERS,
    TAG,
    dataset_verdicts,
    keep_dataset_verdict,
    latest_dataset_verdicts,
)
from airfoil.records import DatasetVerdict

pytestmark = pytest.mark.unit
START = datetime(2026, 11, 21, tzinfo=UTC)


def verdict(number=0, dataset="trips", **more):
    given = {
        "dataset": dataset,
        "at": START + timedelta(hours=number),
        "passed": not number % 2,
        "reason": f"number {number}",
        "outcomes": {"quality": "passed", "drift": "stable"},
        "numbers": {"rows": 1000, "anomaly_rate": 0.01},
        "run_id": f"r{number}",
        **more,
    }
    return DatasetVerdict(**given)


def tags(server):
    return [text for run in server.runs.values() for key, text in run["tags"].items() if key.startswith(TAG)]


def test_they_come_back_whole_newest_first_and_by_dataset(http):
    for one in (verdict(0), verdict(2), verdict(1), verdict(5, "zones")):
        http.do(keep_dataset_verdict(Claims(), one))
    assert http.do(dataset_verdicts(Claims(), "trips")) == [verdict(2), verdict(1), verdict(0)]
    assert http.do(dataset_verdicts(Claims(), "nobody")) == []
    assert http.do(latest_dataset_verdicts(Claims())) == [verdict(2), verdict(5, "zones")]


def test_a_task_that_is_tried_again_replaces_what_it_said(server, http):
    for number in (1, 2):
        http.do(keep_dataset_verdict(Claims(), verdict(number, run_id="same")))
    assert http.do(dataset_verdicts(Claims(), "trips")) == [verdict(2, run_id="same")]
    assert len(tags(server)) == 1


@pytest.mark.parametrize("known", [{"dag_run": "d/1"}, {}])
def test_without_a_run_the_dag_run_or_the_content_is_its_name(server, http, known):
    for hours in (0, 3):
        one = verdict(0, run_id="", **known).model_copy(update={"at": START + timedelta(hours=hours)})
        http.do(keep_dataset_verdict(Claims(), one))
    assert len(tags(server)) == 1


@pytest.mark.parametrize(
    "name", ['it\'s "quoted" `so`', "größe\n日本", "<script>alert(1)</script>", "100%_", "a/b/../c"]
)
def test_a_dataset_may_be_called_anything(http, name):
    http.do(keep_dataset_verdict(Claims(), verdict(dataset=name)))
    assert http.do(dataset_verdicts(Claims(), name)) == [verdict(dataset=name)]
    assert http.do(latest_dataset_verdicts(Claims())) == [verdict(dataset=name)]


def test_a_long_reason_is_cut(server, http):
    http.do(keep_dataset_verdict(Claims(), verdict(reason="x" * 9000)))
    (kept,) = http.do(dataset_verdicts(Claims(), "trips"))
    assert kept.reason.endswith("x…")
    assert kept.numbers == verdict().numbers
    assert len(tags(server)[0]) <= MAX_CHARACTERS


def test_of_thousands_of_numbers_none_is_kept(server, http):
    many = {f"number {place}": float(place) for place in range(3000)}
    http.do(keep_dataset_verdict(Claims(), verdict(numbers=many)))
    (kept,) = http.do(dataset_verdicts(Claims(), "trips"))
    assert (kept.numbers, kept.passed) == ({}, True)
    assert len(tags(server)[0]) <= MAX_CHARACTERS
