"""Addresses of our own services as this machine reaches them. Pure text."""

from __future__ import annotations

import ipaddress

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def reachable(host: str, port: int) -> str:
    """The URL at which this machine reaches a service bound to host."""
    here = _EVERYWHERE.get(host, host)
    return f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"


def is_local(host: str) -> bool:
    """Whether what is bound to this host is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
