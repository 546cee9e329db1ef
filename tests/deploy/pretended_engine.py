"""A Docker engine that only pretends: it has the images that it is told of, and runs nothing.

To see what Docker's own tools would ask a registry for, build, or send to a builder. Must not reach a network.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from urllib.parse import parse_qs, unquote

API = "1.41"
_SYSTEM = {"ApiVersion": API, "OSType": "linux"}
_KNOWN = {
    "/version": _SYSTEM,
    "/info": _SYSTEM,
    "/containers/json": [],
    "/networks": [],
    "/volumes": {"Volumes": []},
}


class Engine(ThreadingMixIn, UnixStreamServer):
    """What it was asked for, and what builds have sent."""

    daemon_threads = True
    request_queue_size = 64  # Compose asks of all images at once

    def __init__(self, socket: Path, has: Callable[[str], bool]) -> None:
        super().__init__(str(socket), _Answers)
        self.address = f"unix://{socket}"
        self.has = has
        self.looked_for: set[str] = set()
        self.fetched: list[str] = []
        self.builds = 0
        self.sent: set[str] = set()

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asks may hang up at the first bad news."""


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Engine

    def do_HEAD(self) -> None:
        self._answer({})

    def do_GET(self) -> None:
        path = re.sub(r"^/v[\d.]+", "", unquote(self.path.partition("?")[0]))
        image = re.fullmatch(r"/images/(.+)/json", path)
        self.server.looked_for |= {image[1]} if image else set()
        if path in _KNOWN:
            self._answer(_KNOWN[path])
        elif image is None:
            self._answer({"message": f"No such thing: {path}"}, 404)
        elif self.server.has(image[1]):
            self._answer({"Id": f"sha256:{'1' * 64}", "RepoTags": [image[1]], "Os": "linux"})
        else:
            self._answer({"message": f"No such image: {image[1]}"}, 404)

    def do_POST(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        self.server.builds += path.endswith(("/grpc", "/session", "/build"))
        if path.endswith("/images/create"):
            asked = parse_qs(query)
            self.server.fetched.append(f"{asked['fromImage'][0]}:{asked['tag'][0]}")
        if path.endswith("/build"):
            with tarfile.open(fileobj=io.BytesIO(body)) as archive:
                self.server.sent |= {one.name for one in archive if not one.isdir()}
            self._answer({"stream": f"Successfully built {'1' * 12}"})
        else:
            self._answer({"message": "this engine only pretends"}, 500)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, found: object, status: int = 200) -> None:
        body = json.dumps(found).encode() if self.command != "HEAD" else b""
        self.send_response(status)
        self.send_header("Api-Version", API)
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def pretending(socket: Path, has: Callable[[str], bool]) -> Iterator[Engine]:
    """Answer at a socket for as long as it is needed."""
    with Engine(socket, has) as engine:
        thread = threading.Thread(target=engine.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield engine
        finally:
            engine.shutdown()
            thread.join()
