"""Where the shipped deployment files lie: in the package of a wheel, in deploy/ of a checkout.

They live once, in the checkout, and are copied into the package when a wheel is built.
"""

from __future__ import annotations

from pathlib import Path

from airfoil.errors import InternalError

PACKAGE = Path(__file__).resolve().parents[2]
CHECKOUT = PACKAGE.parents[1]
FOLDER = "deploy"


def folder(name: str = "", package: Path = PACKAGE, checkout: Path = CHECKOUT) -> Path:
    """Return the folder of one target (`compose`, `systemd`, `monitoring`), or that of all."""
    for place in (package / "templates" / FOLDER / name, checkout / FOLDER / name):
        if place.is_dir():
            return place
    raise InternalError(
        f"This installation of Airfoil lacks its files for {name or 'servers'}.", "Install Airfoil again."
    )
