"""Tells that a SQLite database was written, without opening it: for those who would otherwise ask again and again."""

from __future__ import annotations

import os
from pathlib import Path

from airfoil.runtime import file_events

_SQLITE = "sqlite:///"


class DatabaseWatch:
    """Tells whether the SQLite database was written since the last look, without opening it."""

    def __init__(self, url: str) -> None:
        path = url.removeprefix(_SQLITE).partition("?")[0] if url.startswith(_SQLITE) else ""
        self._files = (f"{path}-wal", path) if path else ()

    def __bool__(self) -> bool:
        return bool(self._files)

    def events(self) -> file_events.FileEvents | None:
        """Be told of writes, where the system does that."""
        if not self._files:
            return None
        return file_events.watch([Path(self._files[-1]).parent], file_events.MODIFIED)

    def signature(self) -> tuple[int, ...]:
        """Changes whenever a transaction is written."""
        found: list[int] = []
        for name in self._files:
            try:
                status = os.stat(name)  # noqa: PTH116 - twenty times a second, without building paths
            except OSError:
                continue
            found += (status.st_mtime_ns, status.st_size)
        return tuple(found)
