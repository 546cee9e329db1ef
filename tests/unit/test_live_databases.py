"""Opening a database that a service has: never made by looking, and half a transaction is taken back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from airfoil.live_databases import opened

pytestmark = pytest.mark.unit


def test_one_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        opened(tmp_path / "none.db", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_name_with_signs_of_an_address_is_a_name(tmp_path):
    path = tmp_path / "Läden 100%?mode=ro#x.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("create table t as select 7 as id")
    with closing(opened(path, 1)) as found:
        assert found.execute("select id from t").fetchall() == [(7,)]


def test_half_a_transaction_of_a_writer_that_was_killed_is_taken_back(tmp_path):
    path = tmp_path / "live.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("create table t (id integer, filling text)")
        made.executemany("insert into t values (?, ?)", [(number, "x" * 500) for number in range(2000)])
    writer = sqlite3.connect(path)
    writer.execute("pragma cache_size = 10")  # so that pages reach the file before the transaction ends
    writer.execute("update t set filling = 'half'")
    killed = tmp_path / "killed.db"
    for end in ("", "-journal"):
        shutil.copyfile(f"{path}{end}", f"{killed}{end}")
    writer.rollback()
    writer.close()
    with closing(opened(killed, 1)) as found:
        assert found.execute("select count(*) from t where filling = 'half'").fetchall() == [(0,)]
        assert found.execute("pragma integrity_check").fetchall() == [("ok",)]
