"""Who has signed a server's certificate, where not every machine knows them: a file that programs of this server trust.

What lies there of another AIRFOIL_TLS counts no more. steps.sh finds the file in the same way. Must not read the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "ca.crt"
INTERNAL, OWN = "internal", "own"
_OWN_FOLDER = "./tls"


def place(folder: Path, given: Mapping[str, str]) -> Path | None:
    """Return where it lies, whether it is there or not, for the server in this folder; None: a public authority."""
    tls = given.get("AIRFOIL_TLS") or INTERNAL
    if tls == INTERNAL:  # install.sh fetches it from the proxy
        return folder / FILE
    if tls == OWN:  # beside tls.crt, and only where it is needed
        return folder / (given.get("AIRFOIL_TLS_FOLDER") or _OWN_FOLDER) / FILE
    return None
