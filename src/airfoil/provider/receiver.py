"""Where MLflow's webhooks arrive: an app of the API server that checks a message and rings the doorbell.

A message is trusted for nothing but "look now": what moved stands in the ledger, and the trigger alone tells Airflow of
it. So a forged, repeated or lost message cannot make, double or lose an event. It must not write anything.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, HTTPException, Request

from airfoil.clients.webhooks import DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed
from airfoil.provider.doorbell import WAIT_SECONDS, Doorbell, webhook_settings

MAX_BYTES = 64 * 1024
WINDOW_SECONDS = 300
"""How old, or how far ahead of our clock, a message may be."""
MAX_REMEMBERED = 10_000
MAX_ID_CHARACTERS = 100
_ALIAS_EVENTS = {("model_version_alias", "created"), ("model_version_alias", "deleted")}


@dataclass
class Deliveries:
    """The messages of the last minutes, so that none counts twice."""

    clock: Callable[[], float]
    _seen: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def note(self, delivery_id: str) -> bool:
        """Remember a message; say whether it is new."""
        now = self.clock()
        while self._seen and (
            len(self._seen) >= MAX_REMEMBERED or next(iter(self._seen.values())) < now - 2 * WINDOW_SECONDS
        ):
            self._seen.popitem(last=False)
        if delivery_id in self._seen:
            return False
        self._seen[delivery_id] = now
        return True


class Receiver:
    """Checks messages with one secret."""

    def __init__(self, secret: str, bell: Doorbell, *, clock: Callable[[], float] = time.time) -> None:
        """Take the secret that MLflow signs with; empty: webhooks are off."""
        self._secret = secret
        self.bell = bell
        self._clock = clock
        self._deliveries = Deliveries(clock)

    async def take(self, request: Request) -> dict[str, Any]:
        """Check a webhook's message; ring when it tells of an alias."""
        message = _parsed(await self._genuine(request))
        told = (message.get("entity"), message.get("action"))
        if told in _ALIAS_EVENTS:
            self.bell.ring()
        return {"taken": told in _ALIAS_EVENTS}

    async def wait(self, request: Request) -> dict[str, Any]:
        """Keep a triggerer waiting until the bell rings."""
        heard = (await self._genuine(request)).decode("utf-8", "replace")
        ringing = asyncio.ensure_future(self.bell.wait(heard, WAIT_SECONDS))
        leaving = asyncio.ensure_future(request.receive())  # after the body, only that the caller has gone
        try:
            await asyncio.wait({ringing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ringing.cancel()
            leaving.cancel()
        return {"count": self.bell.count}

    async def _genuine(self, request: Request) -> bytes:
        """Return the body of a message that is signed, recent and new."""
        if not self._secret:
            raise HTTPException(404, "Webhooks are off here: [airfoil] webhook_secret is not set.")
        body = await _bounded_body(request)
        delivery, timestamp, signature = (
            request.headers.get(name, "") for name in (DELIVERY_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
        )
        if not (delivery and timestamp and signature) or len(delivery) > MAX_ID_CHARACTERS:
            raise HTTPException(
                400, f"{DELIVERY_HEADER}, {TIMESTAMP_HEADER} and {SIGNATURE_HEADER} are needed."
            )
        if not is_signed(self._secret, delivery, timestamp, body, signature):
            raise HTTPException(
                401, "The signature is not right: MLflow's webhook has another secret than Airflow."
            )
        if not timestamp.isascii() or not timestamp.isdigit() or not self._recent(int(timestamp)):
            raise HTTPException(
                403, f"The message is more than {WINDOW_SECONDS} s away from this server's clock."
            )
        if not self._deliveries.note(delivery):
            raise HTTPException(409, "This message was delivered before.")
        return body

    def _recent(self, timestamp: int) -> bool:
        return abs(self._clock() - timestamp) <= WINDOW_SECONDS


def routes(receiver: Receiver | None = None) -> APIRouter:
    """Return the routes; without a receiver, those of one with the secret of Airflow's configuration.

    They are open to everybody who can sign: MLflow has no account in Airflow.
    """
    settings = webhook_settings()
    taking = receiver or Receiver(settings.secret if settings else "", Doorbell())
    router = APIRouter()
    router.add_api_route("/events", taking.take, methods=["POST"], status_code=202)
    router.add_api_route("/events/wait", taking.wait, methods=["POST"])
    return router


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise HTTPException(413, f"A webhook's message has at most {MAX_BYTES} bytes.")
    return bytes(body)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise HTTPException(422, "The message is not a JSON object.")
    return message
