"""What reset and purge remove, and all that they must not."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from pathlib import Path

import pytest

from airfoil.errors import ConfigurationError, InternalError, NeighbourError
from airfoil.settings import Settings
from airfoil.settings.schema import AirflowSettings, MlflowSettings
from airfoil.stack import process, removal, services, versions
from airfoil.stack.project import Project
from airfoil.stack.removal import Item, Removal
from airfoil.stack.versions import Versions

pytestmark = pytest.mark.unit


@pytest.fixture
def project(tmp_path) -> Project:
    """A project that was used, beside things of its owner, in a folder with a space."""
    made = Project(tmp_path / "mein Projekt ä")
    made.root.mkdir()
    made.toml.write_text("")
    made.prepare()
    made.secrets.write_text("{}")
    made.ports_file.write_text("{}")
    made.state_file.write_text("{}")
    made.up_lock.touch()
    made.airflow_database.write_bytes(b"a" * 1000)
    made.mlflow_database.write_bytes(b"m" * 100)
    (made.artifacts / "1").mkdir()
    (made.artifacts / "1" / "model.bin").write_bytes(b"model")
    (made.work / "run").mkdir()
    (made.snapshots / "one").mkdir(parents=True)
    versions.remember(made, Versions("0.1.0", "3.3.2", "3.17.2"))
    return made


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# -- reset


def test_a_reset_keeps_secrets_ports_and_snapshots(project):
    planned = removal.plan_reset(project, Settings())
    removal.carry_out(project, planned)
    assert below(project.state) == {"secrets.json", "run/ports.json", "run/up.lock"}
    assert (project.snapshots / "one").is_dir()
    assert "snapshots stay" in planned.stays[0]


def test_a_reset_that_keeps_models(project):
    removal.carry_out(project, removal.plan_reset(project, Settings(), keep_models=True))
    assert not project.airflow_home.exists()
    assert project.mlflow_database.exists()
    assert (project.artifacts / "1" / "model.bin").exists()
    assert versions.last_run(project) == Versions(airfoil="0.1.0", mlflow="3.17.2")


def test_sizes_are_told(project):
    sizes = {item.path: item.size_bytes for item in removal.plan_reset(project, Settings()).items}
    assert sizes[project.airflow_home] == 1000
    assert sizes[project.mlflow_home] == 105


# -- purge


def test_a_purge_leaves_the_project_without_its_state(project):
    removal.carry_out(project, removal.plan_purge(project, Settings()))
    assert {path.name for path in project.root.iterdir()} == {"airfoil.toml"}


def test_secrets_go_last(project):
    *_, before_last, last = [item.path for item in removal.plan_purge(project, None).items]
    assert (before_last, last) == (project.secrets, project.run)


def test_of_a_project_that_never_ran_there_is_nothing(tmp_path):
    project = Project(tmp_path)
    assert removal.plan_purge(project, None).items == ()
    removal.carry_out(project, removal.plan_purge(project, None))


def test_links_go_and_what_they_lead_to_stays(project, tmp_path):
    mine = tmp_path / "photos"
    mine.mkdir()
    (mine / "one.jpg").write_text("holiday")
    (project.work / "link").symlink_to(mine)
    (project.work / "file").symlink_to(mine / "one.jpg")
    (project.state / "top").symlink_to(mine)
    (project.artifacts / "loop").symlink_to(project.artifacts)
    (project.artifacts / "dangling").symlink_to("nowhere")
    os.link(mine / "one.jpg", project.work / "second name.jpg")
    planned = removal.plan_purge(project, Settings())
    assert all(item.size_bytes < 2000 for item in planned.items), "what is behind a link does not count"
    removal.carry_out(project, planned)
    assert not os.path.lexists(project.state)
    assert (mine / "one.jpg").read_text() == "holiday"


def test_a_state_folder_that_is_a_link_is_left_to_a_person(project, tmp_path):
    real = tmp_path / "big disk"
    project.state.rename(real)
    project.state.symlink_to(real)
    for plan in (lambda: removal.plan_purge(project, None), lambda: removal.plan_reset(project, Settings())):
        with pytest.raises(ConfigurationError, match="is a link to") as said:
            plan()
        assert str(real) in said.value.next_move
    assert (real / "secrets.json").exists()


def test_a_link_that_is_put_there_after_the_question_removes_nothing(project, tmp_path):
    planned = removal.plan_purge(project, None)
    real = tmp_path / "big disk"
    project.state.rename(real)
    project.state.symlink_to(real)
    with pytest.raises(ConfigurationError):
        removal.carry_out(project, planned)
    assert (real / "airflow" / "airflow.db").exists()


def test_read_only_files_and_folders_go_too(project):
    closed = project.artifacts / "closed" / "deep"
    closed.mkdir(parents=True)
    (closed / "model.bin").write_text("x")
    (closed / "model.bin").chmod(0o400)
    closed.chmod(0o500)
    closed.parent.chmod(0o500)
    removal.carry_out(project, removal.plan_purge(project, None))
    assert not project.state.exists()


def test_a_plan_can_never_name_anything_else(project, tmp_path):
    for path in (tmp_path, project.root, project.toml, project.state):
        with pytest.raises(InternalError):
            removal.carry_out(project, Removal((Item(path, 1),), ()))
    assert project.toml.exists()
    assert project.airflow_database.exists()


# -- what stands in the way


def test_while_processes_live_nothing_is_removed(project):
    mark = {process.STACK_MARK: services.stack_id(project), "PATH": os.environ["PATH"]}
    with subprocess.Popen(["sleep", "60"], env=mark) as living:
        try:
            while living.pid not in process.marked(mark[process.STACK_MARK]):
                time.sleep(0.001)  # one that has just begun shows no environment yet
            with pytest.raises(NeighbourError, match=str(living.pid)):
                removal.carry_out(project, removal.plan_purge(project, None))
        finally:
            living.kill()
    assert project.airflow_database.exists()


def test_while_somebody_starts_it_nothing_is_removed(project):
    with project.up_lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(NeighbourError, match="at work here"):
            removal.carry_out(project, removal.plan_reset(project, Settings()))
    assert project.airflow_database.exists()


# -- what is elsewhere


def test_what_is_elsewhere_stays_and_is_said_without_passwords(project):
    settings = Settings(
        airflow=AirflowSettings(database="postgresql://a:s3cret@db/a"),
        mlflow=MlflowSettings(database="sqlite:////srv/m.db", artifacts="s3://bucket/x"),
    )
    for planned in (removal.plan_reset(project, settings), removal.plan_purge(project, settings)):
        said = " ".join(planned.stays)
        assert "Airflow's database on a server stays: postgresql://a:***@db/a." in said
        assert "MLflow's database stays, it is outside .airfoil: /srv/m.db." in said
        assert "artifacts in the object store stay: s3://bucket/x." in said
        assert "s3cret" not in said


def test_artifacts_in_a_folder_of_the_owner_stay(project, tmp_path):
    mine = tmp_path / "artifacts"
    mine.mkdir()
    planned = removal.plan_purge(project, Settings(mlflow=MlflowSettings(artifacts=str(mine))))
    removal.carry_out(project, planned)
    assert mine.is_dir()
    assert any(str(mine) in sentence for sentence in planned.stays)
