"""Tables opened where they lie, those of web servers from kept copies."""

from __future__ import annotations

import io

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airfoil.clients.kept_files import FileKeeper
from airfoil.errors import NotFoundError
from airfoil.provider.kept_tables import open_kept_tables

pytestmark = pytest.mark.unit


def parquet():
    file = io.BytesIO()
    pq.write_table(pa.table({"x": [1, 2, 3]}), file)
    return file.getvalue()


def answer(headers):
    return httpx.Response(200, stream=httpx.ByteStream(parquet()), headers=headers)


@pytest.fixture
def keeper(tmp_path):
    def answered(request):
        is_known = request.headers.get("if-none-match") == '"one"'
        return httpx.Response(304) if is_known else answer({"etag": '"one"'})

    return FileKeeper(tmp_path / "kept", transport=httpx.MockTransport(answered))


def test_a_table_of_the_web_is_known_by_its_address_and_etag(keeper):
    for _ in range(2):
        with open_kept_tables(["https://data.example/m.parquet?token=x"], keeper=keeper) as (table,):
            assert table.scan.name == "m.parquet"
            assert table.scan.count() == 3
            assert table.ref.uri == "https://data.example/m.parquet"
            assert (table.ref.content_hash, table.ref.rows) == ('"one"', 3)


def test_a_time_is_a_digest_as_a_whole(tmp_path):
    """MLflow is shown what stands after the last colon, and that is the same for all files of GMT."""
    changed = {"last-modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    keeper = FileKeeper(tmp_path, transport=httpx.MockTransport(lambda _: answer(changed)))
    with open_kept_tables(["https://x.example/m.parquet"], keeper=keeper) as (table,):
        assert table.ref.content_hash == "Wed, 21 Oct 2015 072800 GMT"


def test_local_tables_are_read_where_they_lie(tmp_path, keeper):
    (tmp_path / "m.parquet").write_bytes(parquet())
    dag_file = str(tmp_path / "dag.py")
    with open_kept_tables(["m.parquet", str(tmp_path)], dag_file=dag_file, keeper=keeper) as tables:
        assert [one.scan.count() for one in tables] == [3, 3]
        assert tables[0].ref.uri == str(tmp_path / "m.parquet")
        assert tables[0].ref.content_hash == f"size:3 rows, {len(parquet())} bytes"
    assert not (tmp_path / "kept").exists()


def test_what_is_written_anew_lies_where_it_is_told(tmp_path, keeper):
    (tmp_path / "m.csv").write_text("x\n1\n2\n")
    with open_kept_tables([str(tmp_path / "m.csv")], folder=tmp_path / "work", keeper=keeper) as (table,):
        assert table.scan.count() == 2
        assert list((tmp_path / "work").rglob("m.csv"))
    assert not list((tmp_path / "work").iterdir())


def test_what_is_not_there_is_told(tmp_path, keeper):
    with pytest.raises(NotFoundError), open_kept_tables([str(tmp_path / "none.parquet")], keeper=keeper):
        pass


def test_copies_lie_in_the_work_area(tmp_path, monkeypatch, keeper):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path))
    made = []
    monkeypatch.setattr(
        "airfoil.provider.kept_tables.FileKeeper",
        lambda folder, keep: made.append((folder, keep)) or keeper,
    )
    for keep in ({}, {"keep": 60}):
        with open_kept_tables(["https://data.example/m.parquet"], **keep):
            pass
    assert made == [(tmp_path / ".sources", 24), (tmp_path / ".sources", 60)]
