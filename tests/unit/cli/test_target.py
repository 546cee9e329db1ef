"""`airfoil target`, and the commands that a Compose server answers instead of this machine."""

import json
import os

import pytest

from airfoil.cli import browse
from airfoil.cli.context import Invocation

pytestmark = pytest.mark.unit

ENV = (
    "AIRFOIL_URL=https://ml.example.org\n_AIRFLOW_WWW_USER_USERNAME=ada\n_AIRFLOW_WWW_USER_PASSWORD=one\n"
    "MLFLOW_ADMIN_PASSWORD=two\n"
)


@pytest.fixture
def server(project):
    folder = project.root / "deploy" / "compose"
    folder.mkdir(parents=True)
    (folder / ".env").write_text(ENV, encoding="utf-8")
    return folder


@pytest.fixture
def replaced(monkeypatch):
    """The commands that this process would have become."""
    calls = []

    def execvp(program, arguments):
        calls.append((program, arguments))
        raise SystemExit(7)

    monkeypatch.setattr(os, "execvp", execvp)
    return calls


def test_it_is_chosen_shown_and_left(airfoil, server):
    assert airfoil("target").out.startswith("embedded:")
    assert "https://ml.example.org" in airfoil("target", "use", "compose").out
    assert airfoil("target").out.startswith("compose: https://ml.example.org")
    shown = json.loads(airfoil("target", "--json").out)
    assert shown == {"target": "compose", "folder": str(server), "url": "https://ml.example.org"}
    assert airfoil("target", "use", "embedded").code == 0
    assert json.loads(airfoil("target", "--json").out)["target"] == "embedded"


def test_a_server_that_was_not_rendered_is_an_error(airfoil, project):
    outcome = airfoil("target", "use", "compose")
    assert outcome.code == 1
    assert "airfoil deploy compose" in outcome.err


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        (("airflow", "dags", "list"), ["exec", "-T", "airflow-api-server", "airflow", "dags", "list"]),
        (
            ("feast", "apply"),
            ["exec", "-T", "-w", "/opt/airfoil/project/features", "airflow-api-server", "feast", "apply"],
        ),
        (("status",), ["ps"]),
        (("status", "--json"), ["ps", "--format", "json"]),
        (("logs", "mlflow", "-n", "5"), ["logs", "--tail", "5", "mlflow"]),
        (("logs", "-f"), ["logs", "--tail", "10", "--follow"]),
    ],
)
def test_a_server_answers_instead_of_this_machine(airfoil, server, replaced, typed, asked):
    airfoil("target", "use", "compose")
    assert airfoil(*typed).code == 7
    ((program, command),) = replaced
    assert program == "docker"
    assert command == ["docker", "compose", "--project-directory", str(server), *asked]


def test_without_docker_the_next_move_is_told(airfoil, server, monkeypatch):
    airfoil("target", "use", "compose")
    monkeypatch.setenv("PATH", "")
    outcome = airfoil("airflow", "version")
    assert outcome.code == 1
    assert "Docker is not installed here" in outcome.err


def test_pages_are_the_servers(airfoil, project, server):
    airfoil("target", "use", "compose")
    invocation = Invocation()
    found = browse.find_page("mlflow", project, invocation.settings(project), invocation.running(project))
    assert found == ("https://ml.example.org/mlflow", "Login admin.")
