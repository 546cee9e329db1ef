"""Counts become passed, failed or not applicable, with a reason; nothing is read for it."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pytest

from airfoil.records import QualityReport
from airfoil.steps.quality.contract import Contract
from airfoil.steps.quality.measuring import measure
from airfoil.steps.quality.verdict import join, judge
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def report(table, text):
    contract = Contract.of_yaml(text)
    return judge(contract, measure(Scan.of_table(pa.table(table), "trips"), contract), NOW)


def outcome(table, text, check):
    found = [one for one in report(table, text).checks if one.check == check]
    return found[-1].outcome, found[-1].reason


def test_a_share_that_may_fail_may_fail_and_no_more():
    table = {"x": [1, 2, 3, -1]}
    assert outcome(table, "columns: {x: {at_least: 0, tolerance: 0.25}}", "range") == (
        "passed",
        "1 of 4 (25 %)",
    )
    assert outcome(table, "columns: {x: {at_least: 0, tolerance: 0.24}}", "range") == (
        "failed",
        "1 of 4 (25 %)",
    )
    assert outcome(table, "columns: {x: {at_least: -1}}", "range") == ("passed", "none of 4")
    assert outcome({"x": [1, 1]}, "most_duplicates: 0.5", "duplicates")[0] == "passed"
    assert outcome({"x": [1, 1]}, "most_duplicates: 0.4", "duplicates")[0] == "failed"


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (1, ("passed", "the newest row is 1 hours old")),
        (24, ("passed", "the newest row is 24 hours old")),
        (24.5, ("failed", "the newest row is 24.5 hours old")),
        (-0.5, ("passed", "the newest row lies 0.5 hours ahead")),
        (-2, ("failed", "the newest row lies 2 hours ahead")),
    ],
)
def test_freshness_is_of_the_newest_row_and_the_future_is_not_fresh(hours, expected):
    table = {"at": pa.array([NOW - dt.timedelta(hours=hours), None], pa.timestamp("us", tz="UTC"))}
    found, told = outcome(table, "freshness: {column: at, hours: 24}", "freshness")
    assert (found, told.partition(" (")[0]) == expected


def test_what_cannot_be_asked_is_not_applicable_and_fails_nothing():
    found = report(
        {"x": pa.array([], pa.float64())}, "{rows: {at_least: 0}, columns: {x: {at_least: 0, finite: true}}}"
    )
    assert {one.check: one.outcome for one in found.checks} == {
        "rows": "passed",
        "column": "passed",
        "finite": "not_applicable",
        "range": "not_applicable",
    }
    assert found.passed
    assert found.reason == "trips passed all 2 checks on 0 rows"
    assert outcome(
        {"at": pa.array([None], pa.timestamp("s"))}, "freshness: {column: at, hours: 1}", "freshness"
    ) == (
        "not_applicable",
        "no row has a time",
    )


def test_an_empty_table_fails_unless_it_may_be_empty():
    assert outcome({"x": pa.array([], pa.int8())}, "columns: {x: {}}", "rows") == ("failed", "it has 0 rows")
    assert outcome({"x": [1, 2]}, "rows: {at_most: 1}", "rows") == ("failed", "it has 2 rows")


def test_a_report_says_in_one_sentence_what_failed_and_survives_json():
    found = report(
        {"x": [1, -1], "z": [1, 1], "e": pa.array([None, None])},
        "{columns: {x: {at_least: 0}, y: {type: text}, z: {type: text, one_of: [a]}, e: {nullable: false}},"
        " other_columns: refuse}",
    )
    assert not found.passed
    assert found.reason.startswith("trips failed 4 of 9 checks on 2 rows: column of y: it is not there; ")
    assert found.reason.endswith("; and 1 more")
    assert [(one.check, *one.columns) for one in found.failures] == [
        ("column", "y"),
        ("range", "x"),
        ("type", "z"),
        ("missing", "e"),
    ]
    assert QualityReport.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert found.failures[1].examples == ({"row": 1, "x": -1},)


def test_reports_about_parts_of_a_contract_are_one():
    contract = Contract.of_yaml("columns: {x: {type: integer, at_least: 0}}")
    scan = Scan.of_table(pa.table({"x": [1, -1, -1]}), "trips")
    parts = [judge(contract, measure(scan, contract, part=part), NOW) for part in ("schema", "content")]
    whole, joined = judge(contract, measure(scan, contract), NOW), join(parts)
    assert [part.passed for part in parts] == [True, False]
    assert sorted(one.asks for one in joined.checks) == sorted(one.asks for one in whole.checks)
    assert (joined.reason, joined.duplicate_rows, joined.columns) == (whole.reason, 1, whole.columns)
    assert join([whole]) == whole
