"""A webhook is believed when it is signed, recent, new and small; then the bell rings, and nothing else happens."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airfoil.clients.webhooks import DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from airfoil.provider.doorbell import Doorbell
from airfoil.provider.receiver import MAX_BYTES, WINDOW_SECONDS, Deliveries, Receiver, routes

pytestmark = pytest.mark.unit

SECRET, NOW = "s3cret", 1_800_000_000
MOVED = {
    "entity": "model_version_alias",
    "action": "created",
    "data": {"name": "wine", "alias": "champion", "version": "2"},
}


class Desk:
    """A receiver, and a way to send to it."""

    def __init__(self, secret=SECRET):
        self.now = NOW
        self.bell = Doorbell()
        app = FastAPI()
        app.include_router(routes(Receiver(secret, self.bell, clock=lambda: self.now)))
        self.app = app

    async def post(self, path, body, headers):
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://airflow.test") as client:
            return await client.post(path, content=body, headers=headers)

    def send(
        self, body=None, *, delivery="d-1", timestamp=None, signature=None, secret=SECRET, path="/events"
    ):
        raw = body if isinstance(body, bytes) else json.dumps(MOVED if body is None else body).encode()
        at = str(NOW if timestamp is None else timestamp)
        given_signature = sign(secret, delivery, at, raw) if signature is None else signature
        headers = {DELIVERY_HEADER: delivery, TIMESTAMP_HEADER: at, SIGNATURE_HEADER: given_signature}
        return asyncio.run(self.post(path, raw, {k: v for k, v in headers.items() if v}))

    @property
    def rings(self):
        return int(self.bell.count.rpartition(".")[2])


@pytest.fixture
def desk():
    return Desk()


def test_a_genuine_message_rings_the_bell(desk):
    assert desk.send().status_code == 202
    assert desk.rings == 1


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"signature": "v1,AAAA"}, 401, "signature is not right"),
        ({"signature": "v1,ü".encode()}, 401, "signature is not right"),
        ({"secret": "another"}, 401, "another secret"),
        ({"signature": ""}, 400, "are needed"),
        ({"delivery": ""}, 400, "are needed"),
        ({"delivery": "x" * 101}, 400, "are needed"),
        ({"timestamp": NOW - WINDOW_SECONDS - 1}, 403, "clock"),
        ({"timestamp": NOW + WINDOW_SECONDS + 1}, 403, "clock"),
        ({"timestamp": "soon"}, 403, "clock"),
        ({"timestamp": "9" * 400}, 403, "clock"),
        ({"body": b"x" * (MAX_BYTES + 1)}, 413, "at most"),
        ({"body": b"not json"}, 422, "not a JSON object"),
        ({"body": b"[]"}, 422, "not a JSON object"),
        ({"body": b"[" * 60_000}, 422, "not a JSON object"),
        ({"body": b"\xff\xfe"}, 422, "not a JSON object"),
    ],
)
def test_what_is_not_genuine_is_refused_with_one_clear_answer(desk, change, status, said):
    answer = desk.send(**change)
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert desk.rings == 0


def test_a_repeated_delivery_rings_once_also_with_a_lost_answer(desk):
    assert desk.send().status_code == 202
    again = desk.send()
    assert (again.status_code, desk.rings) == (409, 1)
    assert desk.send(delivery="d-2").status_code == 202


def test_a_forged_message_does_not_use_up_the_number_of_a_genuine_one(desk):
    desk.send(signature="v1,AAAA")
    assert desk.send().status_code == 202


def test_events_of_other_kinds_are_taken_and_ring_nothing(desk):
    answer = desk.send({"entity": "model_version", "action": "created", "data": {}})
    assert (answer.status_code, answer.json(), desk.rings) == (202, {"taken": False}, 0)


def test_without_a_secret_webhooks_are_off():
    answer = Desk(secret="").send(secret="")
    assert answer.status_code == 404
    assert "webhook_secret" in answer.json()["detail"]


def test_a_triggerer_that_waits_hears_at_once_what_it_missed(desk):
    heard = desk.send(b"", path="/events/wait", delivery="w-1").json()["count"]
    desk.send()
    again = desk.send(heard.encode(), path="/events/wait", delivery="w-2").json()["count"]
    assert again != heard


def test_a_triggerer_that_has_gone_is_not_waited_for(desk):
    heard = desk.send(b"", path="/events/wait", delivery="w-1").json()["count"]
    headers = {DELIVERY_HEADER: "w-2", TIMESTAMP_HEADER: str(NOW)}
    headers[SIGNATURE_HEADER] = sign(SECRET, "w-2", str(NOW), heard.encode())
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/events/wait",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    messages = [{"type": "http.request", "body": heard.encode()}, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0)

    async def send(_message):
        return

    asyncio.run(asyncio.wait_for(desk.app(scope, receive, send), 5))
    assert messages == [], "it has heard that nobody waits any more"


def test_nobody_waits_without_the_secret(desk):
    assert desk.send(b"", path="/events/wait", secret="another").status_code == 401


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.binary(max_size=200), st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=40))
def test_garbage_is_never_an_error_of_ours(desk, body, signature):
    assert 400 <= desk.send(body, signature=signature).status_code < 500


def test_old_deliveries_are_forgotten_and_never_too_many_are_remembered():
    now = [0.0]
    deliveries = Deliveries(lambda: now[0])
    assert deliveries.note("a")
    now[0] = 2 * WINDOW_SECONDS + 1
    assert deliveries.note("b")
    assert deliveries.note("a")
    assert not deliveries.note("b")
