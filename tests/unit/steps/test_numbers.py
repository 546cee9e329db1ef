from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from airfoil.steps.numbers import reading_of

pytestmark = pytest.mark.unit


def read(array, other=None):
    reading = reading_of(array.type, (other if other is not None else array).type)
    return reading, reading.values(array)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (pa.int8(), pa.int64(), "int64"),
        (pa.int64(), pa.uint64(), "float64"),
        (pa.int32(), pa.float32(), "float64"),
        (pa.float32(), pa.float32(), "float32"),
        (pa.float16(), pa.float16(), "float32"),
        (pa.null(), pa.int16(), "int16"),
        (pa.dictionary(pa.int8(), pa.int32()), pa.int32(), "int32"),
        (pa.decimal128(9, 2), pa.int16(), "int64"),
        (pa.decimal128(9, 2), pa.float64(), "float64"),
        (pa.decimal128(30, 2), pa.decimal128(30, 2), "float64"),
        (pa.decimal128(9, 2), pa.int64(), "float64"),
    ],
)
def test_two_types_meet_where_numpy_would_have_them_meet(left, right, expected):
    assert reading_of(left, right).dtype == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (pa.string(), pa.int64()),
        (pa.timestamp("us"), pa.timestamp("us", "UTC")),
        (pa.timestamp("us"), pa.int64()),
        (pa.duration("s"), pa.time32("s")),
        (pa.bool_(), pa.bool_()),
        (pa.list_(pa.int8()), pa.list_(pa.int8())),
    ],
)
def test_what_makes_no_sense_together_has_no_reading(left, right):
    assert reading_of(left, right) is None


def test_null_and_nan_are_left_out_and_infinities_stay():
    _, values = read(pa.array([1.5, None, float("nan"), float("inf"), float("-inf")]))
    assert values.tolist() == [1.5, float("inf"), float("-inf")]
    assert read(pa.nulls(3), pa.array([1]))[1].tolist() == []


def test_a_slice_is_read_where_it_lies():
    assert read(pa.array([1, 2, 3, 4]).slice(1, 2))[1].tolist() == [2, 3]
    decimals = pa.array([Decimal("-1.25"), Decimal("0.10"), None, Decimal("99.99")], pa.decimal128(6, 2))
    assert read(decimals.slice(1))[1].tolist() == [10, 9999]
    assert read(pa.array([1], pa.int64()).slice(0, 0))[1].tolist() == []


def test_decimals_of_two_scales_are_compared_exactly():
    left = pa.array([Decimal("0.1"), Decimal("-2.5")], pa.decimal128(4, 1))
    right = pa.array([Decimal("0.100")], pa.decimal128(6, 3))
    reading, values = read(left, right)
    assert values.tolist() == [100, -2500]
    assert reading.values(right).tolist() == [100]
    assert reading.unit == pytest.approx(0.001)


@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.timestamp("ns", "UTC"), pa.date32(), pa.date64()])
def test_moments_are_seconds_since_1970_times_the_unit(kind):
    moment = datetime(2024, 2, 29, tzinfo=UTC)
    given = (
        date(2024, 2, 29) if pa.types.is_date(kind) else moment if kind.tz else moment.replace(tzinfo=None)
    )
    reading, values = read(pa.array([given], kind))
    assert values[0] * reading.unit == pytest.approx(moment.timestamp())


def test_dates_and_moments_meet():
    moments = pa.array([datetime(2024, 2, 29, 12)], pa.timestamp("ms"))  # noqa: DTZ001 - without a zone on purpose
    days = pa.array([date(2024, 2, 29), date(2024, 3, 1)])
    reading, values = read(moments, days)
    other = reading.values(days)
    assert other[0] < values[0] < other[1]


def test_a_far_year_in_a_coarse_unit_keeps_its_place():
    coarse = pa.array([-(2**40), 0, 2**40, 2**41], pa.timestamp("s"))
    reading, values = read(coarse, pa.array([0], pa.timestamp("ns")))
    assert reading.dtype == "int64"
    assert (np.diff(values) >= 0).all()
    assert values[0] < 0 < values[2]


@pytest.mark.parametrize(
    ("array", "seconds"),
    [
        (pa.array([time(1)], pa.time32("s")), 3600),
        (pa.array([time(1)], pa.time64("us")), 3600),
        (pa.array([timedelta(hours=1)], pa.duration("ms")), 3600),
    ],
)
def test_times_of_day_and_spans_are_seconds_too(array, seconds):
    reading, values = read(array)
    assert values[0] * reading.unit == pytest.approx(seconds)
