"""`airfoil up --explain`."""

import pytest

pytestmark = pytest.mark.unit


def test_it_is_readable_and_starts_nothing(airfoil, project, stack):
    done = airfoil("up", "--explain")
    assert done.code == 0, done.err
    assert done.out.startswith("Engine ")
    for word in (
        "scheduler: Scheduler",
        "-m airfoil.stack.manager",
        "[core]",
        "load_examples = False",
        "only the project's DAGs",
    ):
        assert word in done.out
    assert stack.calls == []
    assert "fernet_key = ***" in done.out


def test_it_is_json_for_programs(airfoil, project, stack):
    found = airfoil("up", "--explain", "--json").json()
    assert found["schema"] == 1
    assert {"engine", "processes", "environment", "airflow"} <= set(found)
    assert stack.calls == []


def test_json_alone_means_nothing(airfoil, project, stack):
    assert airfoil("up", "--json").code == 2
    assert stack.calls == []
