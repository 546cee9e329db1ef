"""Carry out exchanges with one MLflow server over plain HTTP: login, short retries, pooled connections.

Importing mlflow costs seconds per task and its fluent functions keep process-wide state and environment variables;
neither is needed to log numbers. This module must not know what a run or a model is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from airfoil.clients import exchange
from airfoil.clients.exchange import Exchange, Pause, Request
from airfoil.clients.mlflow_server import MlflowServer

T = TypeVar("T")


class MlflowHttp:
    """Carries out exchanges, one after the other."""

    def __init__(
        self,
        server: MlflowServer,
        *,
        pause: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet."""
        self.server = server
        self._pause = pause
        self._client = httpx.Client(transport=transport, **server.client_options())

    def __enter__(self) -> Self:
        """Use the connection for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close pooled connections."""
        self._client.close()

    def do(self, conversation: Exchange[T]) -> T:
        """Carry out an exchange and return its result."""
        return exchange.drive(exchange.attempts(conversation, self.server), self._carry_out)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Read something."""
        return self.do(exchange.get(path, **query))

    def post(self, path: str, body: Mapping[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        """Send something; say `repeatable=False` when carrying it out twice would leave two of it."""
        return self.do(exchange.post(path, body, repeatable=repeatable))

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change something."""
        return self.do(exchange.patch(path, body))

    def put(self, path: str, content: bytes | Path) -> None:
        """Store bytes or a file under a path."""
        self.do(exchange.put(path, content))

    def _carry_out(self, step: Request | Pause) -> httpx.Response | None:
        if isinstance(step, Pause):
            self._pause(step.seconds)
            return None
        url = f"{self.server.uri}/{step.path.lstrip('/')}"
        query = dict(step.query) or None
        if step.save_to is not None:
            return self._save(step.method, url, step.save_to)
        if isinstance(step.content, Path):
            with step.content.open("rb") as content:
                return self._client.request(step.method, url, params=query, content=content)
        return self._client.request(step.method, url, params=query, content=step.content, json=step.body)

    def _save(self, method: str, url: str, file: Path) -> httpx.Response:
        with self._client.stream(method, url) as response:
            if response.is_success:
                with file.open("wb") as content:
                    for part in response.iter_bytes():
                        content.write(part)
            else:
                response.read()  # what it says is told
        return response
