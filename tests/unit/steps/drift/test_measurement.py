from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from airfoil.steps.drift.measurement import DriftPlan, measure_drift
from airfoil.steps.drift.report import DriftReport
from airfoil.steps.drift.verdict import judge_drift
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit


def scan(columns, name="table"):
    return Scan.of_table(pa.table(columns), name)


def drift(reference, current, **plan):
    return measure_drift(scan(reference, "old"), scan(current, "new"), DriftPlan(**plan))


def test_each_column_is_compared_and_the_p_values_are_adjusted_together():
    random = np.random.default_rng(4)
    first = {"a": random.normal(size=3000), "b": random.integers(0, 9, 3000), "c": ["x", "y", "z"] * 1000}
    second = {"a": random.normal(0.5, size=2000), "b": random.integers(0, 9, 2000), "c": ["x", "y"] * 1000}
    report = drift(first, second)
    assert [one.name for one in report.columns] == ["a", "b", "c"]
    assert (report.reference_rows, report.current_rows) == (3000, 2000)
    expected = stats.false_discovery_control([one.p_value for one in report.columns])
    assert [one.p_adjusted for one in report.columns] == pytest.approx(expected.tolist())
    assert judge_drift(report).drifted == ("a", "c")
    assert DriftReport.from_json(report.to_json()) == report


def test_a_column_without_a_name_is_a_column():
    """The first column of a CSV file that pandas wrote has none."""
    report = drift({"": [1.0, 2.0], "x": [[1], [2]]}, {"": [1.0, 3.0], "x": [[1], [2]]})
    assert [one.name for one in report.columns] == [""]
    words = drift({"": ["a", "b"]}, {"": ["a", "c"]})
    assert words.columns[0].test == "chi_square"
    assert drift({"": [[1]]}, {"": [[2]]}).left_out[0].name == ""


def test_the_same_tables_give_the_same_report():
    first, second = {"a": np.arange(999.0)}, {"a": np.arange(999.0) ** 1.1}
    assert drift(first, second).to_json() == drift(first, second).to_json()


def test_what_cannot_be_compared_is_left_out_with_its_reason():
    first = {"n": [[1]], "t": [1], "o": ["x"], "b": [b"x"], "v": pa.nulls(1), "s": [{"k": 1}]}
    second = {"n": [[1]], "t": ["1"], "b": [b"x"], "v": pa.nulls(1), "p": [2], "s": ["x"]}
    report = drift(first, second)
    assert report.columns == ()
    reasons = {one.name: one.reason for one in report.left_out}
    assert reasons == {
        "n": "is nested (list<item: int64>)",
        "t": "is int64 in old and string in new",
        "o": "is not in new",
        "b": "holds binary, which has no distribution to compare",
        "v": "has no values in either table",
        "p": "is not in old",
        "s": "is nested (struct<k: int64>)",
    }
    assert (report.reference_rows, report.current_rows) == (1, 1)
    assert judge_drift(report).outcome == "not_measured"


@pytest.mark.parametrize(("first", "second"), [([], [1.0]), ([1.0], []), ([], [])])
def test_no_rows_are_no_comparison(first, second):
    report = drift({"a": pa.array(first, pa.float64())}, {"a": pa.array(second, pa.float64())})
    assert (report.reference_rows, report.current_rows) == (len(first), len(second))
    assert report.columns[0].p_value is None
    assert judge_drift(report).outcome == "not_measured"


def test_a_column_that_lost_all_its_values_has_drifted():
    for lost in (pa.nulls(50), pa.nulls(50, pa.float64())):
        verdict = judge_drift(drift({"a": np.arange(50.0)}, {"a": lost}))
        assert verdict.drifted == ("a",)
        assert "1 of its values are missing" in verdict.reason


def test_constant_columns_have_not_drifted_until_the_constant_changes():
    assert judge_drift(drift({"a": [3.5] * 90}, {"a": [3.5] * 80})).passed
    assert not judge_drift(drift({"a": [3.5] * 90}, {"a": [3.6] * 80})).passed


def test_times_and_decimals_are_compared_exactly():
    moments = [datetime(2024, 1, 1, hour, tzinfo=UTC) for hour in range(24)]
    amounts = [Decimal(number) / 100 for number in range(24)]
    first = {
        "at": pa.array(moments, pa.timestamp("ns", "UTC")),
        "amount": pa.array(amounts, pa.decimal128(9, 2)),
    }
    second = {
        "at": pa.array(moments[12:], pa.timestamp("ms", "Europe/Oslo")),
        "amount": pa.array(amounts[12:], pa.decimal128(12, 4)),
    }
    at, amount = drift(first, second).columns
    assert (at.statistic, amount.statistic) == (0.5, 0.5)
    assert (at.kind, amount.kind) == ("time", "number")
    assert at.reference.least == moments[0].timestamp()
    assert amount.current.largest == pytest.approx(0.23)
    assert at.histogram.edges[-1] == moments[-1].timestamp()


def test_at_many_rows_the_report_says_what_p_values_are_worth():
    random = np.random.default_rng(1)
    report = drift({"a": random.normal(size=120_000)}, {"a": random.normal(0.02, size=120_000)})
    assert report.columns[0].p_value < 0.05
    assert "Look at the effects" in report.note
    assert judge_drift(report).passed


def test_columns_can_be_named_and_unknown_ones_are_told():
    report = drift({"a": [1], "b": [2]}, {"a": [1], "b": [2]}, columns=["b", "c"])
    assert [one.name for one in report.columns] == ["b"]
    assert report.left_out[0].reason == "is not in old and new"


def test_many_columns_fit_into_little_memory():
    columns = {f"c{number}": [1.0, 2.0, 3.0] for number in range(300)}
    report = drift(columns, columns, memory=2**20)
    assert len(report.columns) == 300
    assert {one.statistic for one in report.columns} == {0.0}


def test_a_column_that_nobody_wants_compared_is_left_out_and_named():
    report = drift({"at": [1, 2], "x": [1, 2]}, {"at": [8, 9], "x": [1, 2]}, without=["at", "gone"])
    assert [one.name for one in report.columns] == ["x"]
    assert [(one.name, one.reason) for one in report.left_out] == [("at", "is left out by the plan")]
