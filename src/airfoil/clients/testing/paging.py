"""Pages of results: MLflow's page tokens, which carry the place where the next page begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from airfoil.clients.testing.refusals import RefusalError

T = TypeVar("T")


def page(rows: Sequence[T], body: Mapping[str, Any], size: int) -> tuple[list[T], dict[str, str]]:
    """Return the page that a request asks for, and the token field of its answer when there are more."""
    start = _start(body.get("page_token") or "")
    chosen = list(rows[start : start + size])
    if start + size >= len(rows):
        return chosen, {}
    token = base64.b64encode(json.dumps({"offset": start + size}).encode()).decode()
    return chosen, {"next_page_token": token}


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.b64decode(token))["offset"])
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise RefusalError("Invalid page token, could not base64-decode") from error
