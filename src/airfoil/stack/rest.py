"""One small JSON-over-HTTP caller under the Airflow and MLflow clients.

It turns every way a neighbour can fail (refused, slow, cut off, not JSON, an error status) into one of our
errors with the cause kept. It must not know any path, token or payload of a particular service.
"""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx

from airfoil.errors import (
    ConfigurationError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)
from airfoil.stack import authorities

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DETAIL_CHARACTERS = 300
OK = 200
FIRST_ERROR_STATUS = 400
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409
# Its own failure (a locked database, a proxy with nothing behind it): waiting may help.
FIRST_SERVER_ERROR_STATUS = 500
LOOK = "See what is wrong: `airfoil status`."
EXAMINE = "Another program may listen on that port: `airfoil doctor`."


def path(*segments: str) -> str:
    """Join URL path segments, quoting each one (run ids hold `+` and `:`)."""
    return "/" + "/".join(quote(segment, safe="~") for segment in segments)


def is_loopback(url: str) -> bool:
    """Tell whether a URL points at this machine, where a proxy from the environment must not be asked."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def trusted_authorities(url: str) -> ssl.SSLContext | bool:
    """Return httpx's `verify`: the certificate authority that the environment names, else the usual ones."""
    if urlsplit(url).scheme == "http":
        return False  # reading the certificate store takes 20 ms, and plain HTTP has no use for it
    context: ssl.SSLContext | None = None
    for name, place in authorities.named().items():
        try:
            where = {"capath" if Path(place).is_dir() else "cafile": place}
            if context is None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which checks names and certificates
            context.load_verify_locations(**where)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"{name} names {place}, which holds no certificates we can read ({error}).",
                f"Correct it, or remove it: `unset {name}`.",
            ) from error
    return True if context is None else context


class JsonService:
    """Calls one base URL and gives back parsed JSON."""

    def __init__(
        self, name: str, base_url: str, timeout_seconds: float, auth: tuple[str, str] | None = None
    ) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._client = httpx.Client(
            timeout=timeout_seconds,
            trust_env=not is_loopback(base_url),
            auth=auth,
            verify=trusted_authorities(base_url),
        )

    def close(self) -> None:
        """Close pooled connections."""
        self._client.close()

    def send(
        self,
        method: str,
        location: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request; any answer below 500 comes back."""
        where = f"{self.name} at {self.base_url}"
        try:
            response = self._client.request(
                method, self.base_url + location, params=query, json=body, headers=headers
            )
        except httpx.TimeoutException as error:
            message = f"{where} did not answer within {self._timeout_seconds:g} s."
            raise ServiceUnreachableError(message, LOOK) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error).rstrip(".") or type(error).__name__
            raise ServiceUnreachableError(f"{where} does not answer ({reason}).", LOOK) from error
        if response.status_code >= FIRST_SERVER_ERROR_STATUS:
            message = f"{where} failed ({response.status_code}{_detail(response)})."
            raise ServiceUnreachableError(message, LOOK)
        return response

    def check(self, response: httpx.Response) -> None:
        """Turn an error status into an error."""
        status = response.status_code
        if status in {UNAUTHORIZED, FORBIDDEN}:
            message = f"{self.name} at {self.base_url} refused us ({status}{_detail(response)})."
            raise ServiceRefusedError(message, EXAMINE)
        if status >= FIRST_ERROR_STATUS:
            message = f"{self.name} refused the request ({status}{_detail(response)})."
            raise ServiceAnswerError(message, LOOK)

    def object(self, response: httpx.Response) -> dict[str, Any]:
        """Parse an answer that must be a JSON object."""
        self.check(response)
        try:
            value = response.json()
        except ValueError as error:  # invalid UTF-8 included
            message = f"{self.name} at {self.base_url} answered with something that is not JSON."
            raise ServiceAnswerError(message, EXAMINE) from error
        if not isinstance(value, dict):
            message = (
                f"{self.name} at {self.base_url} answered with a JSON {type(value).__name__}, not an object."
            )
            raise ServiceAnswerError(message, EXAMINE)
        return value

    def rows(self, answer: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        """Take the list of objects under `key`."""
        value = answer.get(key)
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            message = f"{self.name} at {self.base_url} answered without a list of {key}."
            raise ServiceAnswerError(message, EXAMINE)
        return value


def _detail(response: httpx.Response) -> str:
    """Find the sentence in an error body (FastAPI `detail`, MLflow `message`), on one short line."""
    try:
        body = response.json()
    except ValueError:
        return ""
    found = (body.get("detail") or body.get("message")) if isinstance(body, dict) else None
    if isinstance(found, list):  # FastAPI's validation errors
        found = "; ".join(
            str(item.get("msg", item)) if isinstance(item, dict) else str(item) for item in found
        )
    if not isinstance(found, str):
        return ""
    return ": " + " ".join(found.split())[:MAX_DETAIL_CHARACTERS].rstrip(".")
