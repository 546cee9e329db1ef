"""What other tools are told: the right addresses, our logins, the project's code; names that airfoil itself ignores."""

from __future__ import annotations

import json

import pytest

from airfoil.errors import NeighbourError
from airfoil.settings import load
from airfoil.stack import outside, secrets, servers
from airfoil.stack.project import Project
from airfoil.stack.servers import Server

pytestmark = pytest.mark.unit


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    made = Project(tmp_path / "Lädchen 2")
    made.root.mkdir()
    made.toml.write_text("")
    made.prepare()
    secrets.ensure(made)
    made.ports_file.write_text(json.dumps({"airflow": 8090, "mlflow": 5050}))
    return made


def variables(project, toml="", **environ):
    project.toml.write_text(toml)
    return outside.variables(project, load(project.root, environ), environ)


def test_the_ports_of_the_last_start_are_told(project):
    found = variables(project)
    assert found["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5050"
    assert found["AIRFLOW_API_URL"] == "http://127.0.0.1:8090"
    assert found["AIRFLOW_API_USERNAME"] == "admin"
    assert found["AIRFLOW_API_PASSWORD"] == secrets.load(project).admin_password
    assert "MLFLOW_TRACKING_PASSWORD" not in found, "ours asks for none"


def test_a_port_that_the_user_set_wins(project):
    assert variables(project, "[mlflow]\nport = 5999\n")["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5999"


def test_our_mlflow_with_a_login(project):
    found = variables(project, "[mlflow]\nauth = true\n")
    assert found["MLFLOW_TRACKING_PASSWORD"] == secrets.load(project).mlflow_admin_password


def test_servers_that_are_not_ours(project):
    servers.store_login(project, Server("airflow", "https://air.example.com", "ann", "pw-a"))
    toml = '[airflow]\nurl = "https://air.example.com"\n[mlflow]\nurl = "https://ml.example.com"\nusername = "bob"\n'
    found = variables(project, toml, AIRFOIL_MLFLOW_PASSWORD="pw-m")
    assert (found["AIRFLOW_API_URL"], found["AIRFLOW_API_PASSWORD"]) == ("https://air.example.com", "pw-a")
    assert (found["MLFLOW_TRACKING_URI"], found["MLFLOW_TRACKING_PASSWORD"]) == (
        "https://ml.example.com",
        "pw-m",
    )
    keys = json.loads(project.secrets.read_text())
    assert not set(keys.values()) & set(found.values()), "no secret of ours leaves for another server"


def test_the_projects_code_comes_first_and_once(project):
    own = str(project.sources)
    assert variables(project)["PYTHONPATH"] == own
    assert variables(project, PYTHONPATH=f"/a:{own}:/b")["PYTHONPATH"] == f"{own}:/a:/b"


def test_a_feature_repository_is_named_when_there_is_one(project):
    assert "FEAST_FS_YAML_FILE_PATH" not in variables(project)
    file = project.root / "features" / "feature_store.yaml"
    file.parent.mkdir()
    file.touch()
    assert variables(project)["FEAST_FS_YAML_FILE_PATH"] == str(file)


def test_what_is_told_is_no_setting_of_ours(project):
    found = variables(project)
    assert load(project.root, found).given == frozenset()


def test_a_project_that_was_never_started_says_so(tmp_path):
    (tmp_path / "airfoil.toml").write_text("")
    project = Project(tmp_path)
    with pytest.raises(NeighbourError, match="Nothing was ever started"):
        outside.variables(project, load(tmp_path, {}), {})
    assert not project.state.exists()
