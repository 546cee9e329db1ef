"""A table is opened wherever it lies, and its copies are gone afterwards."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airfoil.clients.object_store import FolderStore
from airfoil.clients.remote_files import S3Access
from airfoil.clients.source_files import TableFiles
from airfoil.clients.table_sources import TableSource, open_table, open_tables
from airfoil.errors import ConfigurationError
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit

TABLE = pa.table({"a": [1, 2, 3]})


def test_every_kind_of_location_gives_the_same_rows(tmp_path):
    ref = FolderStore(tmp_path / "größe 1").write("t", TABLE)
    path = tmp_path / "größe 1" / "t.parquet"
    (tmp_path / "t.csv").write_text("a\n1\n2\n3\n")
    with sqlite3.connect(tmp_path / "t.db") as connection:
        connection.execute("create table t (a)")
        connection.executemany("insert into t values (?)", [(1,), (2,), (3,)])
    connection.close()
    sources = [
        ref,
        path,
        str(path),
        path.as_uri(),
        str(path.parent),
        str(path.parent / "*.parquet"),
        tmp_path / "t.csv",
        TableSource(f"sqlite:///{tmp_path / 't.db'}", query="t"),
    ]
    with open_tables(sources, folder=tmp_path / "work") as tables:
        for table in tables:
            scan = Scan.of_parquet(table.paths, table.name)
            assert scan.lazy().collect().to_dict(as_series=False) == {"a": [1, 2, 3]}
            assert scan.rows == 3
    assert list((tmp_path / "work").iterdir()) == []


def test_local_parquet_is_read_where_it_lies(tmp_path):
    pq.write_table(TABLE, tmp_path / "t.parquet")
    with open_table(tmp_path / "t.parquet", folder=tmp_path / "work") as table:
        assert not [path for path in (tmp_path / "work").rglob("*") if path.is_file()]
        assert table == TableFiles("t.parquet", (tmp_path / "t.parquet",))


@pytest.mark.parametrize(
    ("source", "called"),
    [
        (TableSource("/data/trips.parquet"), "trips.parquet"),
        (TableSource("/data/trips/"), "trips"),
        (TableSource("/data/trips.parquet", name="trips"), "trips"),
        (TableSource("https://u:p@host/a%20b.csv?token=x"), "a b.csv"),
        (TableSource("https://host"), "host"),
        (TableSource("postgresql://u:p@host/shop", query="public.orders"), "public.orders"),
        (TableSource("postgresql://u:p@host/shop", query="select 1"), "a query of shop"),
    ],
)
def test_a_table_is_called_by_its_name_and_never_by_a_secret(source, called):
    assert source.called == called
    assert "u:p" not in repr(source)


def test_secrets_are_not_printed():
    source = TableSource("s3://b/k", s3=S3Access("key", "secret"), headers={"Authorization": "secret"})
    assert "secret" not in repr(source)


def test_no_location_and_an_unknown_one_are_refused():
    with pytest.raises(ConfigurationError, match="no location"), open_table(""):
        pass
    with (
        pytest.raises(ConfigurationError, match="no kind that can be read"),
        open_table(TableSource("ftp://host/x", query="t")),
    ):
        pass


def test_a_drive_of_windows_is_no_scheme(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "airfoil.clients.table_sources.local_files", lambda path, _: asked.append(path) or [Path("x")]
    )
    monkeypatch.setattr("airfoil.clients.table_sources.table_of_files", lambda *_: None)
    with open_table(r"C:\data\t.parquet"):
        assert asked == [r"C:\data\t.parquet"]


@pytest.mark.parametrize(
    ("location", "kind", "path"),
    [
        ("trips/a b%20c.parquet", "local", "trips/a b%20c.parquet"),
        ("file:///data/a%20b.parquet", "local", "/data/a b.parquet"),
        ("C:\\trips.csv", "local", "C:\\trips.csv"),
        ("S3a://bucket/a%20b/*.parquet", "s3", "bucket/a b/*.parquet"),
        ("HTTPS://host/a.csv", "web", None),
        ("sqlite:////data/shop.db", "database", None),
    ],
)
def test_it_knows_who_has_it(location, kind, path):
    source = TableSource(location)
    assert source.kind == kind
    assert path in {None, source.path}
