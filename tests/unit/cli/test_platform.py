import time
from dataclasses import replace

import pytest

from airfoil.cli import platform
from airfoil.errors import ConfigurationError, ServiceFailed
from airfoil.stack import secrets

pytestmark = pytest.mark.unit


@pytest.fixture
def steps(stack, a_state, a_service):
    """A start that goes well."""
    now = time.time() + 1
    starting = a_state(
        a_service("setup", "done", since=now),
        a_service("api-server", "starting", since=now, url="http://127.0.0.1:8080", title="Airflow"),
        phase="starting",
    )
    ready = a_state(
        a_service("setup", "done", since=now),
        a_service("api-server", since=now + 2, url="http://127.0.0.1:8080", title="Airflow"),
        a_service("mlflow", since=now + 2, url="http://127.0.0.1:5001", title="MLflow"),
        ready_at=now,
    )
    stack.steps = [starting, ready]
    return stack


def test_up_shows_the_way_and_ends_with_addresses_and_login(airfoil, project, steps):
    (project.dags / "simple_test_dag.py").touch()
    password = secrets.load(project).admin_password

    outcome = airfoil("up")

    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert [line.split(" s  ")[1].split() for line in lines[:4]] == [
        ["setup", "done"],
        ["api-server", "starting"],
        ["api-server", "ready"],
        ["mlflow", "ready"],
    ]
    assert lines[5].startswith("Ready in ")
    assert lines[7:] == [
        f"  Airflow  http://127.0.0.1:8080  login admin / {password}  (kept in .airfoil/secrets.json)",
        "  MLflow   http://127.0.0.1:5001",
        "",
        "Next: airfoil run simple_test_dag",
    ]


def test_a_second_up_says_that_it_runs(airfoil, project, steps):
    airfoil("up")
    steps.steps = [replace(steps.steps[-1], ready_at=time.time() - 185)]

    outcome = airfoil("up")

    assert outcome.out.startswith("Already running for 3 min 5 s.\n\n  Airflow  http://127.0.0.1:8080")
    assert outcome.out.endswith("Next: airfoil status\n")


def test_a_start_that_fails_shows_the_log_the_sentence_and_the_next_move(airfoil, project, steps):
    steps.error = ServiceFailed(
        "MLflow did not start.", "airfoil logs mlflow", details=["Traceback", "ValueError: x"]
    )

    outcome = airfoil("up")

    assert outcome.code == 1
    assert outcome.err == "  Traceback\n  ValueError: x\nError: MLflow did not start.\nairfoil logs mlflow\n"


def test_ctrl_c_during_up(airfoil, project, steps):
    steps.error = KeyboardInterrupt()

    outcome = airfoil("up")

    assert outcome.code == 130
    assert outcome.err.startswith("\nInterrupted. What was started goes on starting")


def test_notices_and_the_mlflow_login_are_shown(airfoil, project, steps):
    project.toml.write_text("[mlflow]\nauth = true\n")
    steps.steps = [replace(steps.steps[-1], notices=("The clock is odd.",))]

    outcome = airfoil("up")

    assert outcome.err == "Note: The clock is odd.\n"
    assert f"login admin / {secrets.load(project).mlflow_admin_password}" in outcome.out


def test_without_the_platforms_libraries_up_says_how_to_install_them(monkeypatch):
    monkeypatch.setattr(platform, "PLATFORM_DISTRIBUTIONS", ("pytest", "surely-not-installed"))

    with pytest.raises(ConfigurationError, match=r"not installed \(surely-not-installed\)") as caught:
        platform.require_platform_libraries()

    assert caught.value.next_move == (
        "Install them: `pip install 'airfoil[stack]' -c \"$(airfoil version --constraints)\"`."
    )


def test_outside_of_a_project(airfoil, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    for command in ("up", "down", "status", "logs", "demo"):
        outcome = airfoil(command)
        assert outcome.code == 1
        assert "airfoil init DIR" in outcome.err


def test_malformed_settings_name_the_line(airfoil, project):
    project.toml.write_text("[project\n")

    outcome = airfoil("up")

    assert outcome.code == 1
    assert "airfoil.toml" in outcome.err
    assert "line 1" in outcome.err


def test_down(airfoil, project, steps, a_state, a_service):
    airfoil("up")
    later = time.time() + 5
    steps.steps = [
        a_state(a_service("mlflow", "stopping", since=later), phase="stopping"),
        a_state(a_service("mlflow", "stopped", since=later), phase="stopped", updated_at=later),
    ]

    outcome = airfoil("down")

    assert outcome.code == 0
    assert [line.split()[-1] for line in outcome.out.splitlines()[:2]] == ["stopping", "stopped"]
    assert outcome.out.splitlines()[2].startswith("Stopped in ")
    steps.steps = []
    assert airfoil("down").out == "Not running.\n"


def test_down_works_with_settings_that_cannot_be_read(airfoil, project):
    project.toml.write_text("[project\n")

    assert airfoil("down").code == 0
