"""Connections and variables that follow from the settings, and the private files they travel in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import AlertSettings, FeastSettings, MlflowSettings, ProjectSettings
from airfoil.stack import connections
from airfoil.stack.lifecycle_variables import lifecycle_variables
from airfoil.stack.project import Project
from airfoil.stack.secrets import Secrets
from airfoil.stack.servers import Server
from airfoil.stack.work_environment import client_environment

pytestmark = pytest.mark.unit

SECRETS = Secrets(
    "fernet", "jwt", "api", "admin-pw", "hook", "hook-secret", 'mlflow "pw" ü', "flask", "metrics"
)
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
    assert set(found) == {*connections.MANAGED}
    assert not [name for name, row in found.items() if "password" in row]
    assert all(row["conn_type"] and row["description"] for row in found.values())


@pytest.mark.parametrize(
    ("smtp", "port", "off", "login"),
    [
        ("smtp://mail.test", 25, {"disable_ssl", "disable_tls"}, None),
        ("smtp+starttls://ana:p%40ss@mail.test", 587, {"disable_ssl"}, ("ana", "p@ss")),
        ("smtps://ana%40mail.test:geheim@mail.test:4650", 4650, {"disable_tls"}, ("ana@mail.test", "geheim")),
    ],
)
def test_a_mail_server_is_reached_as_its_address_says(project, smtp, port, off, login):
    settings = Settings(alerts=AlertSettings(smtp=smtp))
    found = connections.connections(settings, project, environment())["smtp_default"]
    assert (found["host"], found["port"]) == ("mail.test", port)
    assert set(found["extra"]) - {"from_email"} == off
    assert found["extra"]["from_email"] == "airfoil@mail.test"
    assert ((found["login"], found["password"]) if login else found.get("login")) == login


def test_a_sender_of_ones_own(project):
    settings = Settings(alerts=AlertSettings(mail_from="ml@example.com"))
    found = connections.connections(settings, project, environment())["smtp_default"]
    assert (found["host"], found["extra"]["from_email"]) == ("localhost", "ml@example.com")


def test_a_webhook_is_kept_where_airflow_keeps_passwords(project):
    url = "https://hooks.test/T/s3cr3t"
    settings = Settings(alerts=AlertSettings(webhook=url))
    found = connections.connections(settings, project, environment())["alerts_webhook"]
    assert found["password"] == url
    assert "s3cr3t" not in str({name: value for name, value in found.items() if name != "password"})
    assert "s3cr3t" not in repr(settings)


def test_both_files_are_private_json_and_stable(project):
    settings = Settings(mlflow=MlflowSettings(auth=True), project=ProjectSettings(name="shop"))
    page = "http://127.0.0.1:8081"
    connections.write(settings, project, environment(settings), page_url=page)
    files = (connections.connections_file(project), connections.variables_file(project))
    before = [path.read_bytes() for path in files]
    assert json.loads(before[0])["mlflow_default"]["password"] == SECRETS.mlflow_admin_password
    assert json.loads(before[1]) == {"airfoil_project": "shop", **lifecycle_variables(settings, page)}
    for path in files:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.is_relative_to(project.run)
    connections.write(settings, project, environment(settings), page_url=page)
    assert [path.read_bytes() for path in files] == before, "an unchanged file is not imported again"
