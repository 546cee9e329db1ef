"""What a running server's Prometheus and Alertmanager know, and rules that wait for seconds instead of minutes."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml
from tests.deploy import faults

if TYPE_CHECKING:
    from tests.deploy.compose_server import Server


def active(server: Server) -> set[str]:
    """The alerts that Alertmanager holds now."""
    return {one["labels"]["alertname"] for one in _fetch(server, "alertmanager", 9093, "/api/v2/alerts")}


def wait_for(server: Server, alert: str, seconds: float, *, gone: bool = False) -> float:
    """Wait until an alert is there, or gone; how long it took. A busy machine may not answer every time."""
    began = time.monotonic()
    found: object = None
    while (waited := time.monotonic() - began) < seconds:
        try:
            found = active(server)
        except OSError as error:
            found = error
        else:
            if (alert in found) is not gone:
                return waited
        time.sleep(1)
    raise AssertionError(f"{alert} is not {'gone' if gone else 'there'} after {seconds} s: {found}")


def values(server: Server, expression: str) -> list[float]:
    """What Prometheus answers."""
    path = f"/api/v1/query?query={urllib.parse.quote(expression)}"
    found = _fetch(server, "prometheus", 9090, path)["data"]["result"]
    return [float(one["value"][1]) for one in found]


def _fetch(server: Server, service: str, port: int, path: str) -> Any:
    """Ask past the proxy, which may be down."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{server.address(service)}:{port}/{service}{path}", timeout=10) as answer:
        return json.load(answer)


@contextmanager
def hurried_rules(server: Server) -> Iterator[None]:
    """Durations alone are shortened, in the folder that Prometheus reads."""
    kept = {path: path.read_text() for path in (server.folder.parent / "monitoring" / "rules").glob("*.yml")}

    def put(texts: dict) -> None:
        for path, text in texts.items():
            path.write_text(text)
            yaml.safe_load(text)
        faults.send(server, "prometheus", signal.SIGHUP)

    put({path: re.sub(r"for: \d+[mh]", "for: 5s", text) for path, text in kept.items()})
    try:
        yield
    finally:
        put(kept)
