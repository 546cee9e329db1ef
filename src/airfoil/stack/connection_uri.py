"""Reads a connection as Airflow's AIRFLOW_CONN_* variables hold one: an address, or a JSON object.

Pure text. Follows Airflow's own rules (a test compares the two), because importing Airflow costs seconds. What is wrong
is said without the text itself: it holds a password.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from airfoil.errors import ConfigurationError

_KEYS = ("conn_type", "description", "host", "login", "password", "schema", "port", "extra")
_NEXT = (
    'Give an address such as "postgres://USER:PASSWORD@HOST:5432/NAME" or a JSON object with conn_type, host, login, '
    "password, port, schema, extra."
)
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")
LAST_PORT = 65535


def check_name(name: str, what: str = "connection") -> str:
    """Return the name if Airflow's API takes it."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a {what}.", "Use letters, digits, and any of _ . -, up to 200."
        )
    return name


def parse_connection(text: str) -> dict[str, Any]:
    """Return the fields of a connection, `extra` as an object."""
    text = text.strip()
    if not text:
        raise ConfigurationError("The connection is empty.", _NEXT)
    if text.startswith("{"):
        return _from_json(text)
    return _from_uri(text)


def _from_json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        raise ConfigurationError("The connection starts like JSON and is none.", _NEXT) from None
    unknown = sorted(set(found) - set(_KEYS))
    if unknown:
        raise ConfigurationError(f"A connection has no {', '.join(unknown)}.", f"It has {', '.join(_KEYS)}.")
    if not isinstance(found.get("conn_type"), str) or not found["conn_type"]:
        raise ConfigurationError("The connection has no conn_type.", _NEXT)
    extra = parse_extra(found.get("extra") or {})
    port = found.get("port")
    if port in {None, ""}:
        port = None
    elif not str(port).isdecimal() or not 0 < int(port) <= LAST_PORT:
        raise ConfigurationError(f"The port of the connection is not a number up to {LAST_PORT}.", _NEXT)
    kept = {key: str(found[key]) for key in _KEYS[:-2] if key in found and found[key] is not None}
    return kept | {"port": None if port is None else int(port), "extra": extra}


def parse_extra(given: object) -> dict[str, Any]:
    """Return an extra as an object, from an object or its text; nothing gives an empty one."""
    found = given
    if isinstance(given, str):
        try:
            found = json.loads(given or "{}")
        except ValueError:
            found = None
    if not isinstance(found, dict):
        raise ConfigurationError(
            "The extra of the connection is not a JSON object.", 'Write it as {"key": "value"}.'
        )
    return found


def _from_uri(text: str) -> dict[str, Any]:
    scheme, separator, rest = text.partition("://")
    if not separator or not re.fullmatch(r"[A-Za-z][\w+.-]*", scheme) or rest.count("://") > 1:
        raise ConfigurationError("The connection is neither an address nor a JSON object.", _NEXT)
    # mlflow://https://host: the second scheme belongs to the host.
    protocol = ""
    inner = re.match(r"([A-Za-z][\w+.-]*)://", rest)
    if inner:
        protocol, rest = inner[0], rest[inner.end() :]
    try:
        parts = urlsplit(f"//{rest}")
        port = parts.port
    except ValueError:
        raise ConfigurationError(
            "The address of the connection cannot be read.",
            'Write "/", "@", ":" and "%" in a name or password as %2F, %40, %3A and %25.',
        ) from None
    host = unquote(parts.hostname or "")
    return {
        "conn_type": _kind(scheme),
        "host": f"{protocol}{host}" if host else "",
        "login": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "schema": unquote(parts.path[1:]),
        "port": port,
        "extra": _extra(parts.query),
    }


def _kind(scheme: str) -> str:
    return "postgres" if scheme == "postgresql" else scheme.lower().replace("-", "_")


def _extra(query: str) -> dict[str, Any]:
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    whole = pairs.pop("__extra__", None)
    if whole is not None:
        found = _json_or_text(whole)
        return found if isinstance(found, dict) else {}
    return {key: _json_or_text(value) for key, value in pairs.items()}


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value) if value else value
    except ValueError:
        return value
