"""By which host names a server's pages are reached: one for all, or one for each page below it.

Pure. What the proxy does with them stands in the Caddyfile.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airfoil.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PAGES = {
    "mlflow": "mlflow",
    "flower": "flower",
    "features": "features",
    "prometheus": "metrics",
    "alertmanager": "metrics",
    "grafana": "grafana",
    "buckets": "s3",
}
"""Page that may have a host of its own -> the profile of compose.yaml with which it is there."""
SWITCHES = {"false": "paths", "true": "hosts"}


def derived(given: Mapping[str, str], url: str, profiles: Collection[str]) -> dict[str, str]:
    """Return what proxy, MLflow and browsers are told, from the address that people type and what is ours."""
    host, switch = given["AIRFOIL_HOST"], given["AIRFOIL_SUBDOMAINS"]
    if switch not in SWITCHES:
        raise SettingsError("AIRFOIL_SUBDOMAINS in .env is none of its values.", "Choose among true, false.")
    own = [page for page, profile in PAGES.items() if profile in profiles] if switch == "true" else []
    if switch == "true" and not _has_hosts_below(host):
        raise SettingsError(
            f"AIRFOIL_SUBDOMAINS in .env is true, and no login counts below {host}.",
            "Write a name with a dot into AIRFOIL_HOST, such as ml.example.com, or false.",
        )
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return {
        "AIRFOIL_HOSTS": " ".join([host, *(f"{page}.{host}" for page in own)]),
        "AIRFOIL_PAGES": SWITCHES[switch],
        "AIRFOIL_PORT": port,
        "AIRFOIL_COOKIE_DOMAIN": f"; Domain={host}" if switch == "true" else "",
        "AIRFOIL_MLFLOW_URL": f"https://mlflow.{host}{port}" if "mlflow" in own else url,
        "AIRFOIL_BUCKETS": "seaweedfs" if "s3" in profiles else "none",
    }


def _has_hosts_below(host: str) -> bool:
    """Whether a browser takes a login for all names below this one."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return "." in host.strip(".")
    return False
