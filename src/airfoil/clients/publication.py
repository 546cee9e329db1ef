"""Whether a table has been published: does anything lie where it should? Nothing of it is read.

A server that says "no such file" and one that forbids to look (S3 behind a web address says that of files that are not
there) both mean: not yet. Must not wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.clients.redirects import followed
from airfoil.clients.remote_files import check_status, lies_on_s3
from airfoil.clients.source_files import local_files
from airfoil.errors import NotFoundError, ServiceUnreachableError

if TYPE_CHECKING:
    import httpx

    from airfoil.clients.table_sources import TableSource

_PATIENCE_SECONDS = 20.0
_NOT_YET = {403, 404, 410}
_NO_HEAD = {405, 501}


@dataclass(frozen=True)
class Sighting:
    """Whether something is there, and what was seen, for people."""

    found: bool
    said: str


def look_for(source: TableSource, *, transport: httpx.BaseTransport | None = None) -> Sighting:
    """Look once; a neighbour that does not answer is an error."""
    if source.kind == "web":
        return _on_the_web(source, transport)
    if source.kind == "s3":
        found = lies_on_s3(source.path, source.called, source.s3)
        return Sighting(found, "the store has it" if found else "the store has no such key")
    if source.kind == "local":
        try:
            local_files(source.path, source.called)
        except NotFoundError:
            return Sighting(found=False, said="nothing lies there")
        return Sighting(found=True, said="it lies there")
    return Sighting(found=True, said="a database is asked when it is read")


def _on_the_web(source: TableSource, transport: httpx.BaseTransport | None) -> Sighting:
    import httpx

    try:
        with httpx.Client(transport=transport, timeout=_PATIENCE_SECONDS) as client:
            status = _status(client, "HEAD", source)
            if status in _NO_HEAD:
                status = _status(client, "GET", source, {"Range": "bytes=0-0"})
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise NotFoundError(
            f"The address of {source.called} is none: {error}", "Check how it is written."
        ) from error
    except httpx.HTTPError as error:
        raise ServiceUnreachableError(
            f"The server of {source.called} does not answer: {error}", "Try again later."
        ) from error
    if status in _NOT_YET:
        return Sighting(found=False, said=f"the server answers {status}")
    check_status(status, source.called)
    return Sighting(found=True, said="the server has it")


def _status(
    client: httpx.Client, method: str, source: TableSource, more: Mapping[str, str] | None = None
) -> int:
    """Ask for what lies at the end of all redirects, and read nothing of it."""
    request = client.build_request(method, source.location, headers={**source.headers, **(more or {})})
    with followed(client, request, source.called, private=source.headers) as answer:
        return answer.status_code
