"""`work` for unit tests of task bodies: a folder of the test's own, and what was written into it by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airfoil.clients.object_store import FolderStore
from airfoil.records import DataRef


class FakeWork(FolderStore):
    """The injected `work`, for tests: reads and writes as the real one does, in a folder of the test."""

    def __init__(self, root: Path) -> None:
        """Name the folder."""
        super().__init__(root)
        self.written: dict[str, DataRef] = {}
        """What was written, by name."""

    def write(self, name: str, frame: Any) -> DataRef:
        """Write a table, and keep its reference."""
        self.written[name] = super().write(name, frame)
        return self.written[name]


def fake_work(tmp_path: Path) -> FakeWork:
    """Return a work area for a test; give it pytest's `tmp_path`."""
    return FakeWork(tmp_path / "work")
