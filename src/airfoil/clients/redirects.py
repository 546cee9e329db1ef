"""Where web servers send us on to: followed step by step, within limits, and without what is meant for the first alone.

httpx would read what comes with each redirect, however much that is, would leave https for http, and would hand every
header but one to whoever it is sent to. What lies at the end is not looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    import httpx

MOST_REDIRECTS = 10


@contextmanager
def followed(
    client: httpx.Client,
    request: httpx.Request,
    name: str,
    *,
    private: Collection[str] = (),
    most: int = MOST_REDIRECTS,
) -> Iterator[httpx.Response]:
    """Hold the answer at the end of all redirects, its body unread; `private` headers leave with the first server."""
    for _ in range(most + 1):
        with closing(client.send(request, stream=True, follow_redirects=False)) as answer:
            following = answer.next_request
            if following is None:
                yield answer
                return
        _check_step(request.url, following.url, name)
        if not _is_same_server(request.url, following.url):
            # Without a host nothing can be asked; httpx has written that anew.
            for header in {one.lower() for one in private} - {"host"}:
                following.headers.pop(header, None)
        request = following
    raise ConfigurationError(
        f"The server of {name} sends us on more than {most} times",
        "Give the address where it ends, as a browser shows it.",
    )


def _check_step(before: httpx.URL, after: httpx.URL, name: str) -> None:
    """Refuse what leads out of the web, or from a secret way into the open."""
    if after.scheme == "https" or before.scheme == after.scheme == "http":
        return
    raise ConfigurationError(
        f"The server of {name} leads from {before.scheme} to {after.scheme}",
        f"Give an address that stays with {before.scheme}.",
    )


def _is_same_server(before: httpx.URL, after: httpx.URL) -> bool:
    """Tell whether both are one server; https on its usual port is the same as http on its own, which has none here."""
    if (before.host, before.port) != (after.host, after.port):
        return False
    return before.scheme == after.scheme or after.port is None
