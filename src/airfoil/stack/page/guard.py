"""Who may ask, and what a browser may do with the answer. A plain ASGI wrapper around the whole application.

A page on a web site could make a browser call us under that site's own name (DNS rebinding) and read what it gets, so a
foreign Host is refused. Nothing here can be changed by a request, so every method but GET and HEAD is refused too.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
METHODS = ("GET", "HEAD")
MISDIRECTED = 421


class Guard:
    """Refuses foreign hosts, other sites' scripts and every method that is not for reading."""

    def __init__(
        self, app: ASGIApp, bound_host: str, own_name: Callable[[], str] = socket.gethostname
    ) -> None:
        self._app = app
        self._bound_host = bound_host.strip("[]").lower()
        self._own_name = own_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse."""
        if scope["type"] != "http":
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if not self.knows(headers.get("host", "")):
            return PlainTextResponse("This address is not served here.\n", MISDIRECTED)
        if scope["method"] not in METHODS:
            return PlainTextResponse("This page only reads.\n", 405, {"Allow": ", ".join(METHODS)})
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return PlainTextResponse("Other sites may not read this page.\n", 403)
        return None

    def knows(self, host: str) -> bool:
        """Tell whether a Host header names this server. The port is free: a tunnel may use another one."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in {"localhost", self._bound_host} or name.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return self._is_open() and name == self._own_name().lower()
        # No name can be rebound to us when the header carries a bare address; still, on loopback only loopback is ours.
        return address.is_loopback or self._is_open()

    def _is_open(self) -> bool:
        return self._bound_host in {"0.0.0.0", "::", ""}  # noqa: S104 - compared, not bound
