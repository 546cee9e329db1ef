"""Posts a message to a chat by its incoming webhook: Slack's, or one that takes the same JSON.

Whoever knows the address can write to the channel, so the address is in no error and no log: a sentence names the host
alone. Must not know what a message says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from airfoil.clients.mlflow_server import LOOPBACK_HOSTS
from airfoil.errors import (
    ConfigurationError,
    NeighbourError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)

TRIES = 3
TIMEOUT_SECONDS = 5.0
PAUSES_SECONDS = (0.5, 1.5)
LONGEST_PAUSE_SECONDS = 5.0
TOO_MANY, FIRST_SERVER_ERROR = 429, 500
ANSWER_CHARACTERS = 100


def post_message(
    url: str,
    message: Mapping[str, Any],
    *,
    pause: Callable[[float], None] = time.sleep,
    transport: httpx.BaseTransport | None = None,
) -> None:
    """Post a message; tried again a few times while the server is busy or away."""
    host = _host(url)
    trust = host not in LOOPBACK_HOSTS
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=trust, transport=transport) as client:
        for number in range(1, TRIES + 1):
            problem, wait = _try_once(client, url, message, host, number)
            if problem is None:
                return
            if number == TRIES or wait > LONGEST_PAUSE_SECONDS:
                raise problem
            pause(wait)


def _try_once(
    client: httpx.Client, url: str, message: Mapping[str, Any], host: str, number: int
) -> tuple[NeighbourError | None, float]:
    """Post once; what went wrong, if another try may help, and how long to wait for it."""
    wait = PAUSES_SECONDS[min(number, len(PAUSES_SECONDS)) - 1]
    try:
        answer = client.post(url, json=message)
    except httpx.TransportError as error:
        why = "no answer in time" if isinstance(error, httpx.TimeoutException) else error
        return ServiceUnreachableError(f"The webhook at {host} is not reached ({why})"), wait
    if answer.is_success:
        return None, 0.0
    said = f"{answer.status_code} {' '.join(answer.text.split())[:ANSWER_CHARACTERS]}".strip()
    if answer.status_code == TOO_MANY:
        asked = _seconds(answer.headers.get("Retry-After"), wait)
        return ServiceAnswerError(
            f"The webhook at {host} has had too many messages, and wants none for {asked:g} s ({said})"
        ), asked
    if answer.status_code >= FIRST_SERVER_ERROR:
        return ServiceAnswerError(f"The webhook at {host} failed ({said})"), wait
    raise ServiceRefusedError(
        f"The webhook at {host} does not take the message ({said})",
        "Check its address; it may have been revoked.",
    )


def _host(url: str) -> str:
    """Return whom the address belongs to; a word of what is wrong with it never quotes it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        host = ""
    if not host or not url.isprintable() or not url.startswith(("http://", "https://")):
        raise ConfigurationError(
            "The address of the webhook for alerts is no web address", "Give all of it, from https:// on."
        )
    return host


def _seconds(header: str | None, default: float) -> float:
    try:
        return max(0.0, float(header or default))
    except ValueError:  # a date, which no chat is known to send
        return default
