"""What services and commands are told: of Airflow only when it is ours, of MLflow always."""

from __future__ import annotations

from pathlib import Path

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import MlflowSettings
from airfoil.stack import work_environment
from airfoil.stack.project import Project
from airfoil.stack.secrets import Secrets
from airfoil.stack.servers import Server

pytestmark = pytest.mark.unit

SECRETS = Secrets("fernet", "jwt", "api", "admin-pw", "hook", "hook-secret", "mlflow-pw", "flask", "metrics")
PORTS = {"airflow": 18080, "mlflow": 15000, "page": 18081}
AIRFLOW = Server("airflow", "http://airflow:8080", "ann", "airflow-password")
MLFLOW = Server("mlflow", "https://ml.example.com/base", "bob", "mlflow-password")


@pytest.fixture(autouse=True)
def _no_authority(monkeypatch):
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def environment(*foreign: Server, settings: Settings | None = None) -> dict[str, str]:
    ports = {name: port for name, port in PORTS.items() if name not in {server.name for server in foreign}}
    return work_environment.environment(
        settings or Settings(),
        Project(Path("/home/ä b/shop")),
        SECRETS,
        ports,
        {server.name: server for server in foreign},
        "plain",
    )


def test_our_own_servers_are_named_with_their_ports():
    found = environment()
    assert found["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:15000"
    assert found["AIRFLOW__API__PORT"] == "18080"
    assert "MLFLOW_TRACKING_PASSWORD" not in found


def test_our_own_mlflow_may_ask_for_a_login():
    found = environment(settings=Settings(mlflow=MlflowSettings(auth=True)))
    assert (found["MLFLOW_TRACKING_USERNAME"], found["MLFLOW_TRACKING_PASSWORD"]) == ("admin", "mlflow-pw")


def test_a_foreign_mlflow_gets_our_login_there_and_no_secret_of_ours():
    found = environment(MLFLOW)
    assert found["MLFLOW_TRACKING_URI"] == "https://ml.example.com/base"
    assert (found["MLFLOW_TRACKING_USERNAME"], found["MLFLOW_TRACKING_PASSWORD"]) == (
        "bob",
        "mlflow-password",
    )
    assert "mlflow-pw" not in found.values()
    assert found["AIRFLOW__API__PORT"] == "18080"


def test_a_foreign_airflow_leaves_nothing_of_ours_to_configure():
    found = environment(AIRFLOW)
    assert [name for name in found if name.startswith("AIRFLOW")] == []
    assert "airflow-password" not in found.values(), "tasks run there, and nothing here needs it"


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_private_authority_is_named_to_mlflows_client_for_that_server_alone(monkeypatch, name):
    monkeypatch.setenv(name, "/etc/ca.pem")
    assert environment(MLFLOW)["MLFLOW_TRACKING_SERVER_CERT_PATH"] == "/etc/ca.pem"
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" not in environment()
