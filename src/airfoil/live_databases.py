"""SQLite files of services that may be running, or were killed: opened so that nothing is left half done.

Must import nothing of Airfoil, and must not know whose tables they are.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path


def opened(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open a database that must be there, to read it.

    As one who may write: half a transaction of a writer that was killed is taken back first, and only somebody who may
    write can do that. Whoever opens it to read alone is told that it cannot be read.
    """
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=busy_seconds)
