"""The routes of the page: the document, its files, JSON, metrics, health, samples, and the stream of events.

Only glue: what is shown is made elsewhere. The stream is twenty lines by hand: it must end when the server does, say
nothing while nothing changes, and cost nothing while nobody listens (docs/adr/0008-a-status-page-without-libraries.md).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from airfoil.stack.page import document
from airfoil.stack.page.guard import Guard
from airfoil.stack.page.samples import Samples

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from airfoil.stack.page.sources import Sources
    from airfoil.stack.page.status import Status

STATIC = Path(__file__).parent / "static"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FIRST_PATIENCE_SECONDS = 0.4
"""The document is not kept waiting for a slow neighbour; the stream brings the rest."""
PATIENCE_SECONDS = 2.5
LOOK_SECONDS = 0.5
ALIVE_SECONDS = 10.0
MAX_WATCHERS = 50
BUSY_MAX_AGE_SECONDS = 2.0
CALM_MAX_AGE_SECONDS = 5.0
"""How old the neighbours' answers may be for a watcher: while something happens, and while nothing does."""


class Page:
    """The application, the moment it should end, and how many watch."""

    def __init__(self, sources: Sources, bound_host: str, look_seconds: float = LOOK_SECONDS) -> None:
        self._sources = sources
        self._look_seconds = look_seconds
        self._files = {
            path.name: path.read_bytes() for path in STATIC.iterdir() if path.suffix in MEDIA_TYPES
        }
        self._versions = {name: f"/static/{name}?{_digest(content)}" for name, content in self._files.items()}
        self._watchers = 0
        self.leaving = asyncio.Event()
        routes = [
            Route("/", self.document),
            Route("/events", self.events),
            Route("/api/status", self.status),
            Route("/metrics", self.metrics),
            Route("/healthz", self.health),
            Route("/static/{name}", self.static),
            Route("/samples/{name}", Samples().table),
        ]
        self.app: ASGIApp = Guard(Starlette(routes=routes), bound_host)

    async def document(self, _request: Request) -> Response:
        """Give the whole page, rendered."""
        status = await self._sources.status(FIRST_PATIENCE_SECONDS)
        return HTMLResponse(document.document(status, self._versions))

    async def status(self, _request: Request) -> Response:
        """Give everything as JSON (docs/status-api.md)."""
        return JSONResponse((await self._sources.status(PATIENCE_SECONDS)).to_dict())

    async def metrics(self, _request: Request) -> Response:
        """Give Prometheus text."""
        from airfoil.stack.page import metrics  # loaded by the first scrape: most stacks have none

        state = self._sources.state()
        content = metrics.exposition(state, await self._sources.own_facts(state, PATIENCE_SECONDS))
        return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def health(self, _request: Request) -> Response:
        """Say that the page itself works."""
        return JSONResponse({"status": "ok"})

    async def static(self, request: Request) -> Response:
        """Give one of the few files that ship with the page."""
        name = request.path_params["name"]
        content = self._files.get(name)
        if content is None:
            return PlainTextResponse("Not found.\n", 404)
        kept = "max-age=31536000, immutable" if request.url.query == _digest(content) else "no-cache"
        return Response(content, media_type=MEDIA_TYPES[Path(name).suffix], headers={"Cache-Control": kept})

    async def events(self, request: Request) -> Response:
        """Stream the page's changes."""
        if self._watchers >= MAX_WATCHERS:
            return PlainTextResponse("Too many watch already.\n", 503, {"Retry-After": "30"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=headers)
        return StreamingResponse(self._changes(), media_type="text/event-stream", headers=headers)

    async def _changes(self) -> AsyncIterator[str]:
        self._watchers += 1
        loop = asyncio.get_running_loop()
        shown: Status | None = None
        spoke_at = loop.time()
        try:
            while not self.leaving.is_set():
                calm = shown is not None and shown.is_calm
                max_age_seconds = CALM_MAX_AGE_SECONDS if calm else BUSY_MAX_AGE_SECONDS
                status = await self._sources.status(self._look_seconds, max_age_seconds)
                if not status.same_as(shown):
                    yield event("status", _update(status))
                    shown, spoke_at = status, loop.time()
                elif loop.time() - spoke_at >= ALIVE_SECONDS:
                    yield event("alive", {})
                    spoke_at = loop.time()
                await self._rest()
        finally:
            self._watchers -= 1

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._look_seconds):
                await self.leaving.wait()
        except TimeoutError:
            return


def event(name: str, data: object) -> str:
    """Write one server-sent event. JSON holds no line break, so one data line is enough."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _update(status: Status) -> dict[str, object]:
    return {
        "now": status.now,
        "title": document.title(status),
        "icon": document.icon(status),
        "project": document.project_name(status),
        "html": document.body(status),
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
