"""Exchanges: what is sent again, and how failures reach the conversation."""

import httpx
import pytest

from airfoil.clients import exchange
from airfoil.clients.exchange import Pause
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.errors import AlreadyExistsError, ConfigurationError, NotFoundError, ServiceAnswerError

pytestmark = pytest.mark.unit

SERVER = MlflowServer("http://mlflow.test", tries=2)


def carried_out(conversation, *answers):
    """Carry it out with prepared answers; return its result and what was done, one word a step."""
    left, done = list(answers), []

    def carry_out(step):
        done.append("pause" if isinstance(step, Pause) else f"{step.method} {step.path}")
        return None if isinstance(step, Pause) else left.pop(0)

    return exchange.drive(exchange.attempts(conversation, SERVER), carry_out), done


def ok(**body):
    return httpx.Response(200, json=body)


def test_an_exchange_is_answered_in_order():
    def both():
        first = yield from exchange.get("a")
        second = yield from exchange.post("b", {})
        return first["n"] + second["n"]

    assert carried_out(both(), ok(n=1), ok(n=2)) == (3, ["GET a", "POST b"])


def test_a_failure_is_raised_inside_and_the_exchange_may_go_on():
    def instead():
        try:
            return (yield from exchange.get("a"))
        except NotFoundError:
            return (yield from exchange.delete("b", {}))

    assert carried_out(instead(), httpx.Response(404), ok(n=2)) == ({"n": 2}, ["GET a", "DELETE b"])


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "RESOURCE_ALREADY_EXISTS", AlreadyExistsError),
        (400, "INVALID_PARAMETER_VALUE", ConfigurationError),
        (500, "INTERNAL_ERROR", ServiceAnswerError),
    ],
)
def test_codes_have_their_errors(status, code, error):
    refusal = httpx.Response(status, json={"error_code": code, "message": "no"})
    with pytest.raises(error) as caught:
        carried_out(exchange.post("a", {}), refusal)
    assert type(caught.value) is error


def test_an_upload_needs_no_json_for_an_answer():
    assert carried_out(exchange.put("a", b"x"), httpx.Response(200, text="OK"))[0] == {}


def test_what_must_not_happen_twice_is_sent_again_only_when_nothing_happened():
    again = exchange.post("a", {}, repeatable=False)
    assert carried_out(again, httpx.Response(429), ok())[1] == ["POST a", "pause", "POST a"]
    with pytest.raises(ServiceAnswerError):
        carried_out(exchange.post("a", {}, repeatable=False), httpx.Response(502))


def test_a_tag_that_two_set_at_once_is_set_by_the_second_try():
    collision = httpx.Response(400, json={"error_code": "BAD_REQUEST", "message": "UNIQUE constraint failed"})
    assert carried_out(exchange.post_tags("a", {}), collision, ok())[1] == ["POST a", "POST a"]
    with pytest.raises(ConfigurationError):
        carried_out(exchange.post_tags("a", {}), collision, collision)
