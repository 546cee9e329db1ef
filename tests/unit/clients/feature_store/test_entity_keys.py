"""Every key is compared with Feast's own serialization."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.clients.feature_store import entity_keys
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit

FIELDS = {
    "INT64": ("int64_val", st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "INT32": ("int32_val", st.integers(-(2**31), 2**31 - 1), pa.int32()),
    "STRING": ("string_val", st.text(max_size=30), pa.string()),
    "BYTES": ("bytes_val", st.binary(max_size=30), pa.binary()),
    "UNIX_TIMESTAMP": ("unix_timestamp_val", st.integers(-(2**33), 2**33), pa.timestamp("s")),
}


def feasts(types, rows):
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    return [
        serialize_entity_key(
            EntityKey(
                join_keys=list(types),
                entity_values=[
                    Value(**{FIELDS[kind][0]: value}) for kind, value in zip(types.values(), row, strict=True)
                ],
            ),
            entity_key_serialization_version=3,
        )
        for row in rows
    ]


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_keys_of_any_types_and_number(data):
    names = data.draw(st.lists(st.text("abcö_", min_size=1, max_size=6), min_size=1, max_size=4, unique=True))
    types = {name: data.draw(st.sampled_from(sorted(FIELDS))) for name in names}
    rows = data.draw(
        st.lists(st.tuples(*(FIELDS[kind][1] for kind in types.values())), min_size=1, max_size=12)
    )
    columns = [
        pa.array(column, FIELDS[kind][2])
        for kind, column in zip(types.values(), zip(*rows, strict=True), strict=True)
    ]
    batch = pa.RecordBatch.from_arrays(columns, names=list(types))
    assert entity_keys.encode(batch, types).to_list() == feasts(types, rows)


def test_a_key_is_taken_from_a_column_of_a_related_type():
    numbers = pa.record_batch({"uid": pa.array([7, 8], pa.uint8())})
    assert entity_keys.encode(numbers, {"uid": "INT64"}).to_list() == feasts({"uid": "INT64"}, [(7,), (8,)])
    assert entity_keys.encode(numbers, {"uid": "STRING"}).to_list() == feasts(
        {"uid": "STRING"}, [("7",), ("8",)]
    )
    words = pa.RecordBatch.from_arrays([pa.array(["a", "b", "a"]).dictionary_encode()], ["uid"])
    assert entity_keys.encode(words, {"uid": "STRING"}).to_list() == feasts(
        {"uid": "STRING"}, [("a",), ("b",), ("a",)]
    )


@pytest.mark.parametrize(
    ("column", "kind", "words"),
    [
        (pa.array([1, None]), "INT64", "is empty in 1 rows"),
        (pa.array([1.5]), "FLOAT", "cannot use as a key"),
        (pa.array(["x"]), "INT64", "does not hold that"),
        (pa.array([2**40]), "INT32", "does not hold that"),
        (pa.array([1]), "UNIX_TIMESTAMP", "does not hold that"),
        (pa.array([dt.date(2026, 1, 1)]), "UNIX_TIMESTAMP", "does not hold that"),
    ],
)
def test_what_cannot_be_a_key_is_one_clear_error(column, kind, words):
    with pytest.raises(ConfigurationError, match=words) as caught:
        entity_keys.encode(pa.RecordBatch.from_arrays([column], ["uid"]), {"uid": kind})
    assert "'uid'" in str(caught.value)
    assert caught.value.next_move
