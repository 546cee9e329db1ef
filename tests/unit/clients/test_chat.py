"""A message reaches a webhook, or it is said why not, and never where."""

from __future__ import annotations

import httpx
import pytest

from airfoil.clients.chat import post_message
from airfoil.errors import ConfigurationError, NeighbourError, ServiceAnswerError, ServiceRefusedError

pytestmark = pytest.mark.unit

PATH = "/services/T0/B0/s3cr3t"
MESSAGE = {"text": "churn failed ✗"}


def post(server, pauses=None):
    post_message(f"{server.url}{PATH}", MESSAGE, pause=(pauses if pauses is not None else []).append)


def test_a_message_arrives_as_json(http_server, answer):
    http_server.on("POST", PATH, answer("ok"))
    post(http_server)
    (request,) = http_server.asked(PATH)
    assert request.body == MESSAGE
    assert request.headers["content-type"] == "application/json"


def test_a_busy_server_is_asked_again_when_it_says(http_server, answer):
    def busy(_):
        return answer("slow down", 429)

    http_server.on("POST", PATH, busy, answer("ok"))
    pauses = []
    post(http_server, pauses)
    assert pauses == [0.5]


def test_the_time_that_a_server_asks_for_is_kept_or_it_is_given_up():
    def busy(seconds):
        return httpx.MockTransport(lambda _: httpx.Response(429, headers={"Retry-After": seconds}))

    pauses = []
    for seconds in ("3", "3600", "Wed, 21 Oct 2026 07:28:00 GMT"):
        with pytest.raises(ServiceAnswerError, match="too many messages"):
            post_message("https://chat.test/x", MESSAGE, pause=pauses.append, transport=busy(seconds))
    assert pauses == [3.0, 3.0, 0.5, 1.5]


def test_a_server_that_fails_is_asked_three_times(http_server, answer):
    http_server.on("POST", PATH, answer("oh no", 500))
    with pytest.raises(ServiceAnswerError, match=r"failed .500 oh no"):
        post(http_server)
    assert len(http_server.asked(PATH)) == 3


@pytest.mark.parametrize("status", [301, 400, 403, 404, 410])
def test_a_refusal_is_final(http_server, answer, status):
    http_server.on("POST", PATH, answer("no_service", status))
    with pytest.raises(ServiceRefusedError, match=f"{status} no_service"):
        post(http_server)
    assert len(http_server.asked(PATH)) == 1


def test_nobody_there_and_the_secret_is_not_told(caplog):
    with pytest.raises(NeighbourError, match=r"127\.0\.0\.1 is not reached") as caught:
        post_message(f"http://127.0.0.1:1{PATH}", MESSAGE, pause=lambda _: None)
    assert "s3cr3t" not in caught.value.in_full
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize(
    "url", ["", "hooks.slack.com/s3cr3t", "ftp://h/s3cr3t", "https://", "https://h:x/s3cr3t", "https://h/\n"]
)
def test_what_is_no_address_is_said_without_it(url):
    with pytest.raises(ConfigurationError) as caught:
        post_message(url, MESSAGE)
    assert "s3cr3t" not in caught.value.in_full
