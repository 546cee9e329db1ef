"""A ring reaches who waits, also one that came in between; what does not work is tried again and costs only speed."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from airfoil.clients.mlflow_async_http import MlflowAsyncHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.clients.webhooks import DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed
from airfoil.provider.doorbell import Doorbell, WebhookSettings, answer_the_door, webhook_settings

pytestmark = pytest.mark.unit

SETTINGS = WebhookSettings("http://airflow.test/airfoil/events", "s3cret")


def test_who_waits_hears_of_a_ring_and_who_was_away_hears_at_once():
    async def work():
        bell = Doorbell()
        heard = bell.count
        assert await bell.wait(heard, 0.001) == heard
        waiting = asyncio.create_task(bell.wait(heard, 60))
        await asyncio.sleep(0)
        bell.ring()
        now = await waiting
        return now != heard and await bell.wait(heard, 60) == now and await bell.wait("", 60) == now

    assert asyncio.run(work())


def test_a_new_server_has_a_new_count():
    async def count():
        return Doorbell().count

    assert asyncio.run(count()) != asyncio.run(count())


class Door:
    """A receiver that answers as told; the test ends when it has nothing more to say."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.heard = []
        self.mlflow = FakeMlflow()
        self.stirs = 0
        self.pauses = []

    async def __call__(self, request):
        if not self.answers:
            raise asyncio.CancelledError
        body = request.read()
        headers = [request.headers[name] for name in (DELIVERY_HEADER, TIMESTAMP_HEADER)]
        assert is_signed(SETTINGS.secret, *headers, body, request.headers[SIGNATURE_HEADER])
        assert request.url == f"{SETTINGS.url}/wait"
        self.heard.append(body.decode())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(200, json={"count": answer}) if isinstance(answer, str) else answer

    async def connect(self):
        address = MlflowServer("http://mlflow.test", tries=1)
        return MlflowAsyncHttp(address, transport=httpx.MockTransport(self.mlflow))

    async def pause(self, seconds):
        self.pauses.append(seconds)
        self.mlflow.faults.away = False

    def stir(self):
        self.stirs += 1

    def answer(self):
        async def work():
            transport = httpx.MockTransport(self)
            await answer_the_door(SETTINGS, self.connect, self.stir, pause=self.pause, transport=transport)

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(work())


def test_it_registers_the_webhook_and_stirs_at_each_new_count():
    door = Door("a.0", "a.0", "a.1", "a.1", "b.0")
    door.answer()
    assert door.stirs == 2
    assert door.heard == ["", "a.0", "a.0", "a.1", "a.1"]
    assert [row["url"] for row in door.mlflow.webhooks.values()] == [SETTINGS.url]


def test_a_server_that_is_away_is_asked_again_with_growing_pauses():
    refused = httpx.ConnectError("no")
    door = Door(
        "a.0", refused, httpx.Response(502), httpx.Response(200, text="not json"), "a.0", refused, "a.1"
    )
    door.answer()
    assert door.pauses == [2, 4, 8, 2]
    assert door.stirs == 1


def test_an_mlflow_that_does_not_let_us_register_is_asked_again():
    door = Door("a.0")
    door.mlflow.faults.away = True
    door.answer()
    assert door.pauses == [2]
    assert len(door.mlflow.webhooks) == 1


@pytest.mark.parametrize(
    ("url", "secret", "on"),
    [("http://a.test/x/", "s", True), ("", "s", False), ("http://a.test/x", "", False)],
)
def test_webhooks_are_on_when_both_the_address_and_the_secret_are_set(monkeypatch, url, secret, on):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WEBHOOK_URL", url)
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WEBHOOK_SECRET", secret)
    found = webhook_settings()
    assert found == (WebhookSettings("http://a.test/x", "s") if on else None)
    assert '"s"' not in json.dumps(repr(found))
    assert "'s'" not in repr(found)
