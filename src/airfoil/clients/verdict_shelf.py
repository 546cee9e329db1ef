"""The latest verdicts about something, as tags of its anchor: what verdicts about models and about datasets share.

A tag is named by whoever keeps the verdict, so that a task that is tried again adds none. Must not know what a verdict
is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, Self, TypeVar

from pydantic import ValidationError

from airfoil.clients.claims import Claims, read_tags
from airfoil.clients.exchange import API, Exchange, post, post_tags
from airfoil.errors import NotFoundError

KEPT = 50


class Dated(Protocol):
    """A record with a moment."""

    @property
    def at(self) -> datetime:
        """When it was said."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | str) -> Self:
        """Rebuild it from its text."""


V = TypeVar("V", bound=Dated)


@dataclass(frozen=True)
class VerdictShelf(Generic[V]):
    """Verdicts of one kind: each subject has an anchor, each verdict a tag there."""

    anchor: str
    """What the names of the anchors begin with."""
    tag: str
    """What the names of the tags begin with."""
    kind: type[V]
    kept: int = KEPT

    def keep(self, claims: Claims, subject: str, name: str, text: str) -> Exchange[None]:
        """Write a verdict down under a name, and forget the oldest ones beyond those that are kept."""
        anchor = yield from claims.anchor_id(self.anchor + subject)
        tag = {"run_id": anchor, "key": self.tag + name, "value": text}
        yield from post_tags(f"{API}/runs/set-tag", tag)
        for old, _ in self._read((yield from read_tags(anchor)))[self.kept :]:
            with suppress(NotFoundError):  # somebody else forgets too
                yield from post(f"{API}/runs/delete-tag", {"run_id": anchor, "key": old})

    def latest(self, claims: Claims, subject: str) -> Exchange[list[V]]:
        """Return the verdicts about one subject, newest first; who only looks leaves nothing behind."""
        anchor = yield from claims.find(self.anchor + subject)
        if anchor is None:
            return []
        return [verdict for _, verdict in self._read((yield from read_tags(anchor)))]

    def latest_of_all(self, claims: Claims) -> Exchange[dict[str, V]]:
        """Return the newest verdict about each subject, by its name."""
        found = yield from claims.tags_of_all(self.anchor)
        verdicts = {name.removeprefix(self.anchor): self._read(tags) for name, tags in sorted(found.items())}
        return {subject: rows[0][1] for subject, rows in verdicts.items() if rows}

    def _read(self, tags: Mapping[str, str]) -> list[tuple[str, V]]:
        found = []
        for key, text in tags.items():
            if key.startswith(self.tag):
                with suppress(ValidationError, ValueError):  # written by a newer Airfoil, or by hand
                    found.append((key, self.kind.from_json(text)))
        return sorted(found, key=lambda one: one[1].at, reverse=True)
