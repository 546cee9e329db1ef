"""What unit tests of several rooms share: a tiny real HTTP server whose answers a test writes down."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What the server says; text goes out as it is, anything else as JSON."""

    body: Any = None
    status: int = 200

    def raw(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Hang:
    """An answer that never comes."""


Rule = Answer | Hang | Callable[[Request], "Answer | Hang"]


@dataclass
class FakeServer:
    """Answers each (method, path) from its list; the last answer of a list is repeated."""

    url: str = ""
    rules: dict[tuple[str, str], list[Rule]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def on(self, method: str, path: str, *rules: Rule) -> None:
        """Say what to answer."""
        self.rules[method, path] = list(rules)

    def asked(self, path: str) -> list[Request]:
        """List the requests for a path."""
        return [request for request in self.requests if request.path == path]

    def reply(self, request: Request) -> Answer | Hang:
        self.requests.append(request)
        rules = self.rules.get((request.method, request.path))
        if not rules:
            return Answer({"detail": f"nobody wrote an answer to {request.method} {request.path}"}, 404)
        rule = rules.pop(0) if len(rules) > 1 else rules[0]
        return rule(request) if callable(rule) else rule


def _handler(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet: two of them would wait 40 ms for each other's acknowledgement.
        wbufsize = -1

        def answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(raw) if raw else None
            answer = server.reply(Request(self.command, unquote(parts.path), query, headers, body))
            if isinstance(answer, Hang):
                server.closing.wait(5)
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.raw())))
            self.end_headers()
            self.wfile.write(answer.raw())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server looks for these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Keep the test output quiet."""

    return Handler


@pytest.fixture
def http_server() -> Iterator[FakeServer]:
    """A server on a free port of this machine."""
    fake = FakeServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield fake
    fake.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def answer() -> type[Answer]:
    """How to write an answer."""
    return Answer


@pytest.fixture
def hang() -> Hang:
    """An answer that never comes."""
    return Hang()
