"""PostgreSQL as files, without a server: what is written down, and what is told without a password."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

import pytest

from airfoil.errors import ConfigurationError, NeighbourError
from airfoil.stack.backup import postgres
from airfoil.stack.backup.postgres_catalogue import Catalogue, Column, Sequence

pytestmark = pytest.mark.unit
NOBODY = "postgresql+psycopg2://ann:s3cret%2F@127.0.0.1:1/air"


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path):
    pytest.importorskip("psycopg")
    for ask in (lambda: postgres.dump(NOBODY, tmp_path / "a.db"), lambda: postgres.is_empty(NOBODY)):
        with pytest.raises(NeighbourError, match="refused") as told:
            ask()
        assert "s3cret" not in f"{told.value}{told.value.next_move}"


def test_a_missing_driver_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match="psycopg is not installed"), postgres.connected(NOBODY):
        pass


def test_what_makes_the_schema_again_is_written_down():
    found = Catalogue(
        {"t": [Column("n", "int4")]}, ("create table t",), ("create index",), (Sequence("s", 7, "", "", ""),)
    )
    with closing(sqlite3.connect(":memory:")) as made:
        postgres._note(made, found)
        assert postgres._statements(made, "before") == ["create table t"]
        assert postgres._statements(made, "after") == ["create index"]
        assert made.execute("select * from airfoil_sequences").fetchall() == [("s", 7)]
        assert made.execute("select * from airfoil_columns").fetchall() == [("t", "n", "int4")]


def test_a_database_that_is_not_empty_is_refused_before_it_is_touched():
    class Connection:
        def execute(self, statement):
            assert "select" in statement
            return [("dag",), ("dag_run",)]

    with pytest.raises(
        ConfigurationError, match=r"postgresql://ann:\*\*\*@db/air is not empty: it has 2 tables"
    ):
        postgres.make_room(Connection(), "postgresql://ann:x@db/air", "")


def test_the_revision_of_a_copy(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.db")) as made, made:
        made.execute("create table t (n)")
    assert postgres.revision(tmp_path / "a.db") == ""
    with closing(sqlite3.connect(tmp_path / "a.db")) as made, made:
        made.execute("create table alembic_version (version_num text)")
    assert postgres.revision(tmp_path / "a.db") == ""
    with closing(sqlite3.connect(tmp_path / "a.db")) as made, made:
        made.execute("insert into alembic_version values ('abc')")
    assert postgres.revision(tmp_path / "a.db") == "abc"
