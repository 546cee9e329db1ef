"""The form of a connection at a terminal: the fields of its type, secrets without echo."""

from __future__ import annotations

import getpass

import pytest

from airfoil.cli import connection_form
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit


@pytest.fixture
def person(monkeypatch):
    """Answers by the beginning of the question; what was asked, and how."""
    asked = []

    def make(**answers):
        def answer(question, *, secret):
            asked.append((question.partition(":")[0], secret))
            return next((text for start, text in answers.items() if question.lower().startswith(start)), "")

        monkeypatch.setattr("builtins.input", lambda question: answer(question, secret=False))
        monkeypatch.setattr(getpass, "getpass", lambda question: answer(question, secret=True))
        return asked

    return make


def test_our_own_types_ask_what_airflows_form_asks(person):
    asked = person(tracking="https://ml", user="ann", password="pw", token="T", tries="5")
    found = connection_form.ask_fields("mlflow")
    assert found["conn_type"] == "mlflow"
    assert (found["host"], found["login"], found["password"]) == ("https://ml", "ann", "pw")
    assert found["extra"] == {"token": "T", "tries": 5}
    questions = dict(asked)
    assert "Schema" not in questions, "hidden in the form"
    assert questions["Password (not shown)"]
    assert questions["Token (not shown)"]
    assert not questions["Tracking URI"]


def test_other_types_ask_the_standard_fields_and_an_object(person):
    person(host="db", port="5432", extra='{"sslmode": "require"}')
    found = connection_form.ask_fields("postgres")
    assert (found["port"], found["extra"]) == (5432, {"sslmode": "require"})


def test_the_type_is_asked_when_it_is_not_given(person):
    asked = person(type="http")
    assert connection_form.ask_fields("")["conn_type"] == "http"
    assert asked[0][0].startswith("Type")


@pytest.mark.parametrize(
    ("kind", "answers"),
    [("", {}), ("http", {"port": "eighty"}), ("http", {"extra": "[1]"}), ("mlflow", {"tries": "many"})],
)
def test_an_answer_that_does_not_fit_is_refused(person, kind, answers):
    person(**answers)
    with pytest.raises(ConfigurationError):
        connection_form.ask_fields(kind)
