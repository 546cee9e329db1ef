from __future__ import annotations

import sqlite3
import time

import numpy as np
import pyarrow as pa
import pytest

from airfoil.clients.feature_store import encoding, sqlite_writer
from airfoil.clients.feature_store.encoding import View
from airfoil.clients.feature_store.sqlite_writer import SqliteWriter
from airfoil.errors import ConfigurationError, StorageError

pytestmark = pytest.mark.unit

TABLE = 'p_v"1'
VIEW = View("v", {"uid": "INT64"}, {"x": "INT64"}, "at", "made")


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "online.db"
    connection = sqlite3.connect(path)
    connection.execute(
        'create table "p_v""1" (entity_key blob, feature_name text, value blob, value_text text, vector_value blob, '
        "event_ts timestamp, created_ts timestamp, primary key (entity_key, feature_name))"
    )
    connection.commit()
    yield path, lambda: connection.execute('select value_text, event_ts, created_ts from "p_v""1"').fetchall()
    connection.close()


def batch(value, seconds, made):
    rows = pa.RecordBatch.from_arrays(
        [
            pa.array([1]),
            pa.array([value]),
            pa.array([seconds]).cast(pa.timestamp("s")),
            pa.array([made], pa.int64()).cast(pa.timestamp("s")),
        ],
        ["uid", "x", "at", "made"],
    )
    (found,) = encoding.encode(rows, VIEW)
    return found


@pytest.mark.parametrize(
    ("second", "is_taken"),
    [
        ((9, 5), False),
        ((11, None), True),
        ((10, 4), False),
        ((10, 5), True),
        ((10, 6), True),
        ((10, None), True),
    ],
)
def test_the_newest_row_stays(store, second, is_taken, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "stored_seconds", lambda event_us: event_us // 10**6)
    path, rows = store
    writer = SqliteWriter(path, TABLE, VIEW.features)
    assert writer.write(batch(1, 10, 5)) == 1
    assert writer.write(batch(2, *second)) == int(is_taken)
    writer.close()
    assert rows() == [("2", *second) if is_taken else ("1", 10, 5)]


def test_a_missing_table_and_a_held_file_are_one_clear_error(store, monkeypatch):
    path, _ = store
    with pytest.raises(ConfigurationError, match="no table 'nope'"):
        SqliteWriter(path, "nope", VIEW.features)
    with pytest.raises(StorageError):
        SqliteWriter(path / "below a file", TABLE, VIEW.features)
    monkeypatch.setattr(sqlite_writer, "_PATIENCE_SECONDS", 0.01)
    writer = SqliteWriter(path, TABLE, VIEW.features)
    holder = sqlite3.connect(path)
    holder.execute("begin exclusive")
    with pytest.raises(StorageError, match="locked"):
        writer.write(batch(1, 1, 1))
    holder.close()
    assert writer.write(batch(1, 1, 1)) == 1
    writer.close()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_times_are_stored_as_feasts_adapter_stores_them(zone, monkeypatch):
    from feast.infra.online_stores.sqlite import adapt_datetime_epoch

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        import datetime as dt

        moments = [0, 1_500_000, 1_767_225_600_999_999, 1_751_328_000_000_000, -1_500_000]
        first = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - as Feast has them
        wanted = [adapt_datetime_epoch(first + dt.timedelta(microseconds=one)) for one in moments]
        assert sqlite_writer.stored_seconds(np.array(moments)).tolist() == wanted
    finally:
        monkeypatch.undo()
        time.tzset()
