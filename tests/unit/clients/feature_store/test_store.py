"""What needs no repository; everything else meets Feast in tests/integration/test_feature_store.py."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pytest

from airfoil.clients.feature_store.store import FeatureStore
from airfoil.clients.feature_store.window import Written
from airfoil.errors import ConfigurationError, ServiceUnreachableError, StorageError

pytestmark = pytest.mark.unit


def opened(registry="sql"):
    store = FeatureStore.__new__(FeatureStore)
    store.folder = Path("features")
    store.feast = SimpleNamespace(config=SimpleNamespace(registry=SimpleNamespace(registry_type=registry)))
    return store


def days(*numbers):
    return [dt.datetime(2026, 1, one, tzinfo=dt.UTC) for one in numbers]


def test_pieces_go_oldest_first_and_the_whole_is_recorded_last(monkeypatch):
    store, done = opened(), []
    monkeypatch.setattr(store, "write", lambda *piece: done.append(piece) or Written("v", 1, 1, 0.1))
    monkeypatch.setattr(store, "record", lambda *whole: done.append(whole))
    first, second, third = days(1, 2, 3)
    assert len(store.materialize_in_order("v", [(second, third), (first, second)])) == 2
    assert done == [("v", first, second), ("v", second, third), ("v", first, third)]
    assert store.materialize_in_order("v", []) == []
    assert len(done) == 3


def test_nothing_is_recorded_when_a_piece_fails(monkeypatch):
    store, recorded = opened(), []

    def fails(*_):
        raise StorageError("full", "")

    monkeypatch.setattr(store, "write", fails)
    monkeypatch.setattr(store, "record", lambda *whole: recorded.append(whole))
    with pytest.raises(StorageError):
        store.materialize_in_order("v", [tuple(days(1, 2))])
    assert recorded == []


def test_a_file_registry_takes_one_view_at_a_time():
    opened("file").require_parallel(1)
    opened("sql").require_parallel(9)
    with pytest.raises(ConfigurationError, match="The registry of features is one file"):
        opened("file").require_parallel(2)


def test_a_registry_that_does_not_answer_is_named_and_may_answer_later():
    store = opened()

    def refuse(*_):
        raise OSError("connection refused\nand where")

    store.feast.list_batch_feature_views = store.feast.get_feature_view = refuse
    for asked in (store.views, lambda: store.view("v"), lambda: store.watermark("v")):
        with pytest.raises(
            ServiceUnreachableError, match=r"The registry of features .*: connection refused$"
        ):
            asked()
