from __future__ import annotations

import asyncio

import pytest
from starlette.responses import PlainTextResponse

from airfoil.stack.page.guard import Guard

pytestmark = pytest.mark.unit


def ask(guard, method="GET", **headers):
    sent = []

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    asyncio.run(guard({"type": "http", "method": method, "path": "/", "headers": raw}, receive, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found


@pytest.fixture
def guard():
    return Guard(PlainTextResponse("fine"), "127.0.0.1", lambda: "laptop")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8081",
        "localhost",
        "localhost:9000",
        "LOCALHOST:8081",
        "[::1]:8081",
        "127.0.0.2",
        "shop.localhost",
    ],
)
def test_our_own_names_are_served(guard, host):
    assert ask(guard, host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8081",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.1@evil.example",
        "evil.example#localhost",
        "notlocalhost",
        "192.168.1.5:8081",
        "laptop",
        "[",
        "",
    ],
)
def test_foreign_hosts_are_refused(guard, host):
    status, headers = ask(guard, host=host)
    assert status == 421
    assert headers["x-content-type-options"] == "nosniff"


def test_without_a_host_header_nothing_is_served(guard):
    assert ask(guard)[0] == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_every_method_that_is_not_for_reading_is_refused(guard, method):
    status, headers = ask(guard, method, host="localhost")
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_other_sites_may_link_here_but_not_read(guard):
    assert ask(guard, host="localhost", sec_fetch_site="cross-site", sec_fetch_mode="cors")[0] == 403
    assert ask(guard, host="localhost", sec_fetch_site="cross-site", sec_fetch_mode="no-cors")[0] == 403
    assert ask(guard, host="localhost", sec_fetch_site="cross-site", sec_fetch_mode="navigate")[0] == 200
    assert ask(guard, host="localhost", sec_fetch_site="same-origin", sec_fetch_mode="cors")[0] == 200


def test_the_headers_that_bind_a_browser(guard):
    _, headers = ask(guard, host="localhost")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_bound_to_everything_addresses_and_the_own_name_are_ours():
    guard = Guard(PlainTextResponse("fine"), "0.0.0.0", lambda: "Laptop")  # noqa: S104 - what is tested
    assert guard.knows("192.168.1.5:8081")
    assert guard.knows("laptop:8081")
    assert not guard.knows("evil.example")


def test_bound_to_one_address_that_one_is_ours():
    guard = Guard(PlainTextResponse("fine"), "192.168.1.5", lambda: "laptop")
    assert guard.knows("192.168.1.5:8081")
    assert guard.knows("127.0.0.1:8081")
    assert not guard.knows("192.168.1.6:8081")
