"""Airflow's store of connections and variables, on its real tables in memory: what goes in, what may be seen of it."""

from __future__ import annotations

import io
import json

import pytest
from airflow import settings
from airflow.models import crypto
from airflow.models.connection import Connection
from airflow.models.variable import Variable
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from airfoil.runtime import vault

pytestmark = pytest.mark.unit

FIELDS = {
    "conn_type": "postgres",
    "host": "db",
    "login": "ann",
    "password": "p@ss:1",
    "schema": "shop",
    "port": 5432,
    "extra": {"sslmode": "require", "token": "T0KEN"},
}


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "0FQ9sbbL2cGQZQHbTzH9cXJQcYBL3LKMzV4ZUmz4BRs=")
    crypto.get_fernet.cache_clear()
    engine = create_engine("sqlite://")
    Connection.__table__.create(engine)
    Variable.__table__.create(engine)
    with Session(engine) as found:
        yield found
    engine.dispose()
    crypto.get_fernet.cache_clear()


def test_what_goes_in_comes_out_and_is_encrypted(session):
    vault.set_connection(session, "shop_db", FIELDS)
    session.flush()
    row = vault.find_connection(session, "shop_db")
    assert row is not None
    assert vault.fields_of(row) == vault.normal(FIELDS)
    stored = str(session.execute(text("select * from connection")).one())
    assert "p@ss:1" not in stored
    assert "T0KEN" not in stored


def test_a_second_definition_replaces_every_field(session):
    vault.set_connection(session, "shop_db", FIELDS)
    vault.set_connection(session, "shop_db", {"conn_type": "http", "host": "h"})
    row = vault.find_connection(session, "shop_db")
    assert vault.fields_of(row) == vault.normal({"conn_type": "http", "host": "h"})


def test_a_list_shows_that_there_are_secrets_and_not_which(session):
    vault.set_connection(session, "shop_db", FIELDS)
    session.flush()
    (found,) = vault.list_connections(session)
    assert (found["name"], found["has_login"], found["has_password"]) == ("shop_db", True, True)
    assert found["extra"] == ["sslmode", "token"]
    assert not [secret for secret in ("ann", "p@ss", "T0KEN") if secret in json.dumps(found)]


def test_what_is_not_there_cannot_be_deleted(session):
    assert not vault.delete_connection(session, "shop_db")
    vault.set_connection(session, "shop_db", FIELDS)
    session.flush()
    assert vault.delete_connection(session, "shop_db")
    session.flush()
    assert vault.find_connection(session, "shop_db") is None


def test_variables_are_kept_shown_and_deleted(session):
    assert vault.show_variable(session, "limit") is None
    vault.set_variable(session, "limit", "10\nlines ü")
    vault.set_variable(session, "limit", "20")
    session.flush()
    assert vault.show_variable(session, "limit") == "20"
    assert vault.list_variables(session) == [{"key": "limit", "description": None}]
    assert vault.delete_variable(session, "limit")
    assert not vault.delete_variable(session, "limit")


def test_a_name_that_marks_a_secret_hides_the_value(session):
    vault.set_variable(session, "api_key", "s3cret")
    session.flush()
    assert vault.get_variable(session, "api_key") == "s3cret"
    assert vault.show_variable(session, "api_key") == vault.HIDDEN


@pytest.mark.parametrize("extra", [None, "", "{}", {}])
def test_an_empty_extra_has_one_form(extra):
    assert vault.normal({"conn_type": "http", "extra": extra}) == vault.normal({"conn_type": "http"})


def test_an_extra_that_is_no_json_is_not_lost():
    assert vault.normal({"extra": "key=1"})["extra"] == "key=1"


def asked(monkeypatch, capsys, request):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(request)))
    vault.main()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(vault.ANSWER)
    return json.loads(line.removeprefix(vault.ANSWER))


def test_a_request_on_stdin_is_answered_in_one_line(session, monkeypatch, capsys):
    monkeypatch.setattr(settings, "Session", lambda: session)
    assert asked(monkeypatch, capsys, {"do": "set_variable", "key": "a", "value": "1"}) == {"value": None}
    assert asked(monkeypatch, capsys, {"do": "show_variable", "key": "a"}) == {"value": "1"}


def test_a_database_that_refuses_is_one_line(session, monkeypatch, capsys):
    session.execute(text("drop table variable"))
    monkeypatch.setattr(settings, "Session", lambda: session)
    assert "no such table" in asked(monkeypatch, capsys, {"do": "list_variables"})["error"]
