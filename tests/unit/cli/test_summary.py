import pytest

from airfoil.cli import summary
from airfoil.settings import load

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
