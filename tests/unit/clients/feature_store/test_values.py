"""Every byte is compared with Feast's own conversion, which is the definition."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.clients.feature_store import values
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit


def feasts(column: pa.Array, type_name: str) -> list[bytes]:
    from feast.type_map import python_values_to_proto_values
    from feast.value_type import ValueType

    made = python_values_to_proto_values(column.to_numpy(zero_copy_only=False), ValueType[type_name])
    return [one.SerializeToString() for one in made]


def ours(column: pa.Array, type_name: str) -> list[bytes]:
    return values.encode(column, type_name, "The feature").to_list()


INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
MOMENTS = st.integers(-(2**40), 2**40)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)
SINGLES = st.floats(allow_nan=True, allow_infinity=True, width=32)
SCALARS = {
    "INT64": (INT64, pa.int64()),
    "INT32": (INT32, pa.int32()),
    "DOUBLE": (FLOATS, pa.float64()),
    "FLOAT": (SINGLES, pa.float32()),
    "BOOL": (st.booleans(), pa.bool_()),
    "STRING": (st.text(max_size=200), pa.string()),
    # Not empty: of a batch with empty bytes alone Feast makes nothing at all.
    "BYTES": (st.binary(min_size=1, max_size=200), pa.binary()),
}
LISTS = {
    "INT64_LIST": (INT64, pa.int64()),
    "INT32_LIST": (INT32, pa.int32()),
    "DOUBLE_LIST": (FLOATS, pa.float64()),
    "FLOAT_LIST": (SINGLES, pa.float32()),
    "BOOL_LIST": (st.booleans(), pa.bool_()),
    "STRING_LIST": (st.text(max_size=20), pa.string()),
    "BYTES_LIST": (st.binary(max_size=20), pa.binary()),
}


@pytest.mark.parametrize("name", SCALARS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_scalars(name, data):
    strategy, kind = SCALARS[name]
    column = pa.array(data.draw(st.lists(strategy, max_size=30)), kind)
    assert ours(column, name) == feasts(column, name)


@pytest.mark.parametrize("name", ["DOUBLE", "FLOAT", "BOOL", "STRING", "BYTES"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_scalars_with_gaps(name, data):
    strategy, kind = SCALARS[name]
    column = pa.array(data.draw(st.lists(st.none() | strategy, max_size=30)), kind)
    assert ours(column, name) == feasts(column, name)


@pytest.mark.parametrize("name", ["INT64", "INT32"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whole_numbers_with_gaps(name, data):
    """Within what a float holds: Feast goes by way of floats and loses the rest, we do not."""
    numbers = data.draw(st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=30))
    column = pa.array(numbers, SCALARS[name][1])
    assert ours(column, name) == feasts(column, name)
    assert ours(column.cast(pa.float64()), name) == feasts(column.cast(pa.float64()), name)


def test_empty_bytes_are_not_missing():
    assert ours(pa.array([b"", None]), "BYTES") == [b"\n\x00", b""]


def test_a_large_number_beside_a_gap_keeps_its_last_digit():
    from feast.protos.feast.types.Value_pb2 import Value

    made = ours(pa.array([2**62 + 1, None]), "INT64")
    assert Value.FromString(made[0]).int64_val == 2**62 + 1
    assert made[1] == b""


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
@settings(max_examples=20, deadline=None)
@given(ticks=st.lists(st.none() | MOMENTS, max_size=20))
def test_timestamps(unit, zone, ticks):
    column = pa.array(ticks, pa.int64()).cast(pa.timestamp(unit, zone))
    assert ours(column, "UNIX_TIMESTAMP") == feasts(column, "UNIX_TIMESTAMP")


@pytest.mark.parametrize("name", LISTS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_lists(name, data):
    strategy, kind = LISTS[name]
    rows = data.draw(st.lists(st.none() | st.lists(strategy, max_size=6), max_size=20))
    column = pa.array(rows, pa.list_(kind))
    assert ours(column, name) == feasts(column, name)


@pytest.mark.parametrize("name", LISTS)
def test_a_slice_of_lists(name):
    kind = LISTS[name][1]
    item = {"string": "x", "binary": b"x", "bool": True}.get(str(kind), 3)
    column = pa.array([[item] * size for size in range(9)], pa.list_(kind)).slice(3, 4)
    assert ours(column, name) == feasts(column, name)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("STRING_LIST", pa.array([["a", None], None, []], pa.list_(pa.string()))),
        ("UNIX_TIMESTAMP_LIST", pa.array([[dt.datetime(2026, 1, 1)], None], pa.list_(pa.timestamp("us")))),  # noqa: DTZ001 - naive on purpose
        ("STRING", pa.array([1, 22, 333])),
        ("STRING", pa.array(["a", "bb", None]).dictionary_encode()),
        ("UUID", pa.array([str(uuid.UUID(int=7)), None])),
        ("DECIMAL", pa.array([decimal.Decimal("1.50"), None])),
        ("JSON", pa.array(['{"a": 1}', None])),
        ("MAP", pa.array([{"a": "b"}, None], pa.struct([("a", pa.string())]))),
        ("STRUCT", pa.array([{"a": 1}], pa.struct([("a", pa.int64())]))),
        ("INT64", pa.array([1.0, None, 3.9, -3.9])),
        ("INT64", pa.array([1, 2], pa.uint8())),
        ("FLOAT", pa.array([1e300, 0.1])),
        ("DOUBLE", pa.array([1, 2])),
        ("BOOL", pa.array([1, 0])),
        ("STRING_SET", pa.array([["a", "a"]], pa.list_(pa.string()))),
        ("DOUBLE", pa.array([None, None], pa.float64())),
        ("STRING", pa.array([], pa.string())),
    ],
    ids=str,
)
def test_everything_else(name, column):
    assert ours(column, name) == feasts(
        column if not pa.types.is_dictionary(column.type) else column.dictionary_decode(), name
    )


def test_a_column_that_cannot_be_the_declared_type_is_one_clear_error():
    with pytest.raises(
        ConfigurationError, match="The feature is declared as INT32, and its column of type int64"
    ):
        ours(pa.array([2**40]), "INT32")
    with pytest.raises(ConfigurationError, match="INT64"):
        ours(pa.array(["no number"]), "INT64")


def test_a_number_too_large_for_a_whole_one_is_refused():
    with pytest.raises(ConfigurationError):
        ours(pa.array([float("inf")]), "INT64")


def test_seconds_of_something_else_are_none():
    assert values.seconds(pa.array([1])) is None
    assert values.integers(pa.array(["a"])) is None
    assert np.array_equal(values.integers(pa.array([1, None]))[1], [True, False])
