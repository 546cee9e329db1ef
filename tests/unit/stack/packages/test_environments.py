"""Virtualenvs apart: made when they are not what the lock says, left alone when they are."""

from __future__ import annotations

import contextlib

import pytest

from airfoil.errors import NeighbourError
from airfoil.stack.packages import environments
from airfoil.stack.packages.lock import Lock
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


class BuildingUv:
    """Makes the files that a virtualenv is told by."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken = False

    def make_environment(self, folder) -> None:
        self.asked.append("make")
        (folder / "bin").mkdir(parents=True)
        (folder / "bin/python").touch(mode=0o755)

    def synchronise(self, lock, python) -> None:
        self.asked.append(f"sync {lock.name}")
        if self.broken:
            raise NeighbourError("No.", "Later.")


@pytest.fixture
def project(tmp_path):
    found = Project(tmp_path)
    found.prepare()
    return found


def make(project, uv, text="cowsay==6.1\n"):
    return environments.make(project, "old", Lock(text), uv, lambda _: contextlib.nullcontext())


def test_it_is_made_once_and_brought_up_to_date_when_its_lock_changes(project):
    uv = BuildingUv()

    assert make(project, uv)
    assert not make(project, uv)
    assert make(project, uv, "cowsay==6.2\n")

    assert uv.asked == ["make", "sync airfoil.old.lock", "sync airfoil.old.lock"]
    assert project.environments.stat().st_mode & 0o777 == 0o700


def test_one_that_was_not_finished_is_not_taken_for_complete(project):
    uv = BuildingUv()
    uv.broken = True
    with pytest.raises(NeighbourError):
        make(project, uv)
    uv.broken = False

    assert make(project, uv)
    assert uv.asked == ["make", "sync airfoil.old.lock", "sync airfoil.old.lock"]


def test_one_whose_python_is_gone_is_made_anew(project):
    make(project, BuildingUv())
    (project.environments / "old/bin/python").unlink()
    (project.environments / "old/bin").rmdir()
    uv = BuildingUv()

    assert make(project, uv)
    assert uv.asked[0] == "make"


def test_it_is_removed_with_its_lock(project):
    make(project, BuildingUv())
    project.lock_file("old").write_text("x")

    environments.remove(project, "old")
    environments.remove(project, "old")

    assert list(project.environments.iterdir()) == []
    assert not project.lock_file("old").exists()
