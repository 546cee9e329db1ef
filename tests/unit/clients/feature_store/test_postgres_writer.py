"""The binary form; the writer itself meets a real Postgres in tests/integration/test_feature_store.py."""

from __future__ import annotations

import struct

import pyarrow as pa
import pytest

from airfoil.clients.feature_store import encoding, postgres_writer
from airfoil.clients.feature_store.encoding import View
from airfoil.errors import NeighbourError, ServiceUnreachableError, StorageError

pytestmark = pytest.mark.unit


def fields(data):
    """Naive reader of COPY's binary rows."""
    rows = []
    while data:
        (count,), data = struct.unpack(">h", data[:2]), data[2:]
        row = []
        for _ in range(count):
            (size,), data = struct.unpack(">i", data[:4]), data[4:]
            row.append(None if size < 0 else data[:size])
            data = data[max(0, size) :]
        rows.append(row)
    return rows


def test_rows_are_in_postgres_binary_form():
    moments = pa.array([946_684_800_000_001, 0]).cast(pa.timestamp("us"))
    rows = pa.RecordBatch.from_arrays(
        [
            pa.array(["a", "bb"]),
            pa.array(["ü", None]),
            moments,
            pa.array([None, 946_684_800_000_000]).cast(pa.timestamp("us")),
        ],
        ["uid", "x", "at", "made"],
    )
    (batch,) = encoding.encode(rows, View("v", {"uid": "STRING"}, {"x": "STRING"}, "at", "made"))
    keys = batch.keys.to_list()
    assert fields(postgres_writer._lines(batch, "x", "STRING")) == [
        [keys[0], b"x", b"\x12\x02\xc3\xbc", "ü".encode(), struct.pack(">q", 1), None],
        [keys[1], b"x", b"", None, struct.pack(">q", -946_684_800_000_000), struct.pack(">q", 0)],
    ]


def test_what_psycopg_raises_is_ours():
    psycopg = pytest.importorskip("psycopg")
    kinds = {
        psycopg.errors.DiskFull: StorageError,
        psycopg.OperationalError: ServiceUnreachableError,
        psycopg.errors.UndefinedColumn: NeighbourError,
    }
    for foreign, ours in kinds.items():
        with pytest.raises(ours), postgres_writer._Translated():
            raise foreign("said so")
