"""Connections as text: read as Airflow reads them, and refused without showing what they hold."""

from __future__ import annotations

import json

import pytest

from airfoil.errors import ConfigurationError
from airfoil.stack.connection_uri import check_name, parse_connection, parse_extra

pytestmark = pytest.mark.unit

ADDRESSES = [
    "postgres://ann:p%40ss%3A1@db.example.com:5432/shop?sslmode=require&timeout=10",
    "postgresql://ann@db/shop",
    "http://",
    "http://host",
    "https://host:8443/path%2Fx",
    "mlflow://https%3A%2F%2Fml.example.com",
    "mlflow://https://ml.example.com:8443",
    "google-cloud-platform://?project=x",
    "aws://AKIA:se%2Fcret@/?region_name=eu-west-1",
    "generic://:only-password@",
    'http://h/?__extra__={"a":{"b":1}}',
    "sqlite:///relative.db",
    "redis://:p@10.0.0.1:6379/0",
    "http://Host.UPPER:80",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_means_what_it_means_to_airflow(address):
    from airflow.models.connection import Connection

    theirs, ours = Connection(conn_id="x", uri=address), parse_connection(address)
    for name in ("conn_type", "host", "login", "password", "schema", "port"):
        assert (ours[name] or None) == (getattr(theirs, name) or None), name
    assert ours["extra"] == theirs.extra_dejson


def test_an_object_means_what_it_means_to_airflow():
    from airflow.models.connection import Connection

    text = json.dumps(
        {"conn_type": "aws", "login": "k", "password": "s", "port": "9000", "extra": {"region": "x"}}
    )
    theirs, ours = Connection.from_json(text, conn_id="x"), parse_connection(text)
    assert (ours["conn_type"], ours["login"], ours["password"]) == ("aws", theirs.login, theirs.password)
    assert ours["port"] == theirs.port
    assert ours["extra"] == theirs.extra_dejson


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "S3CRET",
        "S3CRET@host",
        "://S3CRET",
        "a://b://c://S3CRET",
        "http://ann:S3CRET@host:99999",
        "http://ann:S3CRET@[::1",
        '{"password": "S3CRET"}',
        '{"conn_type": "", "password": "S3CRET"}',
        '{"conn_type": "x", "extra": "S3CRET"}',
        '{"conn_type": "x", "extra": ["S3CRET"]}',
        '{"conn_type": "x", "port": "S3CRET"}',
        '{"conn_type": "x", "port": 0, "pass": "S3CRET"}',
        '{"conn_type": "x", "S3CRET',
    ],
)
def test_what_is_no_connection_is_refused_without_a_word_of_it(text):
    with pytest.raises(ConfigurationError) as error:
        parse_connection(text)
    assert error.value.next_move
    assert "S3CRET" not in f"{error.value} {error.value.next_move} {error.value.__cause__}"


@pytest.mark.parametrize("given", ["", "{}", {}])
def test_no_extra_is_an_empty_one(given):
    assert parse_extra(given) == {}


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 201, "a\n", "ü", "$(x)"])
def test_a_name_that_airflow_refuses(name):
    with pytest.raises(ConfigurationError, match="cannot be the name"):
        check_name(name)


def test_a_good_name():
    assert check_name("shop_db.eu-1") == "shop_db.eu-1"
