"""Files that a container holds open or reads once at its start, and whose change Compose cannot see.

A file that is mounted by itself stays the old one in a container that runs: a new version takes its name, not its place
on the disk. Others are read at the start alone. Their digest is a label of the service, so that `up` replaces just the
containers whose files have changed. Jobs need none: they are started, and so mount anew, at every `up`. Must not know
what the files mean.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LABEL = "airfoil.files"
SHIPPED: Mapping[str, tuple[str, ...]] = {
    "s3": ("compose/s3.sh",),
    "proxy": ("compose/Caddyfile",),
    "statsd-exporter": ("monitoring/statsd.yml",),
    "prometheus": (
        "monitoring/prometheus.sh",
        "monitoring/backup_days.awk",
        "monitoring/prometheus.yml",
        "monitoring/rules",
    ),
    "alertmanager": ("monitoring/alertmanager.sh",),
    "grafana": ("monitoring/grafana",),
}
"""Service -> files, or folders of files, below deploy/."""
FEATURE_READERS = (
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "airflow-worker",
    "maintenance",
    "feature-server",
)
"""Services that mount the feature_store.yaml that is written for the server."""
AUTHORITY_READER = "airflow-api-server"
"""The service that mounts LOGIN_CA_FILE."""


def digests(deploy: Path, features: str = "", authority: Path | None = None) -> dict[str, str]:
    """Return service -> digest of what it mounts, out of the shipped files and the two of this server."""
    contents: dict[str, list[bytes]] = {}
    for service, places in SHIPPED.items():
        contents[service] = [one for place in places for one in _contents(deploy / place)]
    if features:
        for service in FEATURE_READERS:
            contents.setdefault(service, []).append(features.encode())
    if authority is not None and authority.is_file():
        contents.setdefault(AUTHORITY_READER, []).append(authority.read_bytes())
    return {service: _digest(found) for service, found in contents.items()}


def _contents(place: Path) -> list[bytes]:
    if place.is_file():
        return [place.read_bytes()]
    found = sorted(path for path in place.rglob("*") if path.is_file())
    return [part for path in found for part in (path.name.encode(), path.read_bytes())]


def _digest(contents: list[bytes]) -> str:
    """Return few letters: it tells versions apart, and guards nothing."""
    total = hashlib.sha256()
    for one in contents:
        total.update(hashlib.sha256(one).digest())
    return total.hexdigest()[:16]
