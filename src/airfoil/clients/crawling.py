"""Fetch data from a web address again and again: politely, within limits, and only when it is new.

Each version is kept as a file of its own below a folder, written whole or not at all; `latest.json` beside them says
which one is the newest and what the server called it, so that an unchanged source costs one short answer. Whatever the
other side sends is bounded: redirects, size, unpacked size, time. What the data means is not looked at.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pydantic import AwareDatetime, Field, ValidationError

from airfoil.clients.crawled_bodies import (
    CrawlLimits,
    check_head,
    content_length,
    content_type,
    is_packed_for_the_way,
    read_body,
)
from airfoil.clients.redirects import followed
from airfoil.clients.remote_files import check_room, check_status, not_written
from airfoil.errors import (
    ConfigurationError,
    NeighbourError,
    ServiceAnswerError,
    ServiceUnreachableError,
    redact,
)
from airfoil.records import DataRef, Record

if TYPE_CHECKING:
    import httpx

USER_AGENT = "Airfoil-crawler/1 (+https://airfoil.readthedocs.io/)"
"""Says who asks, as robots should; a site's owner finds out what this is."""
LATEST = "latest.json"
_LONGEST_WAIT_SECONDS = 60.0
_OK, _NOT_MODIFIED, _TOO_MANY_REQUESTS, _SERVER_FAULT = 200, 304, 429, 500
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")

log = logging.getLogger(__name__)


class Crawled(Record):
    """One version of a source, as it lies here."""

    url: str
    """Without what is secret in it."""
    path: str
    content_hash: str
    size_bytes: int = Field(ge=0)
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    fetched_at: AwareDatetime
    is_new: bool = True
    """Whether this call has brought it. A task that was killed afterwards and is tried again brings nothing new: what
    skips work compares `content_hash` with what it has finished."""

    @property
    def ref(self) -> DataRef:
        """What a later task reads it by."""
        return DataRef(uri=Path(self.path).as_uri(), content_hash=self.content_hash)


class _AgainError(Exception):
    """A failure that may be over in a moment; holds what to raise when it is not."""

    def __init__(self, error: NeighbourError, after_seconds: float = 0.0) -> None:
        super().__init__(str(error))
        self.error, self.after_seconds = error, after_seconds


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Crawler:
    """Keeps the versions of sources below a folder, one folder for each name."""

    folder: Path
    limits: CrawlLimits = field(default_factory=CrawlLimits)
    user_agent: str = USER_AGENT
    now: Callable[[], datetime] = _now
    elapsed: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    transport: httpx.BaseTransport | None = None

    def fetch(self, url: str, name: str, *, sha256: str = "") -> Crawled:
        """Return the source as it is now; `sha256` is what it has to be, for sources that say so."""
        place = self._place(url, name)
        known = _latest(place)
        for tried in range(1, self.limits.tries + 1):
            try:
                return self._ask(url, name, place, known, sha256.lower().removeprefix("sha256:"))
            except _AgainError as again:
                if tried == self.limits.tries:
                    raise again.error from again.__cause__
                wait = min(max(2.0 ** (tried - 1), again.after_seconds), _LONGEST_WAIT_SECONDS)
                log.warning("%s; trying again in %.0f s", again.error, wait)
                self.pause(wait)
        raise AssertionError  # the last try returns or raises

    def _place(self, url: str, name: str) -> Path:
        if not _is_web_address(url):
            raise ConfigurationError(
                f"'{url}' is no address of a web server",
                "Give an address such as https://example.com/data.csv.",
            )
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"'{name}' is no name for a source", "Use letters, digits, dots and hyphens."
            )
        place = self.folder / name
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            not_written(name, error)
        return place

    def _ask(self, url: str, name: str, place: Path, known: Crawled | None, sha256: str) -> Crawled:
        import httpx

        if known and (known.url != redact(url) or not _is_asked_for(known, sha256)):
            known = None
        headers = {"User-Agent": self.user_agent, "Accept-Encoding": "identity", **_conditions(known)}
        client = httpx.Client(transport=self.transport, timeout=self.limits.silence_seconds)
        try:
            request = client.build_request("GET", url, headers=headers)
            with client, followed(client, request, name, most=self.limits.most_redirects) as answer:
                if answer.status_code == _NOT_MODIFIED and known:
                    return known.model_copy(update={"is_new": False})
                self._check(answer, name)
                return self._keep(answer, url, name, place, known, sha256)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConfigurationError(
                f"The address of {name} is none, or leads to one that is none: {error}",
                "Check how it is written.",
            ) from error
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            raise _AgainError(
                ServiceUnreachableError(
                    f"The server of {name} does not answer, or stopped in the middle: {said}",
                    "Try again later; the version before is kept.",
                )
            ) from error

    def _check(self, answer: httpx.Response, name: str) -> None:
        """Refuse what is no data before its body is read."""
        status = answer.status_code
        if status == _TOO_MANY_REQUESTS or status >= _SERVER_FAULT:
            raise _AgainError(
                ServiceAnswerError(f"The server of {name} answered {status}", "Try again later."),
                _retry_after(answer, self.now()),
            )
        check_status(status, name)
        if status != _OK:  # nothing, or a part of it
            raise ServiceAnswerError(f"The server of {name} answered {status}", "Ask who runs it.")
        check_head(answer, name, self.limits)

    def _keep(
        self, answer: httpx.Response, url: str, name: str, place: Path, known: Crawled | None, sha256: str
    ) -> Crawled:
        unfinished = place / f".{uuid.uuid4().hex}.tmp"
        digest, size = hashlib.sha256(), 0
        check_room(place, content_length(answer), name)
        try:
            with unfinished.open("wb") as file:
                for piece in read_body(answer, name, self.limits, self.elapsed):
                    digest.update(piece)
                    size += len(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            if sha256 and digest.hexdigest() != sha256:
                raise ServiceAnswerError(
                    f"{name} has the checksum {digest.hexdigest()[:12]}..., not {sha256[:12]}... as was said",
                    "It was changed or damaged on its way; correct the checksum if the source has changed for good.",
                )
            found = Crawled(
                url=redact(url),
                path=str((place / _version_name(answer, url, digest.hexdigest(), self.now())).absolute()),
                content_hash=f"sha256:{digest.hexdigest()}",
                size_bytes=size,
                content_type=content_type(answer),
                etag=answer.headers.get("etag", ""),
                last_modified=answer.headers.get("last-modified", ""),
                fetched_at=self.now(),
            )
            if known and known.content_hash == found.content_hash:  # a server that marks no versions
                found = found.model_copy(update={"path": known.path, "fetched_at": known.fetched_at})
                _write(place / LATEST, found.model_dump_json())
                return found.model_copy(update={"is_new": False})
            unfinished.replace(found.path)
            _write(place / LATEST, found.model_dump_json())
        except OSError as error:
            not_written(name, error)
        finally:
            with suppress(OSError):
                unfinished.unlink()
        return found


def _latest(place: Path) -> Crawled | None:
    """Return the newest version, when it is still there and as it was."""
    try:
        found = Crawled.from_json((place / LATEST).read_text(encoding="utf-8"))
        is_there = Path(found.path).stat().st_size == found.size_bytes
    except (OSError, ValueError, ValidationError):
        return None
    return found if is_there else None


def _is_asked_for(known: Crawled, sha256: str) -> bool:
    return not sha256 or known.content_hash == f"sha256:{sha256}"


def _conditions(known: Crawled | None) -> dict[str, str]:
    if known is None:
        return {}
    marks = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {header: mark for header, mark in marks.items() if mark}


def _retry_after(answer: httpx.Response, now: datetime) -> float:
    """Return how many seconds the server asks us to wait; it may say a number or a date."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isdecimal():
        return float(said)
    with suppress(ValueError, TypeError):
        return max(0.0, (parsedate_to_datetime(said) - now).total_seconds())
    return 0.0


def _is_web_address(url: str) -> bool:
    with suppress(ValueError):
        parts = urlsplit(url)
        return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    return False


def _version_name(answer: httpx.Response, url: str, digest: str, now: datetime) -> str:
    """Return a name that tells when, what, and of what kind: readers go by the end of a name."""
    tail = unquote(urlsplit(url).path).rpartition("/")[2]
    suffix = "".join(re.findall(r"\.[A-Za-z0-9]{1,8}", tail)[-2:])
    if is_packed_for_the_way(answer):
        suffix = suffix.removesuffix(".gz")
    return f"{now:%Y%m%dT%H%M%SZ}-{digest[:12]}{suffix}"


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
