from __future__ import annotations

import asyncio
import json

import pytest

from airfoil.stack.page import status
from airfoil.stack.page.app import Page, event

pytestmark = pytest.mark.unit


class FakeSources:
    """Gives prepared statuses one after the other, the last one for ever."""

    def __init__(self, pictures, state=None):
        self.pictures = list(pictures)
        self.kept = state
        self.patience = []

    async def status(self, patience_seconds, max_age_seconds=2.0):
        self.patience.append(patience_seconds)
        return self.pictures.pop(0) if len(self.pictures) > 1 else self.pictures[0]

    def state(self):
        return self.kept[0]

    async def own_facts(self, state, patience_seconds):
        return self.kept[1]


async def ask(page, path, method="GET", on_body=None, query=b""):
    """One request straight to the ASGI application."""
    sent, asked = [], []
    gone = asyncio.Event()

    async def receive():
        if not asked:
            asked.append(1)
            return {"type": "http.request", "body": b""}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if on_body is not None and message.get("body"):
            on_body(message["body"].decode(), gone)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(b"host", b"localhost")],
        "server": ("127.0.0.1", 8081),
        "scheme": "http",
        "root_path": "",
    }
    await page.app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture
def picture(stack, facts):
    return lambda **values: status.build("/home/ann/shop", stack(), facts(**values))


def run(sources, path, **more):
    async def scenario():
        return await ask(Page(sources, "127.0.0.1", look_seconds=0.001), path, **more)

    return asyncio.run(scenario())


def test_samples_are_served_behind_the_same_guard(picture):
    code, headers, body = run(FakeSources([picture()]), "/samples/iris.csv")
    assert (code, body[:12]) == (200, b"sepal_length")
    assert headers["x-frame-options"] == "DENY"
    assert headers["etag"]


def test_the_document(picture):
    sources = FakeSources([picture()])
    code, headers, body = run(sources, "/")
    assert (code, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<h1" in body
    assert sources.patience[0] < 1


def test_the_status_as_json(picture):
    code, headers, body = run(FakeSources([picture()]), "/api/status")
    assert (code, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)["headline"]["text"] == "Everything is running"


def test_health_says_that_the_page_works(picture):
    assert run(FakeSources([picture()]), "/healthz")[2] == b'{"status":"ok"}'


def test_metrics(picture, stack, facts):
    code, headers, body = run(FakeSources([picture()], (stack(), facts())), "/metrics")
    assert (code, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"airfoil_stack_ready 1.0" in body


def test_files_are_kept_by_browsers_only_under_their_version(picture):
    page_html = run(FakeSources([picture()]), "/")[2].decode()
    version = page_html.split("/static/page.css?")[1].split('"')[0]
    _, headers, body = run(FakeSources([picture()]), "/static/page.css", query=version.encode())
    assert "immutable" in headers["cache-control"]
    assert headers["content-type"] == "text/css; charset=utf-8"
    assert b"prefers-color-scheme: dark" in body
    assert run(FakeSources([picture()]), "/static/page.css")[1]["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/app.py", "/static/", "/nothing", "/static/%2e%2e/app.py"]
)
def test_nothing_else_is_served(picture, path):
    assert run(FakeSources([picture()]), path)[0] == 404


def test_every_level_has_an_icon(picture):
    for level in ("good", "busy", "warning", "bad", "off"):
        assert run(FakeSources([picture()]), f"/static/icon-{level}.svg")[0] == 200


def test_events_come_at_once_and_then_only_when_something_changed(picture):
    same, changed = picture(), picture(memory_mib={"mlflow": 200.0})
    sources = FakeSources([same, picture(now=10_001.0), picture(now=10_002.0), changed])
    heard = []

    def on_body(text, gone):
        heard.append(text)
        if len(heard) == 2:
            gone.set()

    code, headers, _ = run(sources, "/events", on_body=on_body)
    assert (code, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert headers["cache-control"] == "no-store"
    first, second = (json.loads(text.split("data: ")[1]) for text in heard)
    assert first["title"] == "Everything is running · shop"
    assert first["icon"] == "/static/icon-good.svg"
    assert "200 MiB" not in first["html"]
    assert "200 MiB" in second["html"]


def test_a_stream_ends_with_the_server_and_frees_its_place(picture):
    async def scenario():
        page = Page(FakeSources([picture()]), "127.0.0.1", look_seconds=60)
        await asyncio.wait_for(ask(page, "/events", on_body=lambda _text, _gone: page.leaving.set()), 5)
        return page._watchers

    assert asyncio.run(scenario()) == 0


def test_too_many_watchers_are_sent_away(picture):
    async def scenario():
        page = Page(FakeSources([picture()]), "127.0.0.1")
        page._watchers = 50
        return await ask(page, "/events")

    code, headers, _ = asyncio.run(scenario())
    assert (code, headers["retry-after"]) == (503, "30")


def test_head_of_the_stream_does_not_start_it(picture):
    sources = FakeSources([picture()])
    assert run(sources, "/events", method="HEAD")[0] == 200
    assert sources.patience == []


def test_an_event_is_one_line_of_data():
    assert event("status", {"html": "a\nb"}) == 'event: status\ndata: {"html": "a\\nb"}\n\n'
