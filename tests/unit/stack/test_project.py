"""Finding a project, its paths, and making its private folders on disks of every kind."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from airfoil.errors import ProjectError, StorageError
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "mein Projekt äöü 项目"
    root.mkdir()
    (root / "airfoil.toml").touch()
    return Project(root)


def fail_with(code: int):
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def test_the_nearest_project_upwards_is_found(project):
    inner = project.root / "dags" / "tief"
    inner.mkdir(parents=True)
    assert Project.find(inner) == project
    assert Project.find(project.root) == project
    (project.root / "dags" / "airfoil.toml").touch()
    assert Project.find(inner).root == project.root / "dags"


def test_no_project_says_how_to_make_one(tmp_path):
    with pytest.raises(ProjectError, match="is not in an Airfoil project") as caught:
        Project.find(tmp_path)
    assert "`airfoil init DIR`" in caught.value.next_move


def test_a_link_leads_to_the_real_project(project, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(project.root)
    assert Project.find(link) == project


def test_links_in_a_circle(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ProjectError):
        Project.find(tmp_path / "a")


def test_every_path_of_state_is_inside_the_state_folder(project):
    outside = {"root", "toml", "dags", "sources"}
    names = [
        name for name, value in vars(Project).items() if isinstance(value, property) and name not in outside
    ]
    assert {"state", "secrets", "ports_file", "manager_lock", "artifacts"} <= set(names)
    for name in names:
        assert getattr(project, name).is_relative_to(project.root / ".airfoil"), name
    assert project.service_log("mlflow") == project.logs / "mlflow.log"


def test_prepare_makes_folders_for_their_owner_alone(project):
    project.prepare()
    for folder in project.folders():
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    assert [path.name for path in project.run.iterdir()] == []


def test_prepare_again_closes_what_stands_open_and_keeps_what_is_there(project):
    project.prepare()
    project.state.chmod(0o755)
    kept = project.artifacts / "modell.bin"
    kept.write_text("x")
    project.prepare()
    assert project.state.stat().st_mode & 0o777 == 0o700
    assert kept.read_text() == "x"


def test_prepare_under_a_generous_umask_still_closes_every_folder(project):
    before = os.umask(0)
    try:
        project.prepare()
    finally:
        os.umask(before)
    assert {folder.stat().st_mode & 0o777 for folder in project.folders()} == {0o700}


def test_prepare_removes_what_a_killed_writer_left(project):
    project.prepare()
    old, young = project.state / ".secrets.json.0123.tmp", project.state / ".secrets.json.4567.tmp"
    old.touch()
    young.touch()
    os.utime(old, (1, 1))
    project.prepare()
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize(
    ("code", "sentence", "move"),
    [
        (errno.EROFS, "is on a read-only disk.", "Remount"),
        (errno.ENOSPC, "The disk is full", "Free some space"),
        (errno.EDQUOT, "Your disk quota is used up", "Free some space"),
        (errno.EIO, "could not be used: Input/output error.", "Check the disk"),
    ],
)
def test_a_disk_that_refuses_a_folder(project, monkeypatch, code, sentence, move):
    monkeypatch.setattr(Path, "mkdir", fail_with(code))
    with pytest.raises(StorageError) as caught:
        project.prepare()
    assert sentence in str(caught.value)
    assert str(project.state) in str(caught.value)
    assert move in caught.value.next_move


def test_a_full_disk_that_still_has_room_for_folders_is_noticed(project, monkeypatch):
    monkeypatch.setattr(os, "fsync", fail_with(errno.ENOSPC))
    with pytest.raises(StorageError, match="The disk is full") as caught:
        project.prepare()
    assert ".probe" not in str(caught.value)
    assert list(project.run.iterdir()) == []


def test_a_disk_that_turns_read_only_under_existing_folders(project, monkeypatch):
    project.prepare()
    monkeypatch.setattr(os, "open", fail_with(errno.EROFS))
    monkeypatch.setattr(Path, "unlink", fail_with(errno.EROFS))
    with pytest.raises(StorageError, match="is on a read-only disk"):
        project.prepare()


def test_a_file_in_place_of_the_state_folder(project):
    project.state.write_text("hello")
    with pytest.raises(StorageError, match=r"\.airfoil is a file where a folder is needed") as caught:
        project.prepare()
    assert "Move that file away" in caught.value.next_move
    assert project.state.read_text() == "hello"


def test_a_file_in_place_of_an_inner_folder(project):
    project.logs.parent.mkdir()
    project.logs.write_text("hello")
    with pytest.raises(StorageError, match=r"logs is a file where a folder is needed"):
        project.prepare()


@pytest.mark.parametrize("name", ["was?", "a\nb", "tab\t"])
def test_a_path_that_no_database_address_can_hold(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(ProjectError, match="database addresses cannot") as caught:
        Project(tmp_path / name).prepare()
    assert "Rename" in caught.value.next_move
    assert list((tmp_path / name).iterdir()) == []


def test_a_root_that_is_a_file_or_absent(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for root, reason in ((file, "is not a folder"), (tmp_path / "absent", "does not exist")):
        with pytest.raises(ProjectError, match=reason):
            Project(root).prepare()


def test_folders_of_root_are_named_when_a_normal_user_comes(project, monkeypatch):
    project.prepare()
    monkeypatch.setattr(os, "geteuid", lambda: project.state.stat().st_uid + 54321)
    with pytest.raises(StorageError, match=r"\.airfoil belongs to .*, not to you") as caught:
        project.prepare()
    assert "sudo chown -R" in caught.value.next_move


def test_one_file_of_root_inside_is_enough(project, monkeypatch):
    project.prepare()
    project.airflow_database.touch()
    mine, real_stat = os.geteuid(), Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        found = real_stat(path, **options)
        if path != project.airflow_database:
            return found
        return os.stat_result((*found[:4], mine + 54321, *found[5:10]))

    monkeypatch.setattr(Path, "stat", stat)
    assert project.foreign_owner() == (project.airflow_database, mine + 54321)
    with pytest.raises(StorageError, match="belongs to"):
        project.prepare()


def test_root_does_not_spoil_the_folders_of_a_user(project, monkeypatch):
    project.prepare()
    owner = project.state.stat().st_uid
    if owner == 0:
        os.chown(project.state, 54321, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(StorageError, match="root would leave files in it") as caught:
        project.prepare()
    assert "Run the command as" in caught.value.next_move


def test_importing_what_the_manager_needs_loads_no_heavy_library():
    modules = ("project", "ports", "secrets", "state", "storage")
    code = (
        f"import sys, {', '.join(f'airfoil.stack.{name}' for name in modules)}; "
        "print([name for name in ('pydantic', 'airflow', 'mlflow', 'httpx', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
