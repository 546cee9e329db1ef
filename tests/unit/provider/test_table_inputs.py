"""What may be given for a table, what becomes of it, and that a credential is never shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.sdk import Asset

from airfoil.clients.csv_tables import CsvFormat
from airfoil.clients.table_sources import TableSource
from airfoil.errors import ConfigurationError, NotFoundError
from airfoil.provider.datasets import Dataset
from airfoil.provider.table_inputs import address_of, assets_in, plain_data, table_source
from airfoil.records import DataRef

pytestmark = pytest.mark.unit
REF = DataRef(uri="file:///work/t.parquet", content_hash="sha256:x", rows=3)


@pytest.fixture
def warehouse(monkeypatch):
    fields = {"conn_type": "postgres", "host": "db", "login": "ana", "password": "hidden", "schema": "shop"}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(fields))


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("s3://lake/trips", "s3://lake/trips"),
        (Path("/data/t.csv"), "/data/t.csv"),
        (REF, REF.to_json()),
        (Dataset("trips", "s3://lake/trips"), {"location": "s3://lake/trips", "name": "trips"}),
        ({"query": "orders", "conn_id": "w"}, {"query": "orders", "conn_id": "w"}),
        (None, None),
    ],
)
def test_a_table_is_json_in_a_dag_file(given, plain):
    assert plain_data(given) == plain


def test_a_dataset_of_no_place_is_refused_where_a_table_is_needed():
    with pytest.raises(ConfigurationError, match="'trips' does not say where it lies"):
        plain_data(Dataset("trips"))


def test_assets_are_what_a_task_reads():
    lake = Asset(name="lake", uri="s3://lake/x")
    assert assets_in("s3://lake/x", lake, REF) == [lake]


def test_a_location_a_reference_and_a_mapping_lead_to_the_same(tmp_path):
    (tmp_path / "t.csv").write_text("a\n1\n")
    dag_file = str(tmp_path / "dag.py")
    assert table_source("t.csv", dag_file=dag_file).location == str(tmp_path / "t.csv")
    assert table_source({"location": "t.csv"}, dag_file=dag_file).location == str(tmp_path / "t.csv")
    assert table_source(REF.to_json()).location == REF.uri
    assert table_source("t.csv").location == "t.csv", "nobody knows a DAG file"
    with pytest.raises(NotFoundError, match=r"no gone\.csv"):
        table_source("gone.csv", dag_file=dag_file)


def test_a_table_has_the_name_that_it_is_given_and_a_csv_file_its_format():
    given = {"location": "/x.csv", "name": "trips", "csv": {"delimiter": ";", "types": {"zip": "string"}}}
    source = table_source(given, name="other")
    assert source == TableSource("/x.csv", name="trips", csv=CsvFormat(";", types={"zip": "string"}))
    assert table_source("/x.csv", name="other").called == "other"


def test_a_query_goes_to_the_database_of_its_connection(warehouse):
    source = table_source({"query": "public.orders", "conn_id": "warehouse"})
    assert (source.location, source.query) == ("postgresql://ana:hidden@db/shop", "public.orders")
    assert "hidden" not in repr(source)
    assert address_of(source) == "postgresql://db/shop"


def test_a_store_is_opened_by_its_connection(monkeypatch):
    fields = {"conn_type": "aws", "login": "k", "password": "s", "extra": '{"endpoint_url": "http://s3"}'}
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps(fields))
    source = table_source({"location": "s3://lake/trips", "conn_id": "lake"})
    assert (source.s3.key, source.s3.endpoint) == ("k", "http://s3")
    assert "'k'" not in repr(source)


def test_a_web_server_is_opened_by_its_connection(monkeypatch):
    fields = {"conn_type": "http", "host": "h", "login": "ana", "password": "pw"}
    monkeypatch.setenv("AIRFLOW_CONN_FILES", json.dumps(fields))
    source = table_source({"location": "trips.parquet", "conn_id": "files"})
    assert source.location == "http://h/trips.parquet"
    assert source.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://ana:pw@host:1/a.csv?token=x#y", "https://host:1/a.csv"),
        ("s3://lake/trips/*.parquet", "s3://lake/trips/*.parquet"),
        ("/data/größe 1/t.csv", "/data/größe 1/t.csv"),
        ("C:\\data\\t.csv", "C:\\data\\t.csv"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(location, shown):
    assert address_of(TableSource(location)) == shown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "The argument 'data' names no table"),
        ({"name": "x"}, "The argument 'data' names no table"),
        ({"query": "orders"}, "names no table"),
        (None, "is no table: None"),
        (7, "is no table: 7"),
        ({"uri": "x"}, "says 'uri', which means nothing"),
        ({"content_hash": "x"}, "should be DataRef"),
        ({"location": "/x.csv", "csv": {"separator": ";"}}, "how a CSV file is written"),
        ({"location": "/x.csv", "csv": ";"}, "how a CSV file is written"),
        ({"location": "x", "conn_id": "warehouse"}, "leads to a database"),
        ({"conn_id": "warehouse", "location": "x", "query": "y"}, "leads to a database"),
        ({"query": "x", "conn_id": "gone"}, "no connection 'gone'"),
    ],
)
def test_what_is_no_table_is_said(warehouse, given, said):
    with pytest.raises(ConfigurationError, match=said):
        table_source(given)
