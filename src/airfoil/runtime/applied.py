"""What earlier set-ups did to a database, remembered in a small JSON file beside it.

A database and its file belong together; when the file is lost, the work is only done once more.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any


class Applied:
    """What earlier runs did: release and revision of the database, and what was kept as a person left it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Any] = {}
        with suppress(OSError, ValueError, TypeError):
            self._values = dict(json.loads(path.read_text()))

    def get(self, key: str) -> Any:
        """What was remembered under the key, or None."""
        return self._values.get(key)

    def remember(self, key: str, value: Any) -> None:
        """Write it down at once."""
        self._values[key] = value
        self._write()

    def belong_to(self, url: str) -> None:
        """Forget everything that was done to another database."""
        import hashlib

        digest = hashlib.sha256(url.encode()).hexdigest()[:16]  # the address may hold a password
        if self._values.get("of") not in {None, digest}:
            self._values = {}
        if self._values.get("of") != digest:
            self.remember("of", digest)

    def forget(self) -> None:
        """A new database holds nothing of what an earlier one was given."""
        self._values = {name: value for name, value in self._values.items() if name == "of"}
        self._write()

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._values, indent=1))
        fresh.replace(self._path)
