"""`airfoil.connect()`: the process is changed as promised, and another project's login does not stay."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

import airfoil
from airfoil.errors import ProjectError
from airfoil.stack import secrets
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def own_process(monkeypatch):
    """Let the process look the same afterwards."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)


def made(folder, toml=""):
    project = Project(folder)
    (project.root / "src").mkdir(parents=True)
    project.toml.write_text(toml)
    project.prepare()
    secrets.ensure(project)
    return project


def test_from_any_folder_inside_or_by_its_path(tmp_path, monkeypatch):
    project = made(tmp_path / "größe 1")
    deep = project.root / "notebooks" / "deep"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    inside = airfoil.connect()
    assert inside == airfoil.connect(project.root) == airfoil.connect(str(deep))
    assert (inside.project, inside.feature_repo) == (project.root, project.root / "features")
    assert os.environ["MLFLOW_TRACKING_URI"] == inside.mlflow_url == "http://127.0.0.1:5000"
    assert sys.path[0] == str(project.sources)
    assert sys.path.count(str(project.sources)) == 1


def test_an_mlflow_that_was_imported_before_follows(tmp_path, monkeypatch):
    mlflow, told = ModuleType("mlflow"), []
    mlflow.set_tracking_uri = told.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    airfoil.connect(made(tmp_path / "a").root)
    assert told == ["http://127.0.0.1:5000"]


def test_the_login_of_another_project_is_forgotten(tmp_path):
    airfoil.connect(made(tmp_path / "a", "[mlflow]\nauth = true\n").root)
    assert os.environ["MLFLOW_TRACKING_PASSWORD"]
    airfoil.connect(made(tmp_path / "b").root)
    assert "MLFLOW_TRACKING_PASSWORD" not in os.environ
    assert "MLFLOW_TRACKING_USERNAME" not in os.environ


def test_no_password_is_shown(tmp_path):
    project = made(tmp_path / "a")
    assert secrets.load(project).admin_password not in repr(airfoil.connect(project.root))


def test_outside_of_a_project(tmp_path):
    with pytest.raises(ProjectError):
        airfoil.connect(tmp_path)


def test_a_client_of_airflow_is_logged_in(tmp_path, http_server, answer):
    toml = f'[airflow]\nurl = "{http_server.url}"\nusername = "ann"\n'
    os.environ["AIRFOIL_AIRFLOW_PASSWORD"] = "pw-of-ann"
    http_server.on("POST", "/auth/token", answer({"access_token": "T"}, 201))
    http_server.on("GET", "/api/v2/dags", answer({"dags": []}))
    with airfoil.connect(made(tmp_path / "a", toml).root).airflow() as client:
        assert client.get("/dags").json() == {"dags": []}
    assert http_server.asked("/auth/token")[0].body == {"username": "ann", "password": "pw-of-ann"}
    assert http_server.asked("/api/v2/dags")[0].headers["authorization"] == "Bearer T"
