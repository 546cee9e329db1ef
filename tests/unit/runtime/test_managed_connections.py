"""Connections that follow from the settings: ours follow them, a person's stay, and the database remembers which."""

from __future__ import annotations

import json

import pytest
from airflow import settings
from airflow.models.connection import Connection
from airflow.models.variable import Variable
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from airfoil.runtime import managed_connections, vault

pytestmark = pytest.mark.unit

FIVE = {"mlflow_default": {"conn_type": "mlflow", "description": "ours", "host": "http://h", "port": 5000}}
SIX = {"mlflow_default": {**FIVE["mlflow_default"], "port": 6000}}
VARIABLES = {"airfoil_project": "shop"}


class Database:
    """A database of its own, which Airflow uses while it is entered."""

    def __init__(self) -> None:
        from sqlalchemy.pool import StaticPool

        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        for model in (Connection, Variable):
            model.__table__.create(self.engine)
        self.session = sessionmaker(self.engine)

    def port(self) -> object:
        with self.session() as session:
            row = vault.find_connection(session, "mlflow_default")
            return None if row is None else row.port

    def by_hand(self, **changes: object) -> None:
        with self.session() as session:
            row = vault.find_connection(session, "mlflow_default")
            for name, value in changes.items():
                setattr(row, name, value)
            session.commit()

    def delete(self) -> None:
        with self.session() as session:
            vault.delete_connection(session, "mlflow_default")
            session.commit()


@pytest.fixture
def database(monkeypatch):
    made = Database()
    monkeypatch.setattr(settings, "Session", made.session)
    yield made
    made.engine.dispose()


def apply(connections=None):
    return managed_connections.apply(FIVE if connections is None else connections, VARIABLES)


def test_what_is_ours_follows_the_settings(database):
    assert apply() == []
    assert database.port() == 5000
    assert apply(SIX) == []
    assert database.port() == 6000


def test_a_second_time_nothing_is_written(database):
    apply()
    with database.session() as session:
        before = vault.get_variable(session, managed_connections.MEMORY)
    database.engine.echo = False
    statements = []
    from sqlalchemy import event

    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    apply()
    assert not [text for text in statements if not text.lstrip().upper().startswith("SELECT")]
    with database.session() as session:
        assert vault.get_variable(session, managed_connections.MEMORY) == before


def test_a_persons_change_stays_and_is_told_once_it_matters(database):
    apply()
    database.by_hand(port=7777)
    assert apply() == [], "the settings are as they were: there is nothing to tell"
    assert apply(SIX) == ["mlflow_default"]
    assert database.port() == 7777


def test_a_new_password_by_hand_is_a_change(database):
    apply()
    database.by_hand(password="mine")
    assert apply(SIX) == ["mlflow_default"]


def test_deleting_it_gives_ours_back(database):
    apply()
    database.by_hand(port=7777)
    database.delete()
    assert apply(SIX) == []
    assert database.port() == 6000


def test_a_change_that_meets_ours_is_ours_again(database):
    apply()
    database.by_hand(port=6000)
    assert apply(SIX) == []
    assert apply(FIVE) == []
    assert database.port() == 5000


def test_what_somebody_made_before_us_stays(database):
    with database.session() as session:
        vault.set_connection(session, "mlflow_default", {"conn_type": "mlflow", "host": "theirs", "port": 1})
        session.commit()
    assert apply() == ["mlflow_default"]
    assert database.port() == 1


def test_what_an_earlier_release_wrote_is_known_by_its_description(database):
    with database.session() as session:
        vault.set_connection(session, "mlflow_default", FIVE["mlflow_default"])
        session.commit()
    assert apply(SIX) == []
    assert database.port() == 6000


@pytest.mark.parametrize("memory", ["", "{", "[]", "null", '"x"'])
def test_a_damaged_memory_is_no_memory(database, memory):
    apply()
    with database.session() as session:
        vault.set_variable(session, managed_connections.MEMORY, memory)
        session.commit()
    assert apply(SIX) == []
    assert database.port() == 6000


def test_a_users_variable_stays(database):
    with database.session() as session:
        vault.set_variable(session, "airfoil_project", "mine")
        session.commit()
    apply()
    with database.session() as session:
        assert vault.get_variable(session, "airfoil_project") == "mine"


def test_the_memory_tells_no_secret(database):
    apply({"mlflow_default": {**FIVE["mlflow_default"], "password": "s3cret"}})
    with database.session() as session:
        memory = vault.get_variable(session, managed_connections.MEMORY) or ""
    assert "s3cret" not in memory
    assert set(json.loads(memory)) == {"mlflow_default", "variable airfoil_project"}


def variable(database, key):
    with database.session() as session:
        return vault.get_variable(session, key)


def set_by_hand(database, key, value):
    with database.session() as session:
        vault.set_variable(session, key, value)
        session.commit()


def test_a_variable_follows_us_until_a_person_changes_it(database):
    for value in ("http://127.0.0.1:8081/x", "http://127.0.0.1:8082/x"):
        managed_connections.apply({}, {"crawl_url": value})
        assert variable(database, "crawl_url") == value
    set_by_hand(database, "crawl_url", "https://example.com/mine.csv")
    managed_connections.apply({}, {"crawl_url": "http://127.0.0.1:8083/x"})
    assert variable(database, "crawl_url") == "https://example.com/mine.csv"


def test_a_variable_that_was_there_before_us_is_left_alone(database):
    set_by_hand(database, "accuracy_threshold", "0.95")
    for value in ("0.8", "0.7"):
        managed_connections.apply({}, {"accuracy_threshold": value})
    assert variable(database, "accuracy_threshold") == "0.95"


def test_a_variable_may_be_empty(database):
    managed_connections.apply({}, {"notification_email": ""})
    assert variable(database, "notification_email") == ""
    managed_connections.apply({}, {"notification_email": "ana@example.com"})
    assert variable(database, "notification_email") == "ana@example.com"
