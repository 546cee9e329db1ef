"""What a running server's Alertmanager holds, and rules that wait for seconds instead of minutes."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import yaml
from tests.deploy import engine

if TYPE_CHECKING:
    from tests.deploy.compose_server import Server


def active(server: Server) -> set[str]:
    """The alerts that Alertmanager holds now; asked inside the private network, because the proxy may be down."""
    (identity,) = server.compose("ps", "--quiet", "alertmanager").split()
    networks = json.loads(engine.docker("inspect", identity))[0]["NetworkSettings"]["Networks"]
    address = next(iter(networks.values()))["IPAddress"]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{address}:9093/alertmanager/api/v2/alerts", timeout=10) as answer:
        return {one["labels"]["alertname"] for one in json.load(answer)}


@contextmanager
def hurried_rules(server: Server) -> Iterator[None]:
    """Durations alone are shortened, in the folder that Prometheus reads."""
    kept = {path: path.read_text() for path in (server.folder.parent / "monitoring" / "rules").glob("*.yml")}

    def put(texts: dict) -> None:
        for path, text in texts.items():
            path.write_text(text)
            yaml.safe_load(text)
        server.compose("kill", "--signal", "HUP", "prometheus")

    put({path: re.sub(r"for: \d+[mh]", "for: 5s", text) for path, text in kept.items()})
    try:
        yield
    finally:
        put(kept)
