"""Which rows break a rule, against plain Python over the same values."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import ConfigurationError
from airfoil.steps.quality.contract import ColumnRule
from airfoil.steps.quality.expressions import breaks
from airfoil.steps.quality.questions import Question

pytestmark = pytest.mark.unit


def broken(values, arrow_type, check="range", **said):
    """Which of the values break a rule."""
    column = pa.array(values, arrow_type)
    frame = pl.DataFrame(pa.table({"c0": column}))
    question = Question(check, ("c0",), "", rule=ColumnRule(**said))
    return frame.select(breaks(question, "c0", column.type).alias("b"))["b"].to_list()


NUMBERS = st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=20)
BOUNDS = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False, width=64))


@given(values=NUMBERS, bound=BOUNDS)
def test_integers_are_compared_exactly_with_any_bound(values, bound):
    assert broken(values, pa.int64(), at_least=bound) == [one is not None and one < bound for one in values]
    assert broken(values, pa.int64(), at_most=bound) == [one is not None and one > bound for one in values]


@given(values=st.lists(st.one_of(st.none(), st.floats(width=64)), max_size=20), low=st.floats(-1e6, 1e6))
def test_floats_are_compared_and_nan_is_no_value(values, low):
    has = [one is not None and not math.isnan(one) for one in values]
    expected = [here and one < low for here, one in zip(has, values, strict=True)]
    assert broken(values, pa.float64(), at_least=low) == expected
    assert broken(values, pa.float64(), "missing", nullable=False) == [not here for here in has]
    infinite = [here and math.isinf(one) for here, one in zip(has, values, strict=True)]
    assert broken(values, pa.float64(), "finite", finite=True) == infinite


@given(values=st.lists(st.one_of(st.none(), st.text("ab1-", max_size=4)), max_size=20))
def test_a_pattern_is_for_the_whole_text(values):
    expected = [one is not None and re.fullmatch("a+|b1", one) is None for one in values]
    assert broken(values, pa.string(), "pattern", matches="a+|b1") == expected
    listed = [one is not None and one not in {"a", "b1"} for one in values]
    assert broken(values, pa.string(), "set", one_of=("a", "b1")) == listed


def test_unsigned_and_small_integers_meet_bounds_they_cannot_hold():
    assert broken([0, 2**64 - 1], pa.uint64(), at_least=-5, at_most=2**64 - 2) == [False, True]
    assert broken([-128, 127], pa.int8(), at_least=1000) == [True, True]
    assert broken([-128, 127], pa.int8(), at_most=1000) == [False, False]


def test_decimals_are_compared_as_decimals():
    values = [decimal.Decimal("0.10"), decimal.Decimal("0.30"), None]
    assert broken(values, pa.decimal128(10, 2), at_most=0.1) == [False, True, False]
    assert broken(values, pa.decimal128(10, 2), at_least=0.101) == [True, False, False]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_moments_are_compared_whatever_their_unit_and_zone(unit, zone):
    moments = [dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (1, 2, 3)]
    values = moments if zone else [one.replace(tzinfo=None) for one in moments]
    column = pa.timestamp(unit, tz=zone)
    assert broken(values, column, at_least="2026-01-02", at_most="2026-01-02T01:00:00+01:00") == [
        True,
        False,
        True,
    ]


def test_days_are_compared_as_days():
    values = [dt.date(2026, 1, 1), dt.date(2026, 1, 3), None]
    assert broken(values, pa.date32(), at_least=dt.date(2026, 1, 2)) == [True, False, False]


@pytest.mark.parametrize(
    ("values", "arrow_type", "allowed", "expected"),
    [
        ([1, 2, None], pa.int64(), (1, 2.0), [False, False, False]),
        ([1, 3], pa.uint8(), (1, 300), [False, True]),
        ([1.5, 2.5], pa.float32(), (1.5,), [False, True]),
        ([True, False], pa.bool_(), (True,), [False, True]),
        (["x", "y"], pa.dictionary(pa.int8(), pa.string()), ("x",), [False, True]),
        ([dt.date(2026, 1, 1)], pa.date32(), ("2026-01-01",), [False]),
    ],
)
def test_a_set_is_of_the_column_s_own_kind(values, arrow_type, allowed, expected):
    assert broken(values, arrow_type, "set", one_of=allowed) == expected


def test_a_text_that_could_be_what_is_asked_for_is_told_from_one_that_could_not():
    values = ["1", " 2.5 ", "x", None, ""]
    assert broken(values, pa.string(), "type", type="integer") == [False, True, True, False, True]
    assert broken(values, pa.string(), "type", type="number") == [False, False, True, False, True]
    assert broken(["2026-01-01", "1.1.26"], pa.string(), "type", type="date") == [False, True]
    assert broken(["True", "2"], pa.string(), "type", type="boolean") == [False, True]
    assert broken([1, None], pa.int64(), "type", type="text") == [True, False]


def test_a_bound_or_a_pattern_that_cannot_be_used_is_our_user_s_to_mend():
    with pytest.raises(ConfigurationError, match="'soon' is no date or time"):
        broken([dt.date(2026, 1, 1)], pa.date32(), at_least="soon")
    with pytest.raises(ConfigurationError, match="cannot be used on a table"):
        broken(["a"], pa.string(), "pattern", matches="(?=a)a")
    with pytest.raises(ConfigurationError, match="No row can break"):
        breaks(Question("rows", (), "at least 1"), "c0", pa.int64())
