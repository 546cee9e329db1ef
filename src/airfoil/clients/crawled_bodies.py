"""What a web server answers, taken within limits: its kind, its size, what it unpacks to, and how long it may take.

Every limit is held while bytes come in, so that nothing is in memory or on a disk that is too much. Must not ask a
server, and must not know where the bytes go.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from pydantic import Field

from airfoil.clients.gzip_streams import MAGIC, GzipStream
from airfoil.errors import ConfigurationError, ServiceAnswerError, ServiceUnreachableError
from airfoil.records import Record

if TYPE_CHECKING:
    import httpx

DATA_TYPES = (
    "text/csv", "text/plain", "text/tab-separated-values", "application/csv", "application/json",
    "application/x-ndjson", "application/gzip", "application/x-gzip", "application/octet-stream",
    "application/vnd.apache.parquet", "application/x-parquet", "application/vnd.apache.arrow.file",
    "binary/octet-stream",
)  # fmt: skip
_HEAD_BYTES = 256
_MOST_DIGITS = 18  # of a length that is meant seriously
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html)", re.IGNORECASE)
_GZIP = frozenset({"gzip", "x-gzip"})


class CrawlLimits(Record):
    """What is the most that is taken from another side."""

    most_bytes: int = Field(default=256 << 20, ge=1)
    """Of a file, and of what it is when it is unpacked."""
    content_types: tuple[str, ...] = DATA_TYPES
    """What it may be; nothing is asked of an answer that does not say."""
    most_redirects: int = Field(default=5, ge=0)
    tries: int = Field(default=4, ge=1)
    silence_seconds: float = Field(default=30.0, gt=0)
    """How long the other side may say nothing."""
    whole_seconds: float = Field(default=900.0, gt=0)
    """How long one answer may take, even if it drips."""


def check_head(answer: httpx.Response, name: str, limits: CrawlLimits) -> None:
    """Refuse what its headers say is no data, or too much, before the body is read."""
    kind, size = content_type(answer), content_length(answer)
    if kind and kind not in limits.content_types:
        raise _no_data(name, kind)
    if size > limits.most_bytes:
        raise _too_large(name, f"has {size >> 20} MiB", limits)


def content_type(answer: httpx.Response) -> str:
    """Return what kind of content the server says it is; empty when it does not."""
    return str(answer.headers.get("content-type", "")).partition(";")[0].strip().lower()


def content_length(answer: httpx.Response) -> int:
    """Return how many bytes the server says there are; 0 when it does not."""
    said = str(answer.headers.get("content-length", ""))
    return int(said) if said.isdecimal() and len(said) <= _MOST_DIGITS else 0


def is_packed_for_the_way(answer: httpx.Response) -> bool:
    """Tell whether the server has packed what it sends, whatever it is."""
    return _coding(answer) in _GZIP


def read_body(
    answer: httpx.Response, name: str, limits: CrawlLimits, elapsed: Callable[[], float]
) -> Iterator[bytes]:
    """Give the body as it is to be kept: what was packed for the way is unpacked, a packed file stays one."""
    if _coding(answer) not in _GZIP | {"identity"}:
        raise ServiceAnswerError(
            f"The server of {name} packs its answer as '{_coding(answer)}', which was not asked for",
            "Ask who runs it.",
        )
    content = _raw(answer, name, limits, elapsed)
    if is_packed_for_the_way(answer):
        content = (unpacked for _, unpacked in _unpacked(content, name, limits))
    pieces = _with_head(content)
    head = next(pieces, b"")
    if _HTML.match(head):
        raise _no_data(name, "text/html")
    if head.startswith(MAGIC):
        # Kept as it is, and looked into nevertheless: somebody will unpack it.
        for packed, _ in _unpacked(chain([head], pieces), name, limits):
            yield packed
    else:
        yield from chain([head], pieces)


def _coding(answer: httpx.Response) -> str:
    return str(answer.headers.get("content-encoding", "")).strip().lower() or "identity"


def _raw(
    answer: httpx.Response, name: str, limits: CrawlLimits, elapsed: Callable[[], float]
) -> Iterator[bytes]:
    """Give the body as it comes, as long as it is neither too large nor too slow."""
    began, taken = elapsed(), 0
    for raw in answer.iter_raw():
        taken += len(raw)
        if taken > limits.most_bytes:
            raise _too_large(name, "does not end", limits)
        if elapsed() - began > limits.whole_seconds:
            raise ServiceUnreachableError(
                f"The server of {name} has been sending for more than {limits.whole_seconds:g} s",
                "Allow more time (whole_seconds) if it is that large.",
            )
        yield raw


def _unpacked(pieces: Iterable[bytes], name: str, limits: CrawlLimits) -> Iterator[tuple[bytes, bytes]]:
    """Give each piece as it came, and after it the pieces that it unpacks to; the other of the two is empty."""
    stream, size = GzipStream(), 0
    for raw in pieces:
        yield raw, b""
        try:
            for unpacked in stream.feed(raw):
                size += len(unpacked)
                if size > limits.most_bytes:
                    raise _too_large(name, "unpacks to more and more", limits)
                yield b"", unpacked
        except zlib.error as error:
            raise ServiceAnswerError(
                f"{name} is damaged: {error}", "Try again later, or ask who runs the server."
            ) from error
    if not stream.is_whole:
        raise ServiceAnswerError(f"{name} ends in the middle of its gzip stream", "Try again later.")


def _too_large(name: str, how: str, limits: CrawlLimits) -> ConfigurationError:
    return ConfigurationError(
        f"{name} {how}, and at most {limits.most_bytes} bytes are taken",
        "Check the address; raise the limit (most_bytes) if the source is meant to be that large.",
    )


def _with_head(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Give the same bytes, the first of them together, so that they can be recognised."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= _HEAD_BYTES:
            break
    yield head
    yield from pieces


def _no_data(name: str, kind: str) -> ConfigurationError:
    shown = "a web page (text/html)" if kind == "text/html" else f"'{kind}'"
    return ConfigurationError(
        f"The server of {name} answered {shown}, not data",
        "Give the address of the file itself; allow another content type (content_types) if that is what it should be.",
    )
