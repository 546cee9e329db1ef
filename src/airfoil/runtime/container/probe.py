"""Asks one service whether it is well, from inside its container: images without curl have Python.

With the standard library alone, because it runs every few seconds for years: `airflow jobs check` and `celery inspect`
would start a whole Airflow each time. Ends with 0, or with 1 and one line. Must not import what it asks about.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT_SECONDS = 5.0
YOUNG_SECONDS = 90.0
_MOST_BYTES = 1_000_000


def ask(url: str, expected: Sequence[str] = (), timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """GET an address, or connect to `tcp://HOST:PORT`; what is wrong, or nothing."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "tcp":
            socket.create_connection((parts.hostname, parts.port), timeout_seconds).close()
            return ""
        status, body = _get(url, timeout_seconds)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{url} gives no answer: {str(error) or type(error).__name__}"
    if status >= http.client.BAD_REQUEST:
        return f"{url} answered {status}"
    return next(filter(None, (_difference(url, body, line) for line in expected)), "")


def _get(url: str, timeout_seconds: float) -> tuple[int, bytes]:
    parts = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    if parts.scheme not in kinds or not parts.hostname:
        message = "it is no address that starts with http://, https:// or tcp://"
        raise ValueError(message)
    connection = kinds[parts.scheme](parts.hostname, parts.port, timeout=timeout_seconds)
    try:
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("GET", target, headers={"Accept": "application/json", "Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read(_MOST_BYTES)
    finally:
        connection.close()


def _difference(url: str, body: bytes, line: str) -> str:
    """Compare one `key.path=value` with the JSON that came."""
    path, _, wanted = line.partition("=")
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return f"{url} answered something that is not JSON"
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return "" if found == wanted else f"{url} says {path} is {found}, not {wanted}"


def look_at(heartbeat: Path, younger_than_seconds: float, now: float) -> str:
    """Tell what is wrong with the age of a file that a living process keeps touching."""
    try:
        age_seconds = now - heartbeat.stat().st_mtime
    except OSError:
        return f"{heartbeat} is not there: no heartbeat yet"
    if age_seconds > younger_than_seconds:
        return f"the last heartbeat is {age_seconds:.0f} s old"
    return ""


def main() -> None:
    """Entry point: `URL [--expect KEY.PATH=VALUE]...` or `--heartbeat-file FILE [--younger-than SECONDS]`."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.container.probe", description=__doc__)
    parser.add_argument("url", nargs="?", default="")
    parser.add_argument("--expect", action="append", default=[])
    parser.add_argument("--heartbeat-file", type=Path)
    parser.add_argument("--younger-than", type=float, default=YOUNG_SECONDS)
    options = parser.parse_args()
    if not options.url and options.heartbeat_file is None:
        parser.error("give an address, or --heartbeat-file")
    wrong = ask(options.url, options.expect) if options.url else ""
    if not wrong and options.heartbeat_file is not None:
        wrong = look_at(options.heartbeat_file, options.younger_than, time.time())
    if wrong:
        print(wrong, file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
