"""Connections and variables that follow from the settings, and the private files they travel in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import FeastSettings, MlflowSettings, ProjectSettings
from airfoil.stack import connections
from airfoil.stack.project import Project
from airfoil.stack.secrets import Secrets
from airfoil.stack.servers import Server
from airfoil.stack.work_environment import client_environment

pytestmark = pytest.mark.unit

SECRETS = Secrets("fernet", "jwt", "api", "admin-pw", "hook", "hook-secret", 'mlflow "pw" ü', "flask")
URL = "http://127.0.0.1:5001"


def environment(settings: Settings | None = None, server: Server | None = None) -> dict[str, str]:
    """What the stack gives its services to reach MLflow."""
    return client_environment(settings or Settings(), SECRETS, server.url if server else URL, server)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "Lädchen 2")
    made.root.mkdir()
    made.prepare()
    return made


def test_a_server_without_login_has_a_connection_without_one(project):
    found = connections.connections(Settings(), project, environment())["mlflow_default"]
    assert (found["conn_type"], found["host"], found["port"]) == ("mlflow", "http://127.0.0.1", 5001)
    assert not {"login", "password"} & set(found)


def test_a_server_with_login_gives_tasks_the_generated_one(project):
    settings = Settings(mlflow=MlflowSettings(auth=True))
    found = connections.connections(settings, project, environment(settings))["mlflow_default"]
    assert (found["login"], found["password"]) == ("admin", SECRETS.mlflow_admin_password)


def test_an_mlflow_that_exists_is_reached_where_it_is_with_our_login_there(project):
    url = "https://mlflow.example.com:8443/base"
    settings = Settings(mlflow=MlflowSettings(url=url))
    server = Server("mlflow", url, "ann", "pass:word@1")
    found = connections.connections(settings, project, environment(settings, server))["mlflow_default"]
    assert (found["host"], found["port"]) == (url, None)
    assert (found["login"], found["password"]) == ("ann", "pass:word@1")


def test_feast_points_at_the_projects_repository(project):
    assert connections.connections(Settings(), project, environment())["feast_default"]["host"] == str(
        project.root / "features"
    )
    elsewhere = Settings(feast=FeastSettings(repo=Path("/data/features")))
    assert (
        connections.connections(elsewhere, project, environment(elsewhere))["feast_default"]["host"]
        == "/data/features"
    )


def test_no_connection_holds_a_default_password(project):
    found = connections.connections(Settings(), project, environment())
    assert set(found) == {"mlflow_default", "feast_default", "aws_default", "smtp_default"}
    assert not [name for name, row in found.items() if "password" in row]
    assert all(row["conn_type"] and row["description"] for row in found.values())


def test_both_files_are_private_json_and_stable(project):
    settings = Settings(mlflow=MlflowSettings(auth=True), project=ProjectSettings(name="shop"))
    connections.write(settings, project, environment(settings))
    files = (connections.connections_file(project), connections.variables_file(project))
    before = [path.read_bytes() for path in files]
    assert json.loads(before[0])["mlflow_default"]["password"] == SECRETS.mlflow_admin_password
    assert json.loads(before[1]) == {"airfoil_project": "shop"}
    for path in files:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.is_relative_to(project.run)
    connections.write(settings, project, environment(settings))
    assert [path.read_bytes() for path in files] == before, "an unchanged file is not imported again"
