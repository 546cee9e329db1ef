"""The MLflow hook: from connection fields to a client, without a trace in the environment."""

import asyncio
import json
import os
from types import SimpleNamespace

import httpx
import pytest
from airflow.sdk import Connection

from airfoil.clients.mlflow_http import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.errors import ConfigurationError, ServiceUnreachableError
from airfoil.provider.hooks import mlflow as module
from airfoil.provider.hooks.mlflow import MlflowHook, server_from

pytestmark = pytest.mark.unit


def connection(**fields):
    extra = json.dumps(fields.pop("extra", {}))
    return Connection(conn_id="mlflow_default", conn_type="mlflow", extra=extra, **fields)


@pytest.mark.parametrize(
    ("fields", "uri"),
    [
        ({"host": "http://127.0.0.1", "port": 5000}, "http://127.0.0.1:5000"),
        ({"host": "http://127.0.0.1:5000"}, "http://127.0.0.1:5000"),
        ({"host": "http://127.0.0.1:5001", "port": 5000}, "http://127.0.0.1:5001"),
        ({"host": "mlflow.test", "port": 5000}, "http://mlflow.test:5000"),
        ({"host": "mlflow.test", "schema": "https"}, "https://mlflow.test"),
        ({"host": " https://mlflow.test/base/ ", "port": 8443}, "https://mlflow.test:8443/base"),
    ],
)
def test_the_address_may_be_written_in_several_ways(fields, uri):
    assert server_from(connection(**fields)).uri == uri


def test_every_field_is_read_by_name():
    extra = {"token": "t", "ca_file": "/ca.pem", "timeout_seconds": "2.5", "tries": 5, "other": "ignored"}
    given = connection(host="https://mlflow.test", login="ana", password="pw", extra=extra)
    assert server_from(given) == MlflowServer(
        "https://mlflow.test", "ana", "pw", token="t", ca_file="/ca.pem", timeout_seconds=2.5, tries=5
    )


def test_a_run_is_linked_where_people_find_it():
    extra = {"browser_url": " https://ml.example.com/mlflow "}
    server = server_from(connection(host="http://mlflow:5000/mlflow", extra=extra))
    assert (server.uri, server.page) == ("http://mlflow:5000/mlflow", "https://ml.example.com/mlflow")


def test_empty_fields_of_the_form_mean_the_defaults():
    extra = {"token": "", "ca_file": None, "timeout_seconds": "", "tries": None, "browser_url": ""}
    assert server_from(connection(host="http://m", login="", extra=extra)) == MlflowServer("http://m")


def test_a_connection_without_host_says_what_to_enter():
    with pytest.raises(ConfigurationError, match="'mlflow_default' has no host") as caught:
        server_from(connection())
    assert "http://127.0.0.1:5000" in caught.value.next_move


@pytest.mark.parametrize("bad", ["soon", "0", -1])
def test_a_number_that_makes_no_sense_is_named(bad):
    with pytest.raises(ConfigurationError, match="'timeout_seconds'"):
        server_from(connection(host="http://m", extra={"timeout_seconds": bad}))


def test_the_connection_is_found_by_its_id(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps({"conn_type": "mlflow", "host": "http://other:1"}))
    before = dict(os.environ)
    with MlflowHook("other").get_conn() as tracking:
        assert tracking.uri == "http://other:1"
    assert dict(os.environ) == before


def test_a_trigger_gets_a_client_that_does_not_block(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps({"conn_type": "mlflow", "host": "http://other:1"}))

    async def address():
        async with await MlflowHook("other").async_http() as http:
            return http.server.uri

    assert asyncio.run(address()) == "http://other:1"


def hook_to(monkeypatch, server):
    """A hook whose requests are answered by `server`."""
    real = module.MlflowHttp
    monkeypatch.setenv("AIRFLOW_CONN_MLFLOW_DEFAULT", "mlflow://mlflow.test:5000")
    monkeypatch.setattr(
        module,
        "MlflowHttp",
        lambda address: real(address, pause=lambda _: None, transport=httpx.MockTransport(server)),
    )
    return MlflowHook()


def test_the_test_button_reports_success(monkeypatch):
    hook = hook_to(monkeypatch, lambda _: httpx.Response(200, json={}))
    assert hook.test_connection() == (True, "MLflow answers at http://mlflow.test:5000")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(401, text="login"), "refused us"),
        (httpx.Response(200, text="<html>"), "does not speak like an MLflow server"),
    ],
)
def test_the_test_button_reports_failure_in_words(monkeypatch, answer, words):
    working, message = hook_to(monkeypatch, lambda _: answer).test_connection()
    assert not working
    assert words in message


def context(try_number=1):
    return {
        "dag_run": SimpleNamespace(dag_id="shop"),
        "run_id": "manual__1",
        "ti": SimpleNamespace(try_number=try_number),
    }


def test_a_dag_run_has_one_mlflow_run(monkeypatch):
    server = FakeMlflow()
    hook = hook_to(monkeypatch, server)
    with pytest.raises(ZeroDivisionError), hook.run_of(context()) as run:
        raise ZeroDivisionError
    assert server.run_of("manual__1")["info"]["status"] == "FAILED"
    with hook.run_of(context(2)) as again:
        assert again.id == run.id
    kept = server.run_of("manual__1")
    assert kept["info"]["status"] == "FINISHED"
    assert kept["info"]["experiment_id"] == server.experiment_id("shop")
    assert (kept["tags"]["airflow.dag_id"], kept["tags"]["airflow.run_id"]) == ("shop", "manual__1")


def test_a_server_that_is_gone_fails_the_task_with_its_address(monkeypatch):
    server = FakeMlflow()
    server.faults.away = True
    with (
        pytest.raises(ServiceUnreachableError, match=r"mlflow\.test:5000.*refused"),
        hook_to(monkeypatch, server).run_of(context()),
    ):
        pass
