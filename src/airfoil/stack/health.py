"""Whether a service is really ready, by its own words: the body of its health document, a fresh heartbeat.

`judge` is pure; `fetch` asks over HTTP with the standard library alone.
"""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.stack.service import Probe

TIMEOUT_SECONDS = 5.0
_OK = 200


class Health(NamedTuple):
    """A verdict and why."""

    healthy: bool
    detail: str = ""


class Answer(NamedTuple):
    """What came back: status 0 means nothing did, and body then says why."""

    status: int
    body: str


def fetch(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Answer:
    """GET the address; never raises."""
    try:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_seconds)
    except (ValueError, http.client.HTTPException) as error:
        return Answer(0, f"{type(error).__name__}: {error}")
    try:
        connection.request(
            "GET", parts.path or "/", headers={"Accept": "application/json", "Connection": "close"}
        )
        response = connection.getresponse()
        return Answer(response.status, response.read(1_000_000).decode(errors="replace"))
    except ConnectionRefusedError:
        return Answer(0, "nothing listens there")
    except TimeoutError:
        return Answer(0, f"silent for {timeout_seconds:.0f} s")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(0, f"{type(error).__name__}: {error}")
    finally:
        connection.close()


def judge(probe: Probe, answer: Answer, started_at: float | None) -> Health:
    """The verdict on one answer; `started_at` (epoch) is when the process began, older heartbeats are not its own."""
    if answer.status == 0:
        return Health(False, f"no answer from {probe.url}: {answer.body}")
    if answer.status != _OK:
        return Health(False, f"{probe.url} answered {answer.status}")
    if probe.kind == "http" and not probe.expect:
        return Health(True)
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Health(False, f"{probe.url} answered something that is not JSON")
    if probe.kind == "heartbeat":
        return _heartbeat(body, probe.component, started_at)
    if _holds(body, probe.expect):
        return Health(True)
    return Health(False, f"{probe.url} says {json.dumps(body)[:200]}")


def _holds(body: Any, expected: Mapping[str, Any]) -> bool:
    if not isinstance(body, dict):
        return False
    return all(
        _holds(body.get(key), value) if isinstance(value, dict) else body.get(key) == value
        for key, value in expected.items()
    )


def _heartbeat(body: Any, component: str, started_at: float | None) -> Health:
    part = body.get(component) if isinstance(body, dict) else None
    if not isinstance(part, dict):
        return Health(False, f"Airflow knows no {component} yet")
    if part.get("status") != "healthy":
        return Health(False, f"Airflow says the {component} is {part.get('status')}")
    text = part.get(f"latest_{component}_heartbeat")
    try:
        beat = datetime.fromisoformat(str(text))
    except ValueError:
        return Health(False, f"the {component} has not sent a heartbeat yet")
    if beat.tzinfo is None:  # Airflow stores UTC; read as local time it would be hours off
        beat = beat.replace(tzinfo=UTC)
    if started_at is not None and beat.timestamp() < started_at:
        return Health(False, f"the {component} has not sent a heartbeat since it started")
    return Health(True)
