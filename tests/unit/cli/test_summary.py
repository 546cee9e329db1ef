import pytest

from airfoil.cli import summary
from airfoil.settings import load
from airfoil.stack import servers
from airfoil.stack.servers import Server

pytestmark = pytest.mark.unit


def test_the_next_command_is_one_that_works(project):
    settings = load(project.root, {})
    assert summary.next_command(project, settings) == "airfoil status"

    (project.dags / "simple_test_dag.py").touch()

    assert summary.next_command(project, settings) == "airfoil run simple_test_dag"

    (project.dags / "first_dag.py").touch()

    assert summary.next_command(project, settings) == "airfoil run first_dag"


def test_services_without_an_address_are_left_out(project, a_state, a_service, capsys):
    state = a_state(
        a_service("scheduler"), a_service("page", url="http://127.0.0.1:8081", title="Status page")
    )

    summary.show_addresses(project, load(project.root, {}), state)

    assert capsys.readouterr().out == "  Status page  http://127.0.0.1:8081\n"


def test_a_foreign_server_is_listed_and_what_keeps_us_out_is_a_warning(project, a_state, capsys):
    servers.settle(project, {"mlflow": Server("mlflow", "http://127.0.0.1:9", "ann", "pw-of-ann")})

    summary.show_addresses(project, load(project.root, {}), a_state(foreign={"mlflow": "http://127.0.0.1:9"}))

    seen = capsys.readouterr()
    assert seen.out == "  MLflow  http://127.0.0.1:9  not ours, login ann\n"
    assert seen.err.startswith("Warning: MLflow at http://127.0.0.1:9 does not answer")
    assert "pw-of-ann" not in seen.out + seen.err


def test_nothing_is_suggested_that_a_foreign_airflow_may_not_have(project):
    (project.dags / "simple_test_dag.py").touch()
    settings = load(project.root, {"AIRFOIL_AIRFLOW_URL": "http://airflow:8080"})

    assert summary.next_command(project, settings) == "airfoil status"
