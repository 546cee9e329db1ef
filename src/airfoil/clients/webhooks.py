"""MLflow's webhooks: keep the one that tells us of moved aliases, and the signature that its messages carry.

MLflow sends a message once, from memory: what is lost while somebody restarts stays lost. Nothing may depend on a
webhook but speed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from airfoil.clients.claims import digest
from airfoil.clients.exchange import API, Exchange, get, patch, post

WEBHOOKS = f"{API}/webhooks"
DELIVERY_HEADER = "X-MLflow-Delivery-Id"
TIMESTAMP_HEADER = "X-MLflow-Timestamp"
SIGNATURE_HEADER = "X-MLflow-Signature"
EVENTS = tuple({"entity": "MODEL_VERSION_ALIAS", "action": action} for action in ("CREATED", "DELETED"))
_DESCRIPTION = "Tells Airflow that an alias has moved (Airfoil). Without it Airflow looks every few seconds."


def sign(secret: str, delivery_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a message, as MLflow makes it."""
    signed = b".".join((delivery_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def is_signed(secret: str, delivery_id: str, timestamp: str, body: bytes, signature: str) -> bool:
    """Say whether a signature is right, in a time that tells nothing about it."""
    expected = sign(secret, delivery_id, timestamp, body)
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def ensure_webhook(url: str, secret: str) -> Exchange[str]:
    """Make MLflow send moved aliases to this address, signed with this secret; return the webhook's id.

    The webhook of an address exists once, however often this is called. MLflow never shows a secret, so it is set anew.
    """
    wanted = {"url": url, "secret": secret, "events": list(EVENTS), "status": "ACTIVE"}
    found = yield from _webhook_of(url)
    if found:
        yield from patch(f"{WEBHOOKS}/{found}", wanted)
        return found
    named = {"name": f"airfoil-{digest(url)[:12]}", "description": _DESCRIPTION, **wanted}
    answer = yield from post(WEBHOOKS, named, repeatable=False)
    return str(answer["webhook"]["webhook_id"])


def _webhook_of(url: str) -> Exchange[str | None]:
    token = ""
    while True:
        page: dict[str, Any] = yield from get(WEBHOOKS, **({"page_token": token} if token else {}))
        for row in page.get("webhooks", []):
            if row.get("url") == url:
                return str(row["webhook_id"])
        token = page.get("next_page_token") or ""
        if not token:
            return None
