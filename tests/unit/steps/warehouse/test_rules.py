"""Rules as expressions: the bounds and texts that are read, and those that are not."""

from __future__ import annotations

from decimal import Decimal

import ibis
import polars as pl
import pyarrow as pa
import pytest
from tests.warehouse_tables import in_spark

from airfoil.errors import ConfigurationError
from airfoil.steps.quality import expressions
from airfoil.steps.quality.contract import ColumnRule
from airfoil.steps.quality.questions import Question
from airfoil.steps.warehouse.rules import breaks, present

pytestmark = pytest.mark.unit


def broken(duck, values, check, **rule):
    table = duck(pa.table({"a": values}))
    question = Question(check, ("a",), "", rule=ColumnRule(**rule))
    marks = breaks(question, table.table["a"], table.types["a"], table.engine)
    rows = table.ask(table.table.select(a=table.table["a"], broken=marks))
    return [row["a"] for row in rows if row["broken"]]


def test_texts_that_are_no_numbers(duck):
    values = ["1", " -2 ", "+3", "1.5", "1e3", "x", "", None, "٣"]
    assert broken(duck, values, "type", type="integer") == ["1.5", "1e3", "x", "", "٣"]
    assert broken(duck, values, "type", type="number") == ["x", "", "٣"]


def test_texts_that_are_no_dates_or_truth_values(duck):
    assert broken(duck, ["2026-01-31", "2026-13-01", "31.1.2026"], "type", type="date") == [
        "2026-13-01",
        "31.1.2026",
    ]
    assert broken(duck, ["true", "FALSE", "1"], "type", type="boolean") == ["1"]


def test_what_has_no_text_cannot_be_read_as_another(duck):
    assert broken(duck, [1, None], "type", type="text") == [1]


def test_a_pattern_is_for_the_whole_text(duck):
    assert broken(duck, ["a1", "a12", "xa1", "a|b"], "pattern", matches="a|a1") == ["a12", "xa1", "a|b"]


def test_moments_in_a_set(duck):
    days = pa.array([0, 1], pa.date32())
    assert len(broken(duck, days, "set", one_of=["1970-01-01"])) == 1
    moments = pa.array([0, 10**6], pa.timestamp("us", "UTC"))
    assert len(broken(duck, moments, "set", one_of=["1970-01-01T00:00:01+00:00"])) == 1


def test_what_means_nothing_is_said(duck):
    with pytest.raises(ConfigurationError, match="no date or time"):
        broken(duck, pa.array([0], pa.date32()), "range", at_least="soon")
    table = duck(pa.table({"a": [1]}))
    with pytest.raises(ConfigurationError, match="No row can break"):
        breaks(Question("rows", (), "many"), table.table["a"], table.types["a"], "duckdb")


def test_nan_is_no_value(duck):
    table = duck(pa.table({"a": [1.0, float("nan"), None]}))
    rows = table.ask(table.table.select(has=present(table.table["a"], table.types["a"])))
    assert [row["has"] for row in rows] == [True, False, False]


_TEXTS = [
    *("0", "-0", "+7", " 12\t", "0012", "1_000", "1 2", "0x1f", "--1", "+", "", " "),
    *("999999999999999999", "1700000000000000000", "9223372036854775807", "9223372036854775808"),
    *("-9223372036854775808", "-9223372036854775809", "00000000000000000000001", "92233720368547758070"),
    *("1.", ".5", ".", "1e5", "1e", "-2.5E-3", "1,5", "inf", "-Infinity", "NaN", "nanny"),
    *("2024-02-29", "2023-02-29", "2100-02-29", "2000-02-29", "2024-04-31", "2024-12-31", "0000-01-01"),
    *("true", "FALSE", "True ", "yes", "12\n", "\u0663"),
]


@pytest.mark.parametrize("wanted", ["integer", "float", "number", "decimal", "date", "boolean"])
def test_texts_are_read_as_they_are_read_here(duck, wanted):
    question = Question("type", ("c0",), "", rule=ColumnRule(type=wanted))
    local = expressions.breaks(question, "c0", pa.string())
    here = pl.DataFrame({"c0": _TEXTS}).filter(local)["c0"].to_list()
    assert broken(duck, _TEXTS, "type", type=wanted) == here


def test_a_bound_of_a_decimal_keeps_its_digits(duck):
    values = [Decimal("1.234"), Decimal("1.235"), Decimal("-1.000")]
    column = pa.array(values, pa.decimal128(12, 3))
    assert broken(duck, column, "range", at_least=1.2345) == [values[0], values[2]]
    assert broken(duck, column, "range", at_most=1.2344999) == [values[1]]
    assert broken(duck, column, "range", at_least=-1e60, at_most=1e60) == []
    assert broken(duck, column, "range", at_least=1e60) == values


def test_a_bound_is_what_the_column_would_hold(duck):
    column = pa.array([0.1, 0.3, 3.4e38], pa.float32())
    assert len(broken(duck, column, "range", at_least=0.1, at_most=0.3)) == 1
    assert broken(duck, column, "range", at_most=1e300) == []
    assert broken(duck, [0.1 + 0.2], "range", at_most=0.3) == [0.1 + 0.2]


def test_a_bound_at_and_beyond_the_ends_of_integers(duck):
    ends = [-(2**63), 0, 2**63 - 1]
    assert broken(duck, ends, "range", at_least=-(2**63), at_most=2**63) == []
    assert broken(duck, ends, "range", at_most=-(2**63)) == ends[1:]
    assert broken(duck, ends, "range", at_least=2**63) == ends
    unsigned = pa.array([1, 2**63 + 2, 2**64 - 1], pa.uint64())
    assert broken(duck, unsigned, "range", at_most=2**63 + 5) == [2**64 - 1]
    assert broken(duck, ends, "set", one_of=[0, 2**70, 0.5]) == [ends[0], ends[2]]


def test_a_pattern_is_for_the_whole_text_in_spark_too():
    texts = ibis.table({"a": "string"}, name="t")
    question = Question("pattern", ("a",), "", rule=ColumnRule(matches=r"\d+|it's"))
    said = in_spark(texts.filter(breaks(question, texts["a"], pa.string(), "pyspark")))
    assert r"RLIKE '^(?:\\d+|it\'s)\\z'" in said
