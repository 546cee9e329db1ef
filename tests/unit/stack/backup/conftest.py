"""What tests of backups share: a small project, and a place beside it."""

from __future__ import annotations

import pytest
from tests.backup_shop import make_shop

from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.project import Project


@pytest.fixture
def shop(tmp_path) -> Project:
    """A project with something in every part."""
    return make_shop(tmp_path / "Läden 100%")


@pytest.fixture
def place(tmp_path) -> FolderPlace:
    """An empty place."""
    return FolderPlace(tmp_path / "backups", durable=False)
