"""Tables of a real PostgreSQL, a real web server and a real S3 store, and what is said when they stop in the middle."""

from __future__ import annotations

import datetime as dt
import decimal
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airfoil.clients import sql_tables
from airfoil.clients.remote_files import S3Access
from airfoil.clients.table_sources import TableSource, open_table
from airfoil.errors import NotFoundError, ServiceRefusedError, ServiceUnreachableError
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.integration

TABLE = pa.table({"id": list(range(1000)), "word": [f"w{number % 7}" for number in range(1000)]})


def rows_of(source, folder):
    with open_table(source, folder=folder) as table:
        return Scan.of_parquet(table.paths, table.name).lazy().collect().rows()


@pytest.fixture
def database(postgres):
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    postgres.execute(
        "create table kinds (id int, big bigint, price numeric(10, 2), at timestamptz, naive timestamp, day date,"
        " is_so boolean, word text, raw bytea, items int[], doc jsonb, key uuid, x real, y double precision)",
        name,
    )
    postgres.execute(
        "insert into kinds values (1, 2^60, 1.10, '2026-01-01 10:00+02', '2026-01-01 10:00', '2026-01-01', true,"
        " 'a:b %s', 'raw', '{1,2}', '{\"a\": 1}', '00000000-0000-0000-0000-000000000001', 1.5, 'nan'),"
        " (2, null, null, null, null, null, null, null, null, null, null, null, null, null)",
        name,
    )
    postgres.execute(
        "create table many as select n, 'word ' || n as word from generate_series(1, 200000) n", name
    )
    return url


def test_every_type_of_postgres_arrives(database, tmp_path):
    (row, empty) = rows_of(TableSource(database, query="public.kinds"), tmp_path)
    assert row[:8] == (
        1,
        2**60,
        decimal.Decimal("1.10"),
        dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 1, 10),  # noqa: DTZ001 - the database has no zone there
        dt.date(2026, 1, 1),
        True,
        "a:b %s",
    )
    assert empty == (2, *[None] * 13)


def test_a_select_of_postgres_may_cast_and_hold_percents(database, tmp_path):
    query = "select id::text as id, word from kinds where word like 'a:b %'"
    assert rows_of(TableSource(database, query=query), tmp_path) == [("1", "a:b %s")]
    with pytest.raises(NotFoundError, match=r"relation .*gone.* does not exist"):
        rows_of(TableSource(database, query="gone"), tmp_path)
    with pytest.raises(ServiceRefusedError, match="does not let us in"):
        rows_of(
            TableSource(database.replace("postgresql://airfoil", "postgresql://nobody"), query="kinds"),
            tmp_path,
        )


def test_a_table_is_never_held_whole_and_never_written_to(database, tmp_path, postgres):
    with open_table(TableSource(database, query="many"), folder=tmp_path) as table:
        assert Scan.of_parquet(table.paths).rows == 200_000
    with pytest.raises(NotFoundError, match="cannot answer"):
        rows_of(TableSource(database, query="delete from many returning n"), tmp_path)
    assert postgres.execute("select count(*) from many", database.rpartition("/")[2]) == [(200_000,)]


def test_a_database_that_goes_away_in_the_middle_is_told(database, tmp_path, postgres, monkeypatch):
    write, name = sql_tables._write, database.rpartition("/")[2]

    kill = f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"  # noqa: S608 - ours

    def write_then_kill(names, parts, folder):
        def cut():
            yield next(parts)
            postgres.execute(kill)
            yield from parts

        return write(names, cut(), folder)

    monkeypatch.setattr(sql_tables, "_write", write_then_kill)
    with pytest.raises(ServiceUnreachableError, match="went away"):
        rows_of(TableSource(database, query="many"), tmp_path)
    assert list(tmp_path.iterdir()) == []


class Cut(BaseHTTPRequestHandler):
    """Promises more than it sends, then closes."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"PAR1" + b"x" * 1000)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def serve():
    servers = []

    def start(handler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_table_comes_over_http_or_is_told(serve, tmp_path):
    pq.write_table(TABLE, tmp_path / "t.parquet")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Say nothing."""

    url = serve(partial(Quiet, directory=str(tmp_path)))
    assert len(rows_of(f"{url}/t.parquet", tmp_path / "work")) == 1000
    with pytest.raises(NotFoundError, match="nothing there"):
        rows_of(f"{url}/gone.parquet", tmp_path / "work")
    with pytest.raises(ServiceUnreachableError, match="stopped in the middle"):
        rows_of(f"{serve(Cut)}/t.parquet", tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []


def test_a_table_comes_from_s3_or_is_told(object_store, tmp_path):
    bucket = object_store.new_bucket()
    for part in range(2):
        path = tmp_path / f"{part}.parquet"
        pq.write_table(TABLE.slice(part * 500, 500), path)
        object_store.client().upload_file(str(path), bucket, f"trips/{part}.parquet")
    access = S3Access(object_store.key, object_store.secret, endpoint=object_store.url)
    work = tmp_path / "work"
    for location in (f"s3://{bucket}/trips", f"s3://{bucket}/trips/*.parquet"):
        assert len(rows_of(TableSource(location, s3=access), work)) == 1000
    assert len(rows_of(TableSource(f"s3://{bucket}/trips/1.parquet", s3=access), work)) == 500
    with pytest.raises(NotFoundError, match="There is no table gone"):
        rows_of(TableSource(f"s3://{bucket}/gone", s3=access), work)
    wrong = S3Access(object_store.key, "wrong", endpoint=object_store.url)
    with pytest.raises(ServiceRefusedError, match="does not let us in"):
        rows_of(TableSource(f"s3://{bucket}/trips/1.parquet", s3=wrong), work)
