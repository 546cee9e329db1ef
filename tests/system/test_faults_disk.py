"""A read-only disk, a full one, one that fills up half-way: said at once, nothing lost, all well when there is room.

Needs root and a kernel that lets it mount a small disk in memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import connect

import pytest
from tests.sizes import full_only
from tests.system.faults import assert_gone, assert_nothing_started, begun, files, litter, refusal, seen, told
from tests.system.platforms import Platform, lent

pytestmark = pytest.mark.system

MIB = 2**20


class Disk:
    """A disk of its own for a project."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    def mount(self, options: str) -> None:
        """Mount it, or mount it anew with other options."""
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "airfoil-test", str(self.place)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")

    def fill(self, *, but: int = 0) -> None:
        """Leave so many bytes free, though others write meanwhile."""
        with self._ballast.open("wb") as ballast:
            for _ in range(50):
                with suppress(OSError):
                    os.posix_fallocate(ballast.fileno(), 0, self._free() - but)
                    return
        raise AssertionError("the disk could not be filled")

    def _free(self) -> int:
        seen = os.statvfs(self.place)
        return seen.f_bavail * seen.f_frsize

    def clear(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path):
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    place = tmp_path / "Platte"
    place.mkdir()
    made = Disk(place)
    made.mount("size=64m")
    yield made
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def small(disk):
    """Give a platform on that disk, which is content with one MiB."""
    yield from lent(Platform.make(disk.place, {"budgets": {"disk_free_mib": 1}}))


def test_a_read_only_disk(disk, small):
    for prepared in (False, True):
        if prepared:
            small.project.prepare()
        before = files(small.root)
        disk.mount("remount,ro")
        said = refusal(small.run("up"))
        assert said.sentence.endswith("is on a read-only disk.")
        assert str(small.root) in said.sentence
        assert said.move.startswith("Remount the disk writable, or move the project")
        assert small.run("down").code == 0
        assert small.run("status").code == 3
        doctor = small.run("doctor")
        assert "is on a read-only disk." in doctor.out
        disk.mount("remount,rw,size=64m")
        assert files(small.root) == before
        assert_nothing_started(small)


@pytest.mark.parametrize("room", [2, 8, 20])
def test_init_on_a_full_disk_can_be_repeated(tmp_path, disk, room):
    it = Platform(disk.place / "neu")
    disk.fill(but=room * 1024)
    said = refusal(it.run("init", str(it.root), inside=disk.place))
    assert said.sentence.startswith("The disk is full")
    disk.clear()
    again = it.run("init", str(it.root), inside=disk.place)
    assert again.code == 0, again.said
    elsewhere = tmp_path / "neu"
    assert it.run("init", str(elsewhere), inside=tmp_path).code == 0
    assert files(it.root) == files(elsewhere)  # no file was kept half-written


def test_too_little_room_to_begin(disk):
    """With default settings: a database that runs out of room in the middle of a task helps nobody."""
    platform = Platform.make(disk.place)
    before = files(platform.root)
    said = refusal(platform.run("up"))
    assert said.sentence.startswith("Only 6")
    assert str(platform.project.state) in said.sentence
    assert said.move == "Free some space, then run `airfoil up` again."
    disk.fill()
    said = refusal(platform.run("up"))
    assert said.sentence.startswith("The disk is full (0 MiB free)")
    disk.clear()
    assert files(platform.root) == before
    assert_nothing_started(platform)


def test_a_disk_that_fills_while_the_database_is_built(disk, small):
    disk.fill(but=int(1.4 * MIB))
    said = told(small.run("up"))
    assert "the disk is full" in said.sentence.lower()
    assert "airfoil up" in said.move or "Free some space" in said.move
    secrets = small.project.secrets.read_bytes()
    assert not small.project.airflow_database.exists()
    assert litter(small) == []
    disk.clear()
    small.up()  # what failed is tried again
    assert small.project.secrets.read_bytes() == secrets
    disk.fill()
    assert small.run("status").code == 0  # a full disk ends nothing that runs
    small.down()
    assert small.leftovers() == []
    disk.clear()
    assert small.run("status").code == 3
    for database in (small.project.airflow_database, small.project.mlflow_database):
        with closing(connect(database)) as opened:
            assert opened.execute("pragma integrity_check").fetchone() == ("ok",)
    assert small.project.secrets.read_bytes() == secrets


@full_only
def test_a_disk_so_full_that_not_even_the_manager_can_report(disk, small):
    with begun(small, "up") as up:
        seen(small, "setup", "starting")
        disk.fill()
        said = told(up.done())
    assert said.sentence.startswith("The disk is full (0 MiB free)")
    assert said.move.startswith("Free some space")
    small.down()
    disk.clear()
    assert_gone(small)
