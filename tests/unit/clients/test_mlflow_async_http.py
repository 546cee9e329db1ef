"""The async client carries out the same exchanges as the plain one."""

import asyncio

import httpx
import pytest

from airfoil.clients import exchange
from airfoil.clients.mlflow_async_http import MlflowAsyncHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.errors import NotFoundError, ServiceUnreachableError

pytestmark = pytest.mark.unit


def carry_out(conversation, *answers, tries=3):
    """Carry it out against prepared answers; return the result, the bodies that were sent, and the pauses."""
    left, bodies, pauses = list(answers), [], []

    async def handle(request):
        bodies.append(request.read())
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def wait(seconds):
        pauses.append(seconds)

    async def work():
        server = MlflowServer("http://mlflow.test", tries=tries)
        async with MlflowAsyncHttp(server, pause=wait, transport=httpx.MockTransport(handle)) as http:
            return await http.do(conversation)

    return asyncio.run(work()), bodies, pauses


def test_passing_failures_are_tried_again_with_growing_pauses():
    done, _, pauses = carry_out(
        exchange.get("x"), httpx.ConnectError("no"), httpx.Response(503), httpx.Response(200, json={"a": 1})
    )
    assert done == {"a": 1}
    assert pauses == [0.5, 1.0]


def test_the_last_failure_is_one_of_our_errors():
    with pytest.raises(ServiceUnreachableError, match="no answer in time"):
        carry_out(exchange.get("x"), *[httpx.ReadTimeout("slow")] * 2, tries=2)


def test_an_exchange_hears_of_failures_and_may_go_on():
    def look():
        try:
            yield from exchange.get("x")
        except NotFoundError:
            yield from exchange.pause(3)
            return (yield from exchange.post("y", {"b": 2}))

    done, bodies, pauses = carry_out(look(), httpx.Response(404), httpx.Response(200, json={"c": 3}))
    assert done == {"c": 3}
    assert bodies[1] == b'{"b":2}'
    assert pauses == [3]


def test_a_file_is_sent_whole(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(b"0123456789")
    _, bodies, _ = carry_out(exchange.put("x", file), httpx.Response(200))
    assert bodies == [b"0123456789"]
