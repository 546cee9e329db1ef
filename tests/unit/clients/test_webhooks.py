"""One webhook for each address, and signatures as MLflow makes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.webhooks import ensure_webhook, is_signed, sign

pytestmark = pytest.mark.unit
URL = "http://airflow.test/airfoil/events"


def test_the_webhook_of_an_address_exists_once_and_takes_the_new_secret(http, server):
    first = http.do(ensure_webhook(URL, "secret-1"))
    assert http.do(ensure_webhook(URL, "secret-2")) == first
    other = http.do(ensure_webhook("http://other.test/airfoil/events", "secret-3"))
    assert {key: row["secret"] for key, row in server.webhooks.items()} == {
        first: "secret-2",
        other: "secret-3",
    }
    assert server.webhooks[first]["url"] == URL
    assert {event["action"] for event in server.webhooks[first]["events"]} == {"CREATED", "DELETED"}


def test_the_webhook_is_found_on_a_later_page(http, server):
    mine = http.do(ensure_webhook(URL, "secret"))
    for number in range(120):
        http.do(ensure_webhook(f"http://other{number}.test/x", "secret"))
    assert http.do(ensure_webhook(URL, "secret")) == mine
    assert len(server.webhooks) == 121


def test_a_signature_is_the_one_that_mlflow_makes():
    # Made by mlflow.webhooks.delivery._generate_hmac_signature of MLflow 3.17.2.
    expected = "v1,EuigTc4ZYK+dRP+IiRV3hfOPdd8DI2MJyhok6uBb/xY="
    assert sign("s3cret", "delivery-1", "1700000000", b'{"a": "\xc3\xbc"}') == expected


@given(st.binary(max_size=50), st.text(max_size=60))
def test_no_other_signature_is_right(body, garbage):
    right = sign("secret", "id", "1", body)
    assert is_signed("secret", "id", "1", body, right)
    assert not is_signed("another", "id", "1", body, right)
    assert not is_signed("secret", "id", "2", body, right)
    assert garbage == right or not is_signed("secret", "id", "1", body, garbage)
