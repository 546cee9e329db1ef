"""Talk to one MLflow server over plain HTTP: login, short retries, and every failure turned into one of our errors.

Importing mlflow costs seconds per task and its fluent functions keep process-wide state and environment variables;
neither is needed to log numbers. This module must not know what a run or a model is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from airfoil.errors import (
    AirfoilError,
    ConfigurationError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)

FIRST_PAUSE_SECONDS = 0.5
MAX_MESSAGE_CHARACTERS = 500
UNTOUCHED_STATUSES = frozenset({429, 503})  # the server says it did nothing with the request
UNKNOWN_STATUSES = frozenset({502, 504})  # a proxy lost the answer; the request may have been carried out
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

    def __post_init__(self) -> None:
        """Refuse what is not a server's address: databases and folders are the server's own business."""
        parts = urlsplit(self.uri)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                f"'{self.uri}' is not the address of an MLflow server",
                "Give an http:// or https:// address, such as http://127.0.0.1:5000",
            )
        object.__setattr__(self, "uri", self.uri.rstrip("/"))


class MlflowHttp:
    """Sends requests to one MLflow server and returns parsed JSON."""

    def __init__(
        self,
        server: MlflowServer,
        *,
        pause: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet."""
        self.server = server
        self._pause = pause
        # A proxy from the environment must not be asked for this machine's own ports.
        loopback = urlsplit(server.uri).hostname in LOOPBACK_HOSTS
        self._client = httpx.Client(
            auth=_auth(server),
            headers={"Authorization": f"Bearer {server.token}"} if server.token else None,
            timeout=server.timeout_seconds,
            transport=transport,
            trust_env=not loopback,
            verify=_verify(server),
        )

    def __enter__(self) -> Self:
        """Use the connection for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close pooled connections."""
        self._client.close()

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Read something."""
        return self._json("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        """Send something; say `repeatable=False` when carrying it out twice would leave two of it."""
        return self._json("POST", path, repeatable=repeatable, json=body)

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change something."""
        return self._json("PATCH", path, json=body)

    def put_bytes(self, path: str, content: bytes) -> None:
        """Store bytes under a path."""
        self._send("PUT", path, content=content)

    def put_file(self, path: str, file: Path) -> None:
        """Store a file under a path without holding it in memory."""
        self._send("PUT", path, file=file)

    def _json(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        response = self._send(method, path, **given)
        try:
            answer = response.json() if response.content else {}
        except ValueError as error:
            raise self._not_mlflow() from error
        if not isinstance(answer, dict):
            raise self._not_mlflow()
        return answer

    def _send(
        self, method: str, path: str, *, repeatable: bool = True, file: Path | None = None, **given: Any
    ) -> httpx.Response:
        """Try a few times, but never repeat what may have happened and must not happen twice."""
        url = f"{self.server.uri}/{path.lstrip('/')}"
        for left in reversed(range(self.server.tries)):
            try:
                response = self._once(method, url, file, given)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if not left:
                    raise self._unreachable(error) from error
            except httpx.TransportError as error:
                if not left or not repeatable:
                    raise self._unreachable(error) from error
            else:
                again = response.status_code in UNTOUCHED_STATUSES or (
                    repeatable and response.status_code in UNKNOWN_STATUSES
                )
                if response.is_success:
                    return response
                if not left or not again:
                    raise self._refusal(response)
            self._pause(FIRST_PAUSE_SECONDS * 2 ** (self.server.tries - 1 - left))
        raise ConfigurationError("An MLflow connection needs at least one try", "Set 'tries' to 1 or more.")

    def _once(self, method: str, url: str, file: Path | None, given: Mapping[str, Any]) -> httpx.Response:
        if file is None:
            return self._client.request(method, url, **given)
        with file.open("rb") as content:
            return self._client.request(method, url, content=content, **given)

    def _unreachable(self, error: Exception) -> ServiceUnreachableError:
        reason = (
            "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or repr(error)
        )
        return ServiceUnreachableError(
            f"MLflow at {self.server.uri} cannot be reached: {reason}",
            "Start it (`airfoil up`), or correct host and port of the MLflow connection.",
        )

    def _not_mlflow(self) -> ServiceAnswerError:
        return ServiceAnswerError(
            f"What answers at {self.server.uri} does not speak like an MLflow server",
            "Correct host, port and path of the MLflow connection.",
        )

    def _refusal(self, response: httpx.Response) -> AirfoilError:
        status = response.status_code
        said = _message(response)
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return ServiceRefusedError(
                f"MLflow at {self.server.uri} refused us (HTTP {status}): {said}",
                "Check login and password of the MLflow connection, and the hosts that the server allows.",
            )
        if status == httpx.codes.NOT_FOUND:
            return NotFoundError(f"MLflow at {self.server.uri} does not have it: {said}")
        if status < httpx.codes.INTERNAL_SERVER_ERROR and status not in UNTOUCHED_STATUSES:
            return ConfigurationError(f"MLflow at {self.server.uri} refused the request: {said}")
        return ServiceAnswerError(
            f"MLflow at {self.server.uri} failed (HTTP {status}): {said}", "Look into MLflow's own log."
        )


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


def _message(response: httpx.Response) -> str:
    """Return what the server said, short: MLflow's message, or the start of whatever came."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    said = answer.get("message") if isinstance(answer, dict) else None
    text = str(said or response.text or response.reason_phrase).strip()
    return " ".join(text.split())[:MAX_MESSAGE_CHARACTERS]
