"""Ask a service whether it is well: one short request, and an answer that is never an exception.

Knows MLflow's `/health` and Airflow's `/api/v2/monitor/health`, which says 200 whatever is wrong and lists the parts.
Must not judge, wait, or try again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airfoil.clients.mlflow_server import LOOPBACK_HOSTS

if TYPE_CHECKING:
    import httpx

PATIENCE_SECONDS = 3.0
_OK = 200


@dataclass(frozen=True)
class Answer:
    """Whether a service is well, what it said, and how long that took."""

    healthy: bool
    said: str
    milliseconds: float | None = None


def ask_service(
    url: str,
    *,
    transport: httpx.BaseTransport | None = None,
    elapsed: Callable[[], float] = time.perf_counter,
) -> Answer:
    """Ask the address of a health check."""
    import httpx

    began = elapsed()
    try:
        is_near = urlsplit(url).hostname in LOOPBACK_HOSTS
        with httpx.Client(transport=transport, timeout=PATIENCE_SECONDS, trust_env=not is_near) as client:
            answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return Answer(healthy=False, said=f"does not answer: {str(error) or type(error).__name__}")
    took = round((elapsed() - began) * 1000, 1)
    if answer.status_code != _OK:
        return Answer(healthy=False, said=f"answered {answer.status_code}", milliseconds=took)
    ill = _ill_parts(answer)
    return Answer(healthy=not ill, said=", ".join(ill) or "ok", milliseconds=took)


def _ill_parts(answer: httpx.Response) -> list[str]:
    """Return the parts of a service that say they are unwell; one that says nothing is not known, and not ill."""
    try:
        told: Any = answer.json()
    except ValueError:
        return []
    parts = told.items() if isinstance(told, Mapping) else ()
    return [
        f"{name} is {part['status']}"
        for name, part in parts
        if isinstance(part, Mapping) and part.get("status") not in {None, "healthy"}
    ]
