"""Carry out exchanges with one MLflow server without blocking: for triggers, async tasks and pages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self, TypeVar

import httpx

from airfoil.clients import exchange
from airfoil.clients.exchange import Exchange, Pause, Request
from airfoil.clients.mlflow_server import MlflowServer

T = TypeVar("T")


class MlflowAsyncHttp:
    """Carries out exchanges; several at a time may share it."""

    def __init__(
        self,
        server: MlflowServer,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet."""
        self.server = server
        self._pause = pause
        self._client = httpx.AsyncClient(transport=transport, **server.client_options())

    async def __aenter__(self) -> Self:
        """Use the connection for the length of a block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close pooled connections."""
        await self._client.aclose()

    async def do(self, conversation: Exchange[T]) -> T:
        """Carry out an exchange and return its result."""
        steps = exchange.attempts(conversation, self.server)
        try:
            step = next(steps)
            while True:
                try:
                    response = await self._carry_out(step)
                except httpx.TransportError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(response)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]

    async def _carry_out(self, step: Request | Pause) -> httpx.Response | None:
        if isinstance(step, Pause):
            await self._pause(step.seconds)
            return None
        url = f"{self.server.uri}/{step.path.lstrip('/')}"
        content = step.content
        if isinstance(content, Path):
            content = await asyncio.to_thread(content.read_bytes)
        response = await self._client.request(
            step.method, url, params=dict(step.query) or None, content=content, json=step.body
        )
        if step.save_to is not None and response.is_success:
            await asyncio.to_thread(step.save_to.write_bytes, response.content)
        return response
