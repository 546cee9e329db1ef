"""Rounds of questions to all services: asked when somebody wants to know, at most every few seconds, all side by side.

Nobody waits longer than one patience for the slowest. What was heard last is kept, and since when it is so.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from airfoil.stack import health
from airfoil.stack.server_page.watched import MAINTENANCE, WORKERS, Watched

MAX_AGE_SECONDS = 5.0
TIMEOUT_SECONDS = 4.0
_ONLINE = re.compile(r'^flower_worker_online\{[^}]*worker="([^"]+)"[^}]*\} 1(?:\.0)?$', re.MULTILINE)


@dataclass(frozen=True)
class Heard:
    """What one service said at the last round."""

    service: Watched
    healthy: bool
    detail: str
    since: float
    """Epoch seconds at which `healthy` became what it is, as far as this page has seen."""
    seconds: float
    """How long the answer took."""


class Rounds:
    """Everything this page knows. The clock and the question come through the constructor."""

    def __init__(
        self,
        services: Sequence[Watched],
        *,
        ask: Callable[[Watched], health.Health] | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = services
        self._ask = ask or question
        self._clock = clock
        self._monotonic = monotonic
        self._executor = ThreadPoolExecutor(max_workers=max(1, len(services)), thread_name_prefix="round")
        self._heard: dict[str, Heard] = {}
        self._asked_at = -MAX_AGE_SECONDS
        self._lock = asyncio.Lock()

    def close(self) -> None:
        """Wait for nobody any more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def latest(self, max_age_seconds: float = MAX_AGE_SECONDS) -> tuple[Heard, ...]:
        """Give what is known, asking again when it is older than that."""
        async with self._lock:
            if self._monotonic() - self._asked_at >= max_age_seconds:
                loop = asyncio.get_running_loop()
                asked = (loop.run_in_executor(self._executor, self._hear, one) for one in self._services)
                self._heard = {found.service.name: found for found in await asyncio.gather(*asked)}
                self._asked_at = self._monotonic()
        return tuple(self._heard.values())

    def _hear(self, service: Watched) -> Heard:
        before, began = self._heard.get(service.name), self._monotonic()
        said = self._ask(service)
        since = before.since if before is not None and before.healthy == said.healthy else self._clock()
        return Heard(service, said.healthy, said.detail, since, self._monotonic() - began)


def question(service: Watched) -> health.Health:
    """Ask one service now; never raises."""
    parts = urlsplit(service.probe.url)
    if parts.scheme == "tcp":
        try:
            socket.create_connection((parts.hostname or "", parts.port or 0), TIMEOUT_SECONDS).close()
        except OSError as error:
            return health.Health(False, f"no connection to {parts.netloc}: {error}")
        return health.Health(True)
    answer = health.fetch(service.probe.url, TIMEOUT_SECONDS)
    said = health.judge(service.probe, answer, None)
    if said.healthy and service.name in {WORKERS, MAINTENANCE}:
        return workers_in(answer.body, maintenance=service.name == MAINTENANCE)
    return said


def workers_in(metrics: str, *, maintenance: bool = False) -> health.Health:
    """Tell from Flower's metrics how many workers are there: of tasks, or the one of maintenance."""
    names = set(_ONLINE.findall(metrics))
    found = sum(name.startswith(f"{MAINTENANCE}@") == maintenance for name in names)
    if not found:
        return health.Health(False, "Flower knows no worker that is online")
    return health.Health(True, f"{found} online")
