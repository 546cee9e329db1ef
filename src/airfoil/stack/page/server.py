"""The page's process: uvicorn without its ten wake-ups a second, and an end that lets no open stream hold it up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp

    from airfoil.stack.page.app import Page

BACKLOG = 128
GRACE_SECONDS = 2


def config(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    """How a page is served, this one and a server's: lean, and without a word about what serves it."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        # The plain implementations: uvloop and httptools are faster by nothing that shows here, and take 7 MiB.
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


class PageServer(uvicorn.Server):
    """Sleeps until a signal comes. uvicorn's own loop ticks ten times a second only to look whether one came."""

    def __init__(self, page: Page, host: str, port: int) -> None:
        super().__init__(config(page.app, host, port))
        self._page = page
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Wait for the end."""
        self._loop = asyncio.get_running_loop()
        if await self.on_tick(0):  # also sets the default headers, once
            self._page.leaving.set()
        await self._page.leaving.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End on a signal: wake the loop, and with it every stream."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._page.leaving.set)
