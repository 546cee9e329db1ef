"""Copies of SQLite databases while others write, and what is told of their tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from tests.backup_shop import make_database, rows_of
from tests.sqlite_faults import make_half_written

from airfoil.errors import StorageError
from airfoil.stack.backup import sqlite_copies

pytestmark = pytest.mark.unit


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "Läden 100%" / "a.db"
    make_database(path, "create table t (n integer, b blob)", t=[(1, b"\xff"), (2, None)])
    return path


def test_what_waits_in_the_log_is_in_the_copy_and_what_is_not_committed_is_not(database, tmp_path):
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("insert into t values (3, null)")
        writer.execute("begin")
        writer.execute("insert into t values (4, null)")
        sqlite_copies.copy(database, tmp_path / "copy", "It")
        writer.execute("rollback")
    assert rows_of(tmp_path / "copy", "select n from t") == [(1,), (2,), (3,)]
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy"], "one file, nothing beside it"


def test_tables_are_told_by_rows_and_digest(database, tmp_path):
    sqlite_copies.copy(database, tmp_path / "copy", "It")
    facts = sqlite_copies.facts(tmp_path / "copy")
    assert facts["t"].rows == 2
    assert facts == sqlite_copies.facts(tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as changed, changed:
        changed.execute("update t set b = x'fe' where n = 1")
    assert sqlite_copies.facts(tmp_path / "copy")["t"].digest != facts["t"].digest


def test_text_that_is_none_is_digested_like_the_rest(tmp_path):
    make_database(tmp_path / "a.db", "create table t (x text); insert into t values (cast(x'ff' as text))")
    assert sqlite_copies.facts(tmp_path / "a.db")["t"].rows == 1


@pytest.mark.parametrize("content", [b"no database at all, but long enough to look like one" * 100])
def test_a_damaged_database_is_refused(tmp_path, content):
    (tmp_path / "a.db").write_bytes(content)
    with pytest.raises(StorageError, match=r"It .* cannot be copied"):
        sqlite_copies.copy(tmp_path / "a.db", tmp_path / "copy", "It")
    with pytest.raises(StorageError, match="It is damaged"):
        sqlite_copies.prove(tmp_path / "a.db", "It")


def test_a_damaged_page_is_found(tmp_path):
    make_database(tmp_path / "a.db", "create table t (n integer)", t=[(number,) for number in range(5000)])
    sqlite_copies.copy(tmp_path / "a.db", tmp_path / "copy", "It")
    content = bytearray((tmp_path / "copy").read_bytes())
    content[8192:8300] = bytes(108)
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(StorageError, match="It is damaged"):
        sqlite_copies.prove(tmp_path / "copy", "It")


def test_names_are_quoted():
    assert sqlite_copies.quoted('a"b') == '"a""b"'


def test_half_a_transaction_of_a_killed_writer_is_not_copied(tmp_path):
    source, target = tmp_path / "mlflow.db", tmp_path / "copy.db"
    with closing(sqlite3.connect(source)) as made, made:
        made.execute("create table notes (text)")
    make_half_written(source)
    sqlite_copies.copy(source, target, "MLflow's database")
    with closing(sqlite3.connect(target)) as copied:
        assert copied.execute("select name from sqlite_master").fetchall() == [("notes",)]
