"""What tests of backups share: a small project, and a place beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.backup_shop import make_shop

from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.project import Project


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """A project with something in every part, built once: databases wait for the disk."""
    return make_shop(tmp_path_factory.mktemp("built") / "shop").root


@pytest.fixture
def shop(tmp_path, built) -> Project:
    """A copy of it."""
    return Project(shutil.copytree(built, tmp_path / "Läden 100%"))


@pytest.fixture
def place(tmp_path) -> FolderPlace:
    """An empty place."""
    return FolderPlace(tmp_path / "backups", durable=False)
