"""A service is well, unwell in parts, or silent; asking it never raises."""

from __future__ import annotations

import itertools

import httpx
import pytest

from airfoil.clients.service_health import Answer, ask_service

pytestmark = pytest.mark.unit
URL = "http://mlflow.test:5000/health"


def ask(answer):
    clock = itertools.count(step=0.25).__next__
    return ask_service(URL, transport=httpx.MockTransport(lambda _: answer), elapsed=clock)


def test_mlflow_says_ok():
    assert ask(httpx.Response(200, text="OK")) == Answer(healthy=True, said="ok", milliseconds=250.0)


def test_airflow_says_which_of_its_parts_are_unwell():
    parts = {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": None},
        "triggerer": {"status": None},
        "dag_processor": "odd",
    }
    found = ask(httpx.Response(200, json=parts))
    assert (found.healthy, found.said) == (False, "scheduler is unhealthy")
    assert ask(httpx.Response(200, json={"scheduler": {"status": "healthy"}})).healthy


@pytest.mark.parametrize("body", ["[1]", "null", "{", ""])
def test_an_answer_that_means_nothing_is_an_answer(body):
    assert ask(httpx.Response(200, text=body)).healthy


def test_a_refusal_and_silence_are_told():
    found = ask(httpx.Response(503))
    assert (found.healthy, found.said) == (False, "answered 503")

    def silent(_):
        raise httpx.ConnectError("refused")

    found = ask_service(URL, transport=httpx.MockTransport(silent))
    assert (found.healthy, found.said, found.milliseconds) == (False, "does not answer: refused", None)
    assert not ask_service("http://[::1/health").healthy
