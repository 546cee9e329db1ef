"""The images of ours: what each is called, and whether a registry may be asked for it.

They are built on the server. Its own names say of no registry, and Docker would ask Docker Hub for them, where anybody
may have put something under such a name; what runs as one of ours has every secret of the server. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NEVER, MISSING = "never", "missing"
"""What Compose calls it: no registry is asked; one is asked where the image is not there."""


def name(image: str, given: Mapping[str, str]) -> str:
    """Return what an image (`airflow`, `mlflow`, ...) is called on this server."""
    return given.get(f"{image.upper()}_IMAGE") or f"airfoil/{image}:{given['AIRFOIL_TAG']}"


def pull_policy(name: str) -> str:
    """Return whether an image of ours may be fetched: when its name says of which registry, as Docker reads names."""
    host, slash, _ = name.partition("/")
    names_registry = bool(slash) and (host == "localhost" or "." in host or ":" in host)
    return MISSING if names_registry else NEVER
