"""Faults on request: each hits the requests it is meant for, and clients meet what they would meet."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from airfoil.clients import exchange
from airfoil.clients.claims import Claims
from airfoil.clients.mlflow_async_http import MlflowAsyncHttp
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.errors import ServiceAnswerError, ServiceUnreachableError

pytestmark = pytest.mark.unit

CREATE, GET = "mlflow/experiments/create", "mlflow/experiments/get-by-name"


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def http(server, pauses):
    address = MlflowServer("http://mlflow.test", tries=3)
    with MlflowHttp(address, transport=httpx.MockTransport(server), pause=pauses.append) as client:
        yield client


def make(http):
    http.post("api/2.0/mlflow/experiments/create", {"name": "wine"}, repeatable=False)


def test_the_next_calls_fail_and_then_it_works(server, http, pauses):
    server.faults.fail_next(CREATE, times=2)
    make(http)
    assert (server.calls.count(CREATE), pauses) == (3, [0.5, 1.0])


def test_only_the_path_that_was_named_fails(server, http):
    server.faults.fail_next("mlflow/runs/*", 500, times=9)
    make(http)
    with pytest.raises(ServiceAnswerError, match="told to fail"):
        http.post("api/2.0/mlflow/runs/search", {})


def test_a_lost_answer_was_carried_out(server, http):
    server.faults.lose_answer(CREATE)
    with pytest.raises(ServiceUnreachableError):
        make(http)
    assert "wine" in server.experiments
    assert server.calls == [CREATE]


def test_nobody_answers_while_it_is_away(server, http):
    server.faults.away = True
    with pytest.raises(ServiceUnreachableError, match="refused"):
        make(http)
    server.faults.away = False
    make(http)


def test_it_is_too_slow_for_an_impatient_client_only(server, http):
    server.faults.delay_seconds = 11
    with pytest.raises(ServiceUnreachableError, match="no answer in time"):
        make(http)
    assert "wine" in server.experiments  # a slow server carries out what nobody waits for
    server.faults.delay_seconds = 9
    http.get("api/2.0/mlflow/experiments/get-by-name", experiment_name="wine")


def test_somebody_comes_in_between(server, http):
    def somebody():
        http.do(Claims().claim("a", "cell", "theirs"))

    mine = Claims()
    http.do(mine.anchor_id("a"))
    server.faults.meanwhile("mlflow/runs/log-parameter", somebody)
    assert http.do(mine.claim("a", "cell", "mine")) == "theirs"


def test_async_clients_meet_the_same(server):
    server.faults.fail_next(GET)
    pauses = []

    async def wait(seconds):
        pauses.append(seconds)

    async def look():
        address = MlflowServer("http://mlflow.test")
        async with MlflowAsyncHttp(address, pause=wait, transport=httpx.MockTransport(server)) as http:
            return await http.do(exchange.get(f"api/2.0/{GET}", experiment_name="Default"))

    assert asyncio.run(look())["experiment"]["experiment_id"] == "0"
    assert pauses == [0.5]
