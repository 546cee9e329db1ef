"""What a server's machine says about itself as Prometheus metrics: room on its disk, certificates, last backup.

Asked when scraped. Certificates are asked of the proxy as a visitor would, one for each of the server's names, in a
thread of their own and once a minute: a proxy that is away holds up no scrape. Must not judge: alerts do
(deploy/monitoring).
"""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

BACKUPS = Path("/backups")
CERTIFICATES_VARIABLE = "AIRFOIL_STATUS_CERTIFICATES"
"""Names that the proxy has certificates for, with spaces between them."""
BACKUPS_VARIABLE = "AIRFOIL_STATUS_BACKUPS"
"""Where backups go: s3://BUCKET, or a folder in the volume that is mounted here."""
PROXY = ("proxy", 443)
TIMEOUT_SECONDS = 3.0
KEPT_SECONDS = 60.0
_MANIFESTS = ("backups/*.json", "*/backups/*.json")
"""As stack.backup.manifest lays them (it needs more libraries than this page has), in the volume or a folder of it."""
_MANIFEST = re.compile(r"(\d{8}T\d{6})\d{3}Z-\w+\.json")


@dataclass(frozen=True)
class Validity:
    """From when until when a certificate holds, in epoch seconds."""

    not_before: float
    not_after: float


class MachineCollector:
    """One machine. Prometheus calls `collect`."""

    def __init__(
        self,
        hosts: Sequence[str],
        *,
        places: Mapping[str, Path] | None = None,
        backups: Path | None = BACKUPS,
        ask: Callable[[str], Validity] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the names by which the server is visited, the folders whose disks count, and where backups go.

        None for backups that go elsewhere: older ones that were left in the volume say nothing of those.
        """
        self._hosts = hosts
        # In a container this is the disk that all volumes and images share, unless somebody moved one.
        self._places = places if places is not None else {"data": Path("/")}
        self._backups = backups
        self._ask = ask or certificate_of_proxy
        self._clock = clock
        self._certificates: Mapping[str, Validity] = {}
        self._asked_at = -KEPT_SECONDS
        self._asking: threading.Thread | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> MachineCollector:
        """Make that of a server from the two variables above."""
        hosts = environment.get(CERTIFICATES_VARIABLE, "").split() or ["localhost"]
        elsewhere = "://" in environment.get(BACKUPS_VARIABLE, "")
        return cls(hosts, backups=None if elsewhere else BACKUPS)

    def collect(self) -> Iterator[Metric]:
        """Yield what is known; what is not is absent, and nothing stands in for it."""
        free = GaugeMetricFamily("airfoil_filesystem_free_bytes", "Free for everybody.", labels=["place"])
        size = GaugeMetricFamily("airfoil_filesystem_size_bytes", "The whole disk.", labels=["place"])
        for name, path in self._places.items():
            with suppress(OSError):
                usage = shutil.disk_usage(path)
                free.add_metric([name], usage.free)
                size.add_metric([name], usage.total)
        yield from (free, size)
        self._refresh()
        certificates = self._certificates
        for end in ("not_before", "not_after"):
            name = f"airfoil_certificate_{end}_timestamp_seconds"
            family = GaugeMetricFamily(name, "Of the proxy's certificate (epoch).", labels=["host"])
            for host, validity in certificates.items():
                family.add_metric([host], getattr(validity, end))
            if certificates:
                yield family
        if self._backups is not None and (made_at := last_backup(self._backups)) is not None:
            said = "When the last backup was taken (epoch)."
            yield GaugeMetricFamily("airfoil_backup_completed_timestamp_seconds", said, value=made_at)

    def wait(self) -> None:
        """Wait for the answer that is under way, if one is."""
        if self._asking is not None:
            self._asking.join()

    def _refresh(self) -> None:
        if self._clock() - self._asked_at < KEPT_SECONDS or (self._asking and self._asking.is_alive()):
            return
        self._asked_at = self._clock()
        self._asking = threading.Thread(target=self._look, name="certificates", daemon=True)
        self._asking.start()

    def _look(self) -> None:
        found = {}
        for host in self._hosts:
            # Whether the proxy answers is another metric; an old answer would hide that nobody knows.
            with suppress(OSError, ValueError):
                found[host] = self._ask(host)
        self._certificates = found


def certificate_of_proxy(host: str, address: tuple[str, int] = PROXY) -> Validity:
    """Ask for the certificate that visitors get. It is not verified: one that has ended is to be seen as well."""
    from cryptography import x509

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(address, timeout=TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        shown = wrapped.getpeercert(binary_form=True)
    found = x509.load_der_x509_certificate(shown or b"")
    return Validity(found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp())


def last_backup(folder: Path) -> float | None:
    """Return when the newest backup in a folder was taken; manifests are named after that, and come last."""
    names = (path.name for pattern in _MANIFESTS for path in folder.glob(pattern))
    found = [match[1] for name in names if (match := _MANIFEST.fullmatch(name)) is not None]
    if not found:
        return None
    return datetime.strptime(max(found), "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp()
