"""Statistics of all columns and counts of all rules come from the same scan, and agree with numpy and plain Python."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pytest

from airfoil.steps.quality import profiling
from airfoil.steps.quality.contract import Contract
from airfoil.steps.quality.profiling import failing_rows, plain, profile
from airfoil.steps.quality.questions import questions_of
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit


def one_column(values, arrow_type=None):
    _, profiles, _ = profile(Scan.of_table(pa.table({"c": pa.array(values, arrow_type)})), ())
    return profiles[0].model_dump(exclude={"name", "type"}, exclude_defaults=True)


def test_numbers_are_described_by_their_finite_values():
    values = [1.0, 2.5, None, float("nan"), float("inf"), float("-inf"), -4.0]
    finite = np.array([1.0, 2.5, -4.0])
    assert one_column(values) == {
        "missing": 2,
        "nan": 1,
        "infinite": 2,
        "minimum": -4.0,
        "maximum": 2.5,
        "mean": pytest.approx(finite.mean()),
        "deviation": pytest.approx(finite.std(ddof=1)),
    }


@pytest.mark.parametrize(
    ("values", "arrow_type", "expected"),
    [
        ([], pa.float64(), {}),
        ([None, None], pa.float64(), {"missing": 2}),
        ([None, None], pa.null(), {"missing": 2}),
        ([float("nan")], pa.float64(), {"missing": 1, "nan": 1}),
        ([1e308, 1e308], pa.float64(), {"minimum": 1e308, "maximum": 1e308}),
        ([7, 7], pa.int64(), {"minimum": 7, "maximum": 7, "mean": 7.0, "deviation": 0.0}),
        ([2**64 - 1], pa.uint64(), {"minimum": 2**64 - 1, "maximum": 2**64 - 1, "mean": float(2**64)}),
        ([True, None], pa.bool_(), {"missing": 1, "mean": 1.0}),
        (["b", "a", None], pa.string(), {"missing": 1, "minimum": "a", "maximum": "b"}),
        (["b", "a"], pa.dictionary(pa.int8(), pa.string()), {"minimum": "a", "maximum": "b"}),
        ([[1], None], pa.list_(pa.int8()), {"missing": 1}),
        ([b"a", None], pa.binary(), {"missing": 1}),
        ([dt.date(2026, 1, 1)], pa.date32(), {"minimum": "2026-01-01", "maximum": "2026-01-01"}),
        (
            [decimal.Decimal("1.50")],
            pa.decimal128(5, 2),
            {"minimum": 1.5, "maximum": 1.5, "mean": 1.5},
        ),
        (
            [dt.timedelta(seconds=90)],
            pa.duration("ms"),
            {"minimum": "0:01:30", "maximum": "0:01:30"},
        ),
    ],
)
def test_every_kind_of_column_is_described(values, arrow_type, expected):
    found = one_column(values, arrow_type)
    assert {name: value for name, value in found.items() if name != "deviation" or expected.get(name)} == {
        name: value for name, value in expected.items() if name != "deviation" or value
    }


def test_names_that_polars_would_read_as_patterns_are_names():
    table = pa.table({"*": [1, 2], "^a.*$": [3, None], "a": [5, 6], "": [7, 8]})
    _, profiles, _ = profile(Scan.of_table(table), ())
    assert [(one.name, one.minimum, one.missing) for one in profiles] == [
        ("*", 1, 0),
        ("^a.*$", 3, 1),
        ("a", 5, 0),
        ("", 7, 0),
    ]


@pytest.mark.parametrize("columns_at_a_time", [1, 2, 200])
def test_rules_are_counted_with_the_statistics_however_wide_the_table(monkeypatch, columns_at_a_time):
    monkeypatch.setattr(profiling, "COLUMNS_AT_A_TIME", columns_at_a_time)
    scan = Scan.of_table(pa.table({"a": [1, 5, 9], "b": ["x", None, "z"], "c": [1.0, 2.0, 3.0]}))
    contract = Contract.of_yaml(
        "columns: {a: {at_least: 2, at_most: 8}, b: {nullable: false, one_of: [x]}, c: {at_least: 0}, d: {at_least: 0}}"
    )
    questions = questions_of(contract, scan.types)
    rows, _, broken = profile(scan, questions)
    told = {(questions[place].check, questions[place].columns[0]): number for place, number in broken.items()}
    assert rows == 3
    assert told == {("range", "a"): 2, ("missing", "b"): 1, ("set", "b"): 1, ("range", "c"): 0}


def test_failing_rows_are_the_first_with_their_number_and_key():
    scan = Scan.of_table(pa.table({"id": [10, 11, 12, 13], "x": [0.0, -1.0, None, -2.0], "other": ["a"] * 4}))
    contract = Contract.of_yaml("columns: {x: {at_least: 0}}")
    question = next(one for one in questions_of(contract, scan.types) if one.check == "range")
    assert list(failing_rows(scan, question, 5, ("id", "gone"))) == [
        {"row": 1, "id": 11, "x": -1.0},
        {"row": 3, "id": 13, "x": -2.0},
    ]
    assert len(list(failing_rows(scan, question, 1))) == 1


def test_values_are_shown_as_json_and_not_longer_than_a_line():
    assert plain("x" * 500).endswith("x…")
    assert len(plain("x" * 500)) == profiling.SHOWN_CHARACTERS
    assert plain(float("nan")) == "nan"
    assert plain([1, {"a": 2}]) == "[1, {'a': 2}]"
    assert plain(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) == "2026-01-01T00:00:00+00:00"
