from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.clients.feature_store import cells, encoding
from airfoil.clients.feature_store.encoding import View

pytestmark = pytest.mark.unit

VIEW = View("v", {"uid": "INT64"}, {"x": "STRING"}, "at", "made")


def batch(texts):
    count = len(texts)
    moments = pa.array(range(count), pa.int64()).cast(pa.timestamp("us"))
    return pa.RecordBatch.from_arrays(
        [
            pa.array(range(count)),
            pa.array(texts, pa.string()),
            moments,
            pa.array([None] * count, pa.timestamp("us")),
        ],
        ["uid", "x", "at", "made"],
    )


@settings(deadline=None)
@given(st.lists(st.integers(-(2**45), 2**45)))
def test_moments_are_feasts_bytes_and_come_back(moments):
    from google.protobuf.timestamp_pb2 import Timestamp

    made = encoding.timestamps(np.array(moments, dtype=np.int64))
    wanted = []
    for one in moments:
        stamp = Timestamp()
        stamp.FromDatetime(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=one))
        wanted.append(stamp.SerializeToString())
    assert made.to_list() == wanted
    assert encoding.nanoseconds(made).tolist() == [one * 1000 for one in moments]


def test_a_missing_moment_is_zero():
    assert encoding.nanoseconds(cells.from_list([b"", b"\x08\x01"])).tolist() == [0, 10**9]
    assert encoding.nanoseconds(cells.from_list([b"", b""])).tolist() == [0, 0]


def test_a_batch_is_encoded_whole():
    (found,) = encoding.encode(batch(["a", None, "ccc"]), VIEW)
    assert found.rows == 3
    assert found.values["x"].to_list() == [b"\x12\x01a", b"", b"\x12\x03ccc"]
    assert found.event_us.tolist() == [0, 1, 2]
    assert found.has_created.tolist() == [False] * 3


def test_one_long_value_does_not_widen_all_others(monkeypatch):
    monkeypatch.setattr(encoding, "_MOST_BYTES", 100_000)
    texts = ["short"] * 1000 + ["long" * 20_000] + ["short"] * 1000
    parts = list(encoding.encode(batch(texts), VIEW))
    assert max(part.rows * part.values["x"].matrix.shape[1] for part in parts) <= 110_000
    assert [row for part in parts for row in part.batch.column("x").to_pylist()] == texts


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array(["a", None, ""]), "STRING"),
        (pa.array([1, 2, None]), "STRING"),
        (pa.array([1, -2, None]), "INT64"),
        (pa.array([1.0, 0.1, None, 1e16, 1e-7]), "DOUBLE"),
        (pa.array([1.0, 0.1, None], pa.float32()), "FLOAT"),
        (pa.array([True, None, False]), "BOOL"),
        (pa.array([b"a"]), "BYTES"),
        (pa.array([[1.0]]), "DOUBLE_LIST"),
    ],
    ids=str,
)
def test_readable_text_is_feasts(column, kind):
    from feast.infra.online_stores.helpers import extract_text_and_num
    from feast.protos.feast.types.Value_pb2 import Value

    count = len(column)
    rows = pa.RecordBatch.from_arrays(
        [pa.array(range(count)), column, pa.array([0] * count).cast(pa.timestamp("us"))], ["uid", "x", "at"]
    )
    (found,) = encoding.encode(rows, View("v", {"uid": "INT64"}, {"x": kind}, "at"))
    wanted = [extract_text_and_num(Value.FromString(one), False)[0] for one in found.values["x"].to_list()]
    assert encoding.texts(found, "x", kind) == wanted
