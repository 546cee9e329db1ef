"""The routes of a server's page: the document, its files, JSON, metrics and health. Only glue.

It stands at `/` inside the private network and below a path of the proxy outside it, and answers at both. Who may read
it is decided at the proxy's door.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from airfoil import __version__
from airfoil.stack import page as laptop
from airfoil.stack.page.guard import Guard
from airfoil.stack.page.samples import Samples
from airfoil.stack.server_page import document

if TYPE_CHECKING:
    from prometheus_client.registry import Collector
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from airfoil.stack.server_page.rounds import Heard, Rounds

STATIC = Path(laptop.__file__).parent / "static"
MEDIA_TYPES = {".css": "text/css", ".svg": "image/svg+xml"}
SCHEMA = 1


class ServerGuard(Guard):
    """Answers by the names that the server is known by, besides bare addresses."""

    def __init__(self, app: ASGIApp, names: Sequence[str]) -> None:
        super().__init__(app, "0.0.0.0")  # noqa: S104 - what a container listens on
        self._names = frozenset(name.strip().lower() for name in names if name.strip())

    def knows(self, host: str) -> bool:
        """Tell whether a Host header names this server."""
        return (
            host.rpartition(":")[0].lower() in self._names
            or host.lower() in self._names
            or super().knows(host)
        )


class ServerPage:
    """The application."""

    def __init__(
        self,
        rounds: Rounds,
        names: Sequence[str],
        *,
        prefix: str = "",
        collectors: Sequence[Collector] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rounds = rounds
        self._collectors = collectors
        self._clock = clock
        routes = [
            Route("/", self.document),
            Route("/api/status", self.status),
            Route("/metrics", self.metrics),
            Route("/healthz", self.health),
            Route("/static/{name}", self.static),
            Route("/samples/{name}", Samples().table),
        ]
        below = [Mount(prefix, routes=routes)] if prefix.strip("/") else []
        self.app: ASGIApp = ServerGuard(Starlette(routes=[*routes, *below]), names)

    async def document(self, _request: Request) -> Response:
        """Give the page, rendered."""
        return HTMLResponse(document.document(await self._rounds.latest(), self._clock(), __version__))

    async def status(self, _request: Request) -> Response:
        """Give what was heard as JSON."""
        heard = await self._rounds.latest()
        return JSONResponse(
            {
                "schema": SCHEMA,
                "now": self._clock(),
                "level": document.level(heard),
                "headline": document.headline(heard),
                "services": [row(one) for one in heard],
            }
        )

    async def metrics(self, _request: Request) -> Response:
        """Give Prometheus text."""
        from airfoil.stack.server_page.exposition import exposition

        content = exposition(await self._rounds.latest(), self._clock(), self._collectors)
        return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def health(self, _request: Request) -> Response:
        """Say that the page itself works."""
        return JSONResponse({"status": "ok"})

    async def static(self, request: Request) -> Response:
        """Give one of the files that ship with the laptop's page."""
        path = STATIC / Path(request.path_params["name"]).name
        if path.suffix not in MEDIA_TYPES or not path.is_file():
            return PlainTextResponse("Not found.\n", 404)
        return Response(path.read_bytes(), media_type=MEDIA_TYPES[path.suffix])


def row(one: Heard) -> dict[str, object]:
    """Give one service as JSON: what was heard, and nothing of where in the private network."""
    found = asdict(one)
    del found["service"]
    return {"name": one.service.name, "title": one.service.title, **found}
