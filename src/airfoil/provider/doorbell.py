"""How a webhook that reaches the API server wakes the triggerer: the triggerer asks and waits, the receiver answers.

A ring says "look now" and nothing else, so a lost, late or repeated one changes nothing but speed. Requests between the
two are signed like MLflow's own messages, with the secret both know from `[airfoil] webhook_secret`.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from airflow.sdk.configuration import conf

from airfoil.clients.mlflow_server import LOOPBACK_HOSTS
from airfoil.clients.webhooks import (
    DELIVERY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    ensure_webhook,
    sign,
)
from airfoil.errors import AirfoilError

if TYPE_CHECKING:
    from airfoil.clients.mlflow_async_http import MlflowAsyncHttp

WAIT_SECONDS = 10.0
"""How long the receiver keeps a caller waiting, and so a server that is told to stop."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WebhookSettings:
    """Where MLflow reaches the receiver, and the secret."""

    url: str
    secret: str = field(repr=False)


class Doorbell:
    """Counts rings in the API server; whoever waits hears of the next one."""

    def __init__(self) -> None:
        """Begin at zero, under a name of its own: after a restart every count is news."""
        self._name = uuid.uuid4().hex
        self._rings = 0
        self._rung = asyncio.Event()

    @property
    def count(self) -> str:
        """What a caller has heard so far."""
        return f"{self._name}.{self._rings}"

    def ring(self) -> None:
        """Tell everybody who waits."""
        self._rings += 1
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, heard: str, seconds: float) -> str:
        """Return the count as soon as it is another than the caller's, or when the time is over."""
        if heard == self.count:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), seconds)
        return self.count


def webhook_settings() -> WebhookSettings | None:
    """Return what `[airfoil]` says of webhooks; None when they are off."""
    url = conf.get("airfoil", "webhook_url", fallback="") or ""
    secret = conf.get("airfoil", "webhook_secret", fallback="") or ""
    return WebhookSettings(url.rstrip("/"), secret) if url and secret else None


async def answer_the_door(
    settings: WebhookSettings,
    connect: Callable[[], Awaitable[MlflowAsyncHttp]],
    stir: Callable[[], None],
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    transport: httpx.AsyncBaseTransport | None = None,
) -> None:
    """Have MLflow send webhooks, and stir at each that comes, until cancelled; what fails is tried again later."""
    registered, heard, failures = False, "", 0
    trust = urlsplit(settings.url).hostname not in LOOPBACK_HOSTS
    async with httpx.AsyncClient(timeout=WAIT_SECONDS + 10, trust_env=trust, transport=transport) as client:
        while True:
            try:
                registered = registered or await _register(settings, connect)
                now = await _wait_at(client, settings, heard)
                if heard and now != heard:
                    stir()
                heard, failures = now, 0
            except (httpx.HTTPError, AirfoilError, ValueError, KeyError) as error:
                failures += 1
                if failures == 1:
                    _log.info("Webhooks do not work now (%s); Airfoil looks every few seconds instead", error)
                await pause(min(FIRST_PAUSE_SECONDS * 2 ** min(failures, 10), LONGEST_PAUSE_SECONDS))


async def _register(settings: WebhookSettings, connect: Callable[[], Awaitable[MlflowAsyncHttp]]) -> bool:
    async with await connect() as http:
        await http.do(ensure_webhook(settings.url, settings.secret))
    return True


async def _wait_at(client: httpx.AsyncClient, settings: WebhookSettings, heard: str) -> str:
    body, delivery, timestamp = heard.encode(), str(uuid.uuid4()), str(int(time.time()))
    headers = {
        DELIVERY_HEADER: delivery,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign(settings.secret, delivery, timestamp, body),
    }
    answer = await client.post(f"{settings.url}/wait", content=body, headers=headers)
    answer.raise_for_status()
    return str(answer.json()["count"])
