"""The fake server's webhooks: kept and listed. Nothing is delivered; a test posts to its receiver itself."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from airfoil.clients.testing.paging import page
from airfoil.clients.testing.refusals import RefusalError, missing, optional_text, text
from airfoil.clients.testing.state import Answer, Body, World, without_empty

DEFAULT_RESULTS, MOST_RESULTS = 100, 1000
SCHEMES = frozenset({"http", "https"})
ACTIONS = {
    "REGISTERED_MODEL": {"CREATED"},
    "MODEL_VERSION": {"CREATED"},
    "MODEL_VERSION_TAG": {"SET", "DELETED"},
    "MODEL_VERSION_ALIAS": {"CREATED", "DELETED"},
}
_NAME = re.compile(r"(?=.{1,63}$)[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)


class Webhooks:
    """Webhooks by id; names may repeat."""

    def __init__(self, world: World) -> None:
        """Begin with none."""
        self._world = world
        self.by_id: dict[str, dict[str, Any]] = {}

    def create(self, body: Body) -> Answer:
        """Make one; its secret is kept and never shown."""
        name, url, events = text(body, "name"), text(body, "url"), list(body.get("events") or [])
        _check(name, url, events)
        webhook_id, now = self._world.dashed_id(), self._world.now_ms()
        self.by_id[webhook_id] = {
            "webhook_id": webhook_id,
            "name": name,
            "description": optional_text(body, "description"),
            "url": url,
            "events": events,
            "secret": optional_text(body, "secret"),
            "status": optional_text(body, "status") or "ACTIVE",
            "creation_timestamp": now,
            "last_updated_timestamp": now,
        }
        return {"webhook": _shown(self.by_id[webhook_id])}

    def list_all(self, body: Body) -> Answer:
        """Return a page of them, the newest first."""
        size = int(body.get("max_results") or DEFAULT_RESULTS)
        if not 1 <= size <= MOST_RESULTS:
            raise RefusalError("max_results must be between 1 and 1000.")
        newest = list(reversed(self.by_id.values()))
        newest.sort(key=lambda one: int(one["creation_timestamp"]), reverse=True)
        rows, more = page(newest, body, size)
        return without_empty({"webhooks": [_shown(one) for one in rows], **more})

    def get(self, body: Body) -> Answer:
        """Return one."""
        return {"webhook": _shown(self._find(text(body, "webhook_id")))}

    def update(self, body: Body) -> Answer:
        """Change what is given of one."""
        kept = self._find(text(body, "webhook_id"))
        given = {
            key: body[key]
            for key in ("name", "url", "events", "description", "secret", "status")
            if body.get(key)
        }
        changed = {**kept, **given}
        _check(changed["name"], changed["url"], changed["events"])
        kept.update(given, last_updated_timestamp=self._world.now_ms())
        return {"webhook": _shown(kept)}

    def delete(self, body: Body) -> Answer:
        """Take one away."""
        del self.by_id[self._find(text(body, "webhook_id"))["webhook_id"]]
        return {}

    def _find(self, webhook_id: str) -> dict[str, Any]:
        if webhook_id not in self.by_id:
            raise missing(f"Webhook with ID {webhook_id} not found.")
        return self.by_id[webhook_id]


def _check(name: str, url: str, events: list[dict[str, str]]) -> None:
    if not _NAME.fullmatch(name):
        raise RefusalError(f"Webhook name {name!r} is invalid.")
    if urlsplit(url).scheme not in SCHEMES:
        raise RefusalError(f"Invalid webhook URL scheme: {urlsplit(url).scheme!r}.")
    if not events or any(one.get("action") not in ACTIONS.get(one.get("entity", ""), ()) for one in events):
        raise RefusalError(f"Webhook events must be a non-empty list of WebhookEvent objects: {events}.")


def _shown(kept: dict[str, Any]) -> Answer:
    shown = {key: value for key, value in kept.items() if key != "secret"}
    shown["description"] = kept["description"] or None
    return without_empty(shown)
