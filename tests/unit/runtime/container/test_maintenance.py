"""The project that a server's maintenance works on, and which worker it is."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

from airfoil.runtime.container import maintenance
from airfoil.stack import secrets
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

KEY = "0FQ9sbbL2cGQZQHbTzH9cXJQcYBL3LKMzV4ZUmz4BRs="
ENVIRON = {"FERNET_KEY": KEY, "MLFLOW_WEBHOOK_KEY": KEY, "MLFLOW_ADMIN_PASSWORD": "sixteen-letters-"}


@pytest.fixture
def image(tmp_path):
    folder = tmp_path / "image"
    (folder / "dags").mkdir(parents=True)
    (folder / "dags/one.py").write_text("# a DAG\n")
    (folder / "airfoil.toml").write_text('[project]\nname = "shop"\n')
    return folder


def test_it_is_the_images_project_with_the_servers_keys(image, tmp_path):
    home, work, logs = tmp_path / "home", tmp_path / "work", tmp_path / "logs"
    work.mkdir()
    logs.mkdir()
    shared = {maintenance.WORK_VARIABLE: str(work), maintenance.LOGS_VARIABLE: str(logs)}
    maintenance.make_project(home, image, ENVIRON | shared)
    project = Project(home)
    project.prepare()
    found = secrets.ensure(project)
    assert (found.fernet_key, found.webhook_key, found.mlflow_admin_password) == (
        KEY,
        KEY,
        "sixteen-letters-",
    )
    assert (project.dags / "one.py").read_text() == "# a DAG\n"
    assert project.work.resolve() == work
    assert project.task_logs.resolve() == logs
    assert project.secrets.stat().st_mode & 0o077 == 0


def test_a_newer_key_wins_and_the_rest_stays(image, tmp_path):
    maintenance.make_project(tmp_path / "home", image, ENVIRON)
    project = Project(tmp_path / "home")
    project.prepare()
    before = secrets.ensure(project)
    maintenance.make_project(
        tmp_path / "home", image, ENVIRON | {"MLFLOW_ADMIN_PASSWORD": "another-password"}
    )
    after = secrets.ensure(project)
    assert after.mlflow_admin_password == "another-password"
    assert after.jwt_secret == before.jwt_secret


def test_keys_that_lay_where_tasks_can_read_are_removed(image, tmp_path):
    work = tmp_path / "work"
    maintenance.make_project(work / ".maintenance", image, ENVIRON)
    (work / "shop").mkdir()
    maintenance.remove_shared({maintenance.WORK_VARIABLE: str(work)})
    maintenance.remove_shared({maintenance.WORK_VARIABLE: str(work)})
    assert [path.name for path in work.iterdir()] == ["shop"]
    assert (image / "dags/one.py").exists(), "what links led to is there still"


def test_an_image_without_settings_has_a_name_all_the_same(tmp_path):
    (tmp_path / "image").mkdir()
    maintenance.make_project(tmp_path / "home", tmp_path / "image", {})
    assert 'name = "airfoil"' in (tmp_path / "home/airfoil.toml").read_text()
    assert not Project(tmp_path / "home").secrets.exists(), "a restore brings its own keys"


@pytest.fixture
def started(image, tmp_path, monkeypatch):
    """What this process becomes."""
    seen = {}
    monkeypatch.setattr(maintenance, "IMAGE_PROJECT", image)
    monkeypatch.setattr(maintenance, "HEARTBEAT", tmp_path / "beat")
    monkeypatch.setattr(maintenance, "beat_into", lambda file: seen.update(beat=file))
    monkeypatch.setenv(maintenance.HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.delenv(maintenance.WORK_VARIABLE, raising=False)
    airflow = ModuleType("airflow.__main__")
    airflow.main = lambda: seen.update(airflow=list(sys.argv))
    monkeypatch.setitem(sys.modules, "airflow.__main__", airflow)

    def become(_path, argv):
        seen["became"] = argv
        raise SystemExit

    monkeypatch.setattr(os, "execv", become)
    return seen


def test_alone_it_serves_its_queue_one_task_at_a_time(started, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["maintenance"])
    maintenance.main()
    words = ["airflow", "celery", "worker", "--queues", "maintenance", "--concurrency", "1"]
    assert started["airflow"] == [*words, "--celery-hostname", "maintenance@%h"]
    assert "became" not in started


def test_with_words_it_becomes_a_command_of_the_platform(started, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["maintenance", "backup", "list"])
    with pytest.raises(SystemExit):
        maintenance.main()
    assert started["became"][1:] == ["-m", "airfoil", "--project", str(tmp_path / "home"), "backup", "list"]
