"""What a connection says about a store, a database or a web server; nothing of it ends up anywhere else."""

from __future__ import annotations

import json
import os

import pytest
from airflow.sdk import Connection

from airfoil.clients.remote_files import S3Access
from airfoil.errors import ConfigurationError, NotFoundError
from airfoil.provider.source_access import connection, http_address, s3_access, sql_address

pytestmark = pytest.mark.unit


@pytest.fixture
def known(monkeypatch):
    """How to have a connection."""

    def add(conn_id, **fields):
        extra = json.dumps(fields.pop("extra", {}))
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields | {"extra": extra}))

    return add


def made(**fields):
    return Connection(conn_id="it", **fields | {"extra": json.dumps(fields.get("extra", {}))})


def test_the_usual_connection_opens_a_store_and_leaves_the_environment_alone(known):
    before = dict(os.environ)
    assert s3_access("") == S3Access(), "without any, what the machine has"
    assert dict(os.environ) == before
    known(
        "aws_default",
        conn_type="aws",
        login="key",
        password="secret",
        extra={"endpoint_url": "http://localhost:9000", "region_name": "eu-west-1", "aws_session_token": "t"},
    )
    assert s3_access("") == S3Access("key", "secret", "t", "http://localhost:9000", "eu-west-1")


def test_further_ways_to_write_a_store_down(known):
    known("a", conn_type="aws", extra={"aws_access_key_id": "k", "aws_secret_access_key": "s"})
    assert (s3_access("a").key, s3_access("a").secret) == ("k", "s")
    known("b", conn_type="aws", extra={"service_config": {"s3": {"endpoint_url": "http://s3"}}})
    assert s3_access("b").endpoint == "http://s3"
    known("c", conn_type="aws", extra={"config_kwargs": {"signature_version": "unsigned"}})
    assert s3_access("c").anonymous


def test_what_cannot_be_used_is_said_and_not_passed_over(known):
    known("roles", conn_type="aws", extra={"role_arn": "arn:aws:iam::1:role/x"})
    with pytest.raises(ConfigurationError, match="'roles' has a 'role_arn'"):
        s3_access("roles")
    with pytest.raises(NotFoundError, match="no connection 'gone' in Airflow"):
        s3_access("gone")
    with pytest.raises(NotFoundError, match="no connection 'gone'"):
        connection("gone")


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        (
            {
                "conn_type": "postgres",
                "host": "db",
                "port": 5433,
                "login": "ana",
                "password": "p@s/w",
                "schema": "shop",
            },
            "postgresql://ana:p%40s%2Fw@db:5433/shop",
        ),
        (
            {
                "conn_type": "postgres",
                "host": "db",
                "schema": "shop",
                "extra": {"sslmode": "require", "cursor": "x"},
            },
            "postgresql://db/shop?sslmode=require",
        ),
        ({"conn_type": "sqlite", "host": "/data/shop.db"}, "sqlite:////data/shop.db"),
        (
            {"conn_type": "odbc", "host": "db", "extra": {"sqlalchemy_scheme": "mssql+pyodbc"}},
            "mssql+pyodbc://db",
        ),
    ],
)
def test_a_database_has_an_address(fields, address):
    assert sql_address(made(**fields)) == address


def test_a_web_server_gets_its_headers_and_no_other_does():
    server = made(
        conn_type="http",
        host="files.example.com",
        schema="https",
        port=8443,
        login="ana",
        password="pw",
        extra={"headers": {"X-Key": "k"}, "timeout": 3},
    )
    address, headers = http_address(server, "/trips/may.parquet")
    assert address == "https://files.example.com:8443/trips/may.parquet"
    assert headers == {"X-Key": "k", "Authorization": "Basic YW5hOnB3"}
    assert http_address(server, "https://files.example.com:8443/x.csv")[0].endswith("/x.csv")
    with pytest.raises(ConfigurationError, match=r"is for files\.example\.com:8443, not for evil\.example"):
        http_address(server, "https://evil.example/x.csv")
    with pytest.raises(ConfigurationError, match="is for no server"):
        http_address(made(conn_type="http"), "x.csv")


def test_a_server_below_a_path_keeps_it():
    server = made(conn_type="http", host="http://h/base")
    assert http_address(server, "x.csv") == ("http://h/base/x.csv", {})
