"""A written SQLite database is noticed, a read one is not."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

import pytest

from airfoil.runtime.database_watch import DatabaseWatch

pytestmark = pytest.mark.unit


def test_a_write_changes_the_signature_and_a_look_does_not(tmp_path):
    database = tmp_path / "air flow.db"
    watch = DatabaseWatch(f"sqlite:///{database}?timeout=5")
    assert watch
    nothing = watch.signature()
    database.write_bytes(b"x")
    created = watch.signature()
    assert created != nothing
    assert watch.signature() == created
    wal = tmp_path / "air flow.db-wal"
    wal.write_bytes(b"x")
    assert watch.signature() != created
    before = watch.signature()
    wal.write_bytes(b"xy")
    assert watch.signature() != before


@pytest.mark.parametrize(
    "url", ["postgresql://h/d", "postgresql+psycopg://h/d", "sqlite://", "sqlite:///", ""]
)
def test_what_is_no_file_is_not_watched(url):
    watch = DatabaseWatch(url)
    assert not watch
    assert watch.signature() == ()
    assert watch.events() is None


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_the_system_tells_of_a_transaction_and_not_of_a_query(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as database:
        database.execute("pragma journal_mode = wal")
        database.execute("create table t (x)")
        events = DatabaseWatch(f"sqlite:///{tmp_path}/a.db").events()
        assert events is not None
        assert database.execute("select count(*) from t").fetchone() == (0,)
        assert events.read() == set()
        database.execute("insert into t values (1)")
        assert tmp_path / "a.db-wal" in events.read()
        events.close()


def test_a_database_whose_folder_is_gone_is_looked_at_now_and_then_instead(tmp_path):
    assert DatabaseWatch(f"sqlite:///{tmp_path}/none/a.db").events() is None
