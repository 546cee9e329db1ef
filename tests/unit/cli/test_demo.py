import pytest

from airfoil.stack import secrets

pytestmark = pytest.mark.unit


@pytest.fixture
def demo_project(project):
    for name in ("simple_test_dag.py", "example_dag.py"):
        (project.dags / name).touch()
    return project


@pytest.fixture
def ready(running, stack, demo_project):
    stack.steps = [stack.state]
    return running


def test_both_dags_run_and_everything_is_listed(airfoil, ready, stack, demo_project, task):
    ready.add_dag("simple_test_dag", ("success", [task("hello", "success")]))
    ready.add_dag(
        "example_dag", ("running", [task("train", "running")]), ("success", [task("train", "success")])
    )

    outcome = airfoil("demo")

    assert (outcome.code, outcome.err) == (0, "")
    assert stack.calls == ["up"]
    assert [len(ready.triggered[dag]) for dag in ("simple_test_dag", "example_dag")] == [1, 1]
    lines = [line.split() for line in outcome.out.splitlines()]
    assert ["DAG", "STATE", "TOOK", "MLFLOW", "RUN"] in lines
    assert ["example_dag", "success", "5.0", "s"] in lines
    assert secrets.load(demo_project).admin_password in outcome.out
    assert outcome.out.splitlines()[-1].startswith("Demo done after ")


def test_a_failed_dag_is_explained_and_decides_the_exit_code(airfoil, ready, task):
    ready.add_dag("simple_test_dag", ("failed", [task("hello", "failed")]))
    ready.add_dag("example_dag", ("success", []))

    outcome = airfoil("demo")

    assert outcome.code == 1
    assert "Last lines of simple_test_dag.hello (try 1):" in outcome.out
    assert "example_dag  " in outcome.out
    assert "Demo ended with a failed run" in outcome.out


def test_a_project_without_the_dags_says_so_before_anything_starts(airfoil, demo_project, stack):
    (demo_project.dags / "example_dag.py").unlink()

    outcome = airfoil("demo")

    assert (outcome.code, stack.calls) == (1, [])
    assert outcome.err.startswith("Error: This project has no example_dag, which the demo runs.\n")


def test_ctrl_c_says_what_goes_on(airfoil, ready, task):
    ready.add_dag("simple_test_dag", ("running", []))
    ready.add_dag("example_dag", ("running", []))

    def interrupt(seconds):
        raise KeyboardInterrupt

    outcome = airfoil("demo", sleep=interrupt)

    assert outcome.code == 130
    assert "The platform and runs that were started go on" in outcome.err
