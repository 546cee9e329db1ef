"""Connections and variables over the API and by a process: the same answers, and no secret where it does not belong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from airfoil.errors import AirfoilError, NeighbourError, ServiceAnswerError
from airfoil.stack import airflow_store
from airfoil.stack.airflow_rest import AirflowRest
from airfoil.stack.airflow_store import HIDDEN, ProcessStore, RestStore

pytestmark = pytest.mark.unit

API = "/api/v2"
PYTHON = sys.executable
FIELDS = {"conn_type": "http", "host": "h", "password": "s3cret", "port": 80, "extra": {"a": 1}}


@pytest.fixture
def rest(http_server, answer):
    http_server.on("POST", "/auth/token", answer({"access_token": "t"}, 201))
    with AirflowRest(http_server.url, "admin", "pw") as airflow:
        yield RestStore(airflow)


def test_a_new_connection_is_created(rest, http_server, answer):
    http_server.on("POST", f"{API}/connections", answer({}, 201))
    rest.set_connection("shop", FIELDS)
    (request,) = http_server.asked(f"{API}/connections")
    assert request.body["connection_id"] == "shop"
    assert (request.body["password"], request.body["login"]) == ("s3cret", None)
    assert json.loads(request.body["extra"]) == {"a": 1}


def test_one_that_exists_is_replaced(rest, http_server, answer):
    http_server.on("POST", f"{API}/connections", answer({"detail": "exists"}, 409))
    http_server.on("PATCH", f"{API}/connections/shop", answer({}))
    rest.set_connection("shop", FIELDS)
    assert http_server.asked(f"{API}/connections/shop")[0].body["host"] == "h"


def test_an_old_password_does_not_survive_a_definition_without_one(rest, http_server, answer):
    http_server.on("POST", f"{API}/connections", answer({"detail": "exists"}, 409), answer({}, 201))
    http_server.on("DELETE", f"{API}/connections/shop", answer("", 204))
    rest.set_connection("shop", {"conn_type": "http"})
    assert [request.method for request in http_server.asked(f"{API}/connections/shop")] == ["DELETE"]
    assert len(http_server.asked(f"{API}/connections")) == 2


def test_a_list_holds_no_secret_even_if_airflow_gave_some(rest, http_server, answer):
    row = {
        "connection_id": "shop",
        "conn_type": "http",
        "login": "LOGIN",
        "password": "S3",
        "extra": '{"k": "S3"}',
    }
    http_server.on(
        "GET", f"{API}/connections", answer({"connections": [row, {"connection_id": "b", "extra": "S3"}]})
    )
    found = rest.connections()
    assert (found[0]["has_login"], found[0]["has_password"], found[0]["extra"]) == (True, True, ["k"])
    assert found[1]["extra"] == []
    assert "S3" not in json.dumps(found)
    assert "LOGIN" not in json.dumps(found)


@pytest.mark.parametrize(
    ("kind", "method"), [("connections", "delete_connection"), ("variables", "delete_variable")]
)
def test_deleting_tells_whether_there_was_one(rest, http_server, answer, kind, method):
    http_server.on("DELETE", f"{API}/{kind}/x", answer("", 204), answer({"detail": "no"}, 404))
    assert getattr(rest, method)("x")
    assert not getattr(rest, method)("x")


def test_variables(rest, http_server, answer):
    http_server.on(
        "GET", f"{API}/variables", answer({"variables": [{"key": "a", "value": "S3", "description": None}]})
    )
    http_server.on("GET", f"{API}/variables/a", answer({"key": "a", "value": "1"}))
    http_server.on("GET", f"{API}/variables/b", answer({"detail": "no"}, 404))
    http_server.on("POST", f"{API}/variables", answer({"detail": "exists"}, 409))
    http_server.on("PATCH", f"{API}/variables/a", answer({}))
    assert rest.variables() == [{"key": "a", "description": None}]
    assert (rest.variable("a"), rest.variable("b")) == ("1", None)
    rest.set_variable("a", "2")
    assert http_server.asked(f"{API}/variables/a")[-1].body == {"key": "a", "value": "2"}


def test_a_refusal_is_an_error(rest, http_server, answer):
    http_server.on("POST", f"{API}/connections", answer({"detail": [{"msg": "bad host"}]}, 422))
    with pytest.raises(ServiceAnswerError, match="bad host"):
        rest.set_connection("shop", FIELDS)


# -- by a process


@pytest.fixture
def process(tmp_path, monkeypatch):
    """A store whose process is a few lines of Python."""

    def make(code: str) -> ProcessStore:
        script = tmp_path / "python"
        script.write_text(f"#!{PYTHON}\nimport json, os, sys\n{code}\n", encoding="utf-8")
        script.chmod(0o700)
        monkeypatch.setattr(airflow_store.sys, "executable", str(script))
        database = tmp_path / "airflow.db"
        database.touch()
        return ProcessStore({"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database}", "MARK": "x"})

    return make


def test_a_value_travels_through_stdin_alone(process, tmp_path):
    store = process(
        "seen = json.dumps([sys.argv[1:], sys.stdin.read(), os.environ['MARK']])\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(seen)\n"
        "print('noise'); print('airfoil-answer: {\"value\": null}')"
    )
    store.set_variable("limit", "s3cret")
    argv, request, mark = json.loads((tmp_path / "seen").read_text())
    assert argv == ["-m", "airfoil.runtime.vault"]
    assert json.loads(request) == {"do": "set_variable", "key": "limit", "value": "s3cret"}
    assert mark == "x"


def test_an_answer_is_handed_on(process):
    assert process("print('airfoil-answer: {\"value\": [1]}')").variables() == [1]
    assert process(f'print(\'airfoil-answer: {{"value": "{HIDDEN}"}}\')').variable("token") == HIDDEN


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ('print(\'airfoil-answer: {"error": "no such table: connection"}\')', "no such table: connection"),
        ("sys.exit('something broke')", "exit code 1: something broke"),
        ("os.kill(os.getpid(), 9)", "exit code -9: no word"),
    ],
)
def test_a_process_that_fails_is_one_sentence(process, code, words):
    with pytest.raises(AirfoilError, match=words) as error:
        process(code).connections()
    assert error.value.next_move


def test_without_a_database_nothing_is_made(tmp_path):
    store = ProcessStore({"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path / 'no.db'}"})
    with pytest.raises(NeighbourError, match="no database yet"):
        store.set_variable("a", "1")
    assert list(Path(tmp_path).iterdir()) == []
