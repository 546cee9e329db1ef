from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airfoil.clients.feature_store import plan, window, writers
from airfoil.clients.feature_store.encoding import View
from airfoil.clients.feature_store.latest_rows import Limits, Source, Window
from airfoil.clients.feature_store.plan import Plan
from airfoil.errors import StorageError

pytestmark = pytest.mark.unit


class Notes:
    """Takes what a writer takes."""

    def __init__(self, fails=False):
        self.keys, self.is_closed, self.fails = [], False, fails

    def write(self, batch):
        if self.fails:
            raise StorageError("it is full", "")
        self.keys += batch.batch.column("uid").to_pylist()
        return batch.rows - 1

    def close(self):
        self.is_closed = True


class FeatureView:
    name = "v"


def run(tmp_path, monkeypatch, writer):
    table = pa.table({"uid": [1, 2, 1], "x": [1, 2, 3], "at": pa.array([1, 2, 3]).cast(pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "rows.parquet")
    made = Plan(
        Source((tmp_path / "rows.parquet",), ("uid",), ("x",), "at"),
        View("v", {"uid": "INT64"}, {"x": "INT64"}, "at"),
        {},
    )
    monkeypatch.setattr(plan, "make", lambda *_: made)
    monkeypatch.setattr(writers, "open_writer", lambda *_: writer)
    return window.write(
        FeatureView(), Window(0, 10), registry=None, config=None, online_store=None, limits=Limits()
    )


def test_a_window_is_written_and_counted(tmp_path, monkeypatch):
    writer = Notes()
    found = run(tmp_path, monkeypatch, writer)
    assert (found.view, found.entities, found.rows) == ("v", 2, 1)
    assert sorted(writer.keys) == [1, 2]
    assert writer.is_closed


def test_a_writer_that_fails_is_closed_and_its_error_is_raised(tmp_path, monkeypatch):
    writer = Notes(fails=True)
    with pytest.raises(StorageError):
        run(tmp_path, monkeypatch, writer)
    assert writer.is_closed
