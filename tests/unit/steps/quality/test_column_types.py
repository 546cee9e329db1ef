"""Types have the same names whatever the source."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from airfoil.errors import ConfigurationError
from airfoil.steps.quality.column_types import fits, is_type, kind_of, moment_of, wanted_kind

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("arrow_type", "kind"),
    [
        (pa.int8(), "integer"),
        (pa.uint64(), "integer"),
        (pa.float16(), "float"),
        (pa.decimal128(5, 2), "decimal"),
        (pa.bool_(), "boolean"),
        (pa.string_view(), "text"),
        (pa.dictionary(pa.int32(), pa.large_string()), "text"),
        (pa.date64(), "date"),
        (pa.timestamp("ns", tz="UTC"), "timestamp"),
        (pa.time32("s"), "time"),
        (pa.duration("us"), "duration"),
        (pa.binary(4), "binary"),
        (pa.list_(pa.int8()), "nested"),
        (pa.map_(pa.string(), pa.int8()), "nested"),
        (pa.null(), "empty"),
        (pa.month_day_nano_interval(), "other"),
    ],
)
def test_a_type_is_of_one_kind(arrow_type, kind):
    assert kind_of(arrow_type) == kind


@pytest.mark.parametrize(
    ("arrow_type", "wanted", "does"),
    [
        (pa.int32(), "integer", True),
        (pa.int32(), "number", True),
        (pa.decimal128(5, 2), "number", True),
        (pa.int32(), "float", False),
        (pa.int32(), "int32", True),
        (pa.int32(), "int64", False),
        (pa.float64(), "double", True),
        (pa.timestamp("ns", tz="Europe/Berlin"), "timestamp[ns, tz=Europe/Berlin]", True),
        (pa.timestamp("us"), "timestamp[ns]", False),
        (pa.decimal128(5, 2), "decimal128(5, 2)", True),
        (pa.null(), "integer", None),
    ],
)
def test_a_column_is_what_is_asked_for_or_could_be(arrow_type, wanted, does):
    assert is_type(wanted)
    assert fits(arrow_type, wanted) is does


def test_what_is_no_type_is_none():
    assert not is_type("words")
    assert wanted_kind("words") == "other"
    assert wanted_kind("date32[day]") == "date"
    assert wanted_kind("duration[ns]") == "duration"
    assert wanted_kind("number") == "number"


def test_a_bound_of_a_time_is_utc_unless_it_says_otherwise():
    assert moment_of("2026-01-31") == dt.datetime(2026, 1, 31, tzinfo=dt.UTC)
    assert moment_of("2026-01-31T12:00:00+02:00") == dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC)
    with pytest.raises(ConfigurationError, match="'30 February' is no date or time"):
        moment_of("30 February")
