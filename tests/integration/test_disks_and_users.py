"""Real disks and real users: a full disk, a read-only disk, folders that root made and a normal user finds.

Needs root, and a kernel that lets it mount; the unit tests tell the same stories with made-up refusals.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from airfoil.errors import StorageError
from airfoil.stack import secrets
from airfoil.stack.doctor import examine_from
from airfoil.stack.project import Project

pytestmark = pytest.mark.integration

NOBODY = 65534


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Project]:
    """Lend a project on a disk of its own, of 256 KiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    root = tmp_path / "Platte ä"
    root.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "airfoil-test", str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        (root / "airfoil.toml").touch()
        (root / "dags").mkdir()
        yield Project(root)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space left"):
        while True:
            stream.write(bytes(4096))


def test_a_full_disk_loses_nothing_and_leaves_nothing_behind(small_disk):
    small_disk.prepare()
    before = secrets.ensure(small_disk)
    text = small_disk.secrets.read_bytes()
    fill(small_disk.root)
    files = sorted(small_disk.state.rglob("*"))
    with pytest.raises(StorageError, match="The disk is full"):
        small_disk.prepare()
    assert secrets.ensure(small_disk) == before  # nothing to write, nothing to fail
    small_disk.passwords.unlink()
    (small_disk.root / "more").write_bytes(b"")
    fill(small_disk.root)
    with pytest.raises(StorageError, match="The disk is full"):
        secrets.ensure(small_disk)
    assert small_disk.secrets.read_bytes() == text
    assert sorted(small_disk.state.rglob("*")) == [path for path in files if path != small_disk.passwords]
    found = {finding.check for finding in examine_from(small_disk.root, {}) if finding.level == "error"}
    assert "disk" in found


def test_a_read_only_disk(small_disk):
    small_disk.prepare()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk.root)], check=True)
    with pytest.raises(StorageError, match="is on a read-only disk"):
        small_disk.prepare()
    with pytest.raises(StorageError, match="is on a read-only disk"):
        secrets.ensure(small_disk)
    messages = [finding.message for finding in examine_from(small_disk.root, {}) if finding.level == "error"]
    assert f"{small_disk.root} is on a read-only disk." in messages


def as_nobody(root: Path, call: str) -> str:
    """Run a call as a user without rights, dropped late: the interpreter itself may lie in root's home."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from airfoil.errors import AirfoilError; from airfoil.stack import secrets\n"
        "from airfoil.stack.project import Project\n"
        f"project = Project(Path(sys.argv[1])); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        f"try:\n    {call}\nexcept AirfoilError as error:\n    print(error, '|', error.next_move)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Lend a folder that every user can reach (pytest's own are closed to others)."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    folder = Path(tempfile.mkdtemp(prefix="airfoil ä "))
    folder.chmod(0o755)
    (folder / "airfoil.toml").touch()
    yield folder
    shutil.rmtree(folder)


def test_what_root_made_is_handed_over_on_request(open_folder):
    project = Project(open_folder)
    project.prepare()
    made = secrets.ensure(project)
    for call in ("project.prepare()", "secrets.ensure(project)"):
        said = as_nobody(open_folder, call)
        assert "belongs to root, not to you (nobody)." in said
        assert f"sudo chown -R nobody '{project.state}'" in said
    subprocess.run(["chown", "-R", str(NOBODY), str(project.state)], check=True)
    assert as_nobody(open_folder, "project.prepare(); secrets.ensure(project)") == ""
    assert secrets.load(project) == made


def test_root_does_not_spoil_what_a_user_made(open_folder):
    os.chown(open_folder, NOBODY, NOBODY)
    assert as_nobody(open_folder, "project.prepare(); secrets.ensure(project)") == ""
    with pytest.raises(StorageError, match="belongs to nobody, and root would leave files in it"):
        Project(open_folder).prepare()
    assert as_nobody(open_folder, "project.prepare(); secrets.ensure(project)") == ""


def test_a_project_folder_that_may_not_be_written_to(open_folder):
    said = as_nobody(open_folder, "project.prepare()")
    assert f"{open_folder} belongs to root, not to you (nobody)." in said
