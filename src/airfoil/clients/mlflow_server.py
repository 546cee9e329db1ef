"""How to reach one MLflow server: address, login, authority, patience. Nothing is sent here."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from airfoil.errors import ConfigurationError

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class MlflowServer:
    """How to reach one MLflow server. Its text form shows no secret."""

    uri: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    timeout_seconds: float = 10.0
    tries: int = 3
    browser_url: str = ""
    """Where people find its pages, if that is not where programs do: behind a proxy, say."""

    @property
    def page(self) -> str:
        """The address that links for people begin with."""
        return self.browser_url or self.uri

    def __post_init__(self) -> None:
        """Refuse what is not a server's address: databases and folders are the server's own business."""
        parts = urlsplit(self.uri)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                f"'{self.uri}' is not the address of an MLflow server",
                "Give an http:// or https:// address, such as http://127.0.0.1:5000",
            )
        if self.browser_url and urlsplit(self.browser_url).scheme not in {"http", "https"}:
            raise ConfigurationError(
                f"'{self.browser_url}' is not where a browser finds MLflow",
                "Correct 'browser_url' of the MLflow connection, or leave it empty.",
            )
        object.__setattr__(self, "uri", self.uri.rstrip("/"))
        object.__setattr__(self, "browser_url", self.browser_url.rstrip("/"))

    def client_options(self) -> dict[str, Any]:
        """Return what httpx's clients, plain and async, are made with."""
        # A proxy from the environment must not be asked for this machine's own ports.
        loopback = urlsplit(self.uri).hostname in LOOPBACK_HOSTS
        return {
            "auth": _auth(self),
            "headers": {"Authorization": f"Bearer {self.token}"} if self.token else None,
            "timeout": self.timeout_seconds,
            "trust_env": not loopback,
            "verify": _verify(self),
        }


def _auth(server: MlflowServer) -> httpx.BasicAuth | None:
    if server.token or not server.username:
        return None
    return httpx.BasicAuth(server.username, server.password or "")


def _verify(server: MlflowServer) -> Any:
    """Return httpx's `verify`: the authority of the connection, of the environment, or the usual ones."""
    # httpx itself reads only the first of these variables, MLflow's own client, in the same task, only the second.
    named = (os.environ.get(name) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"))
    places = [server.ca_file] if server.ca_file else [place for place in named if place]
    if not server.uri.startswith("https:"):
        return False  # nothing to verify, and a broken variable is no reason to fail
    if not places:
        return True
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which checks names and certificates
    for place in places:
        try:
            context.load_verify_locations(**{"capath" if Path(place).is_dir() else "cafile": place})
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"The certificate authority file '{place}' cannot be used: {error}",
                "Correct 'ca_file' of the MLflow connection (or REQUESTS_CA_BUNDLE, SSL_CERT_FILE).",
            ) from error
    return context
