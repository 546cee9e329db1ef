"""`airfoil demo` from its start to its last line; what it kills and what it shows have tests of their own."""

import httpx
import pytest
from tests.unit.clients.wine_shop import WineShop

from airfoil.cli import demo_end
from airfoil.cli.demo_crash import Aftermath, Crash
from airfoil.clients.run_info import RunInfo
from airfoil.stack import secrets

pytestmark = pytest.mark.unit
TRAINING = "train_wine_classifier"


@pytest.fixture
def demo_project(project):
    for name in ("simple_test_dag.py", "example_dag.py"):
        (project.dags / name).touch()
    return project


@pytest.fixture
def demo(airfoil, monkeypatch):
    """Run it beside a fake MLflow, in which the training left what is said."""
    run = RunInfo("abc", "7", "mlflow-artifacts:/7", "FINISHED", {"airflow.try_number": "2"})
    left = Aftermath((run,), ())
    monkeypatch.setattr(Crash, "aftermath", lambda _self, _model: left)
    return lambda **more: airfoil("demo", transport=httpx.MockTransport(WineShop()), **more)


@pytest.fixture
def ready(running, stack, demo_project):
    stack.steps = [stack.state]
    return running


def test_both_dags_run_and_everything_is_listed(demo, ready, stack, demo_project, task):
    ready.add_dag("simple_test_dag", ("success", [task("hello", "success")]))
    ready.add_dag(
        "example_dag", ("running", [task(TRAINING, "running")]), ("success", [task(TRAINING, "success")])
    )

    outcome = demo()

    assert (outcome.code, outcome.err) == (0, f"{TRAINING} was over before it could be killed.\n")
    assert stack.calls == ["up"]
    assert [len(ready.triggered[dag]) for dag in ("simple_test_dag", "example_dag")] == [1, 1]
    lines = [line.split() for line in outcome.out.splitlines()]
    assert ["DAG", "STATE", "TOOK", "MLFLOW", "RUN"] in lines
    assert ["example_dag", "success", "5.0", "s"] in lines
    assert secrets.load(demo_project).admin_password in outcome.out
    assert "one run, FINISHED in try 2" in outcome.out
    assert "No alias had been moved by" in outcome.out
    assert "Memory in use, all of it, measured now: " in outcome.out
    assert all(command in outcome.out for command in demo_end.NEXT)
    assert outcome.out.splitlines()[-1].startswith("Demo done after ")


def test_a_failed_dag_is_explained_and_decides_the_exit_code(demo, ready, task):
    ready.add_dag("simple_test_dag", ("failed", [task("hello", "failed")]))
    ready.add_dag("example_dag", ("success", [task(TRAINING, "success")]))

    outcome = demo()

    assert outcome.code == 1
    assert "Last lines of simple_test_dag.hello (try 1):" in outcome.out
    assert "example_dag  " in outcome.out
    assert "Demo ended with a failure" in outcome.out


def test_a_project_without_the_dags_says_so_before_anything_starts(demo, demo_project, stack):
    (demo_project.dags / "example_dag.py").unlink()

    outcome = demo()

    assert (outcome.code, stack.calls) == (1, [])
    assert outcome.err.startswith("Error: This project has no example_dag, which the demo runs.\n")


def test_ctrl_c_says_what_goes_on(demo, ready, task):
    ready.add_dag("simple_test_dag", ("running", []))
    ready.add_dag("example_dag", ("running", []))

    def interrupt(seconds):
        raise KeyboardInterrupt

    outcome = demo(sleep=interrupt)

    assert outcome.code == 130
    assert "The platform and runs that were started go on" in outcome.err


def test_two_runs_of_one_training_are_a_failure(demo, ready, task, monkeypatch):
    ready.add_dag("simple_test_dag", ("success", []))
    ready.add_dag("example_dag", ("success", [task(TRAINING, "success")]))
    run = RunInfo("abc", "7", "mlflow-artifacts:/7", "FINISHED")
    monkeypatch.setattr(Crash, "aftermath", lambda _self, _model: Aftermath((run, run), ()))

    assert demo().code == 1


def test_an_airflow_that_is_not_ours_is_not_killed(demo, ready, task, stack, monkeypatch):
    from dataclasses import replace

    ready.add_dag("simple_test_dag", ("success", []))
    ready.add_dag("example_dag", ("success", [task(TRAINING, "success")]))
    stack.steps = [replace(stack.state, foreign={"airflow": ready.url})]
    monkeypatch.setattr(Crash, "happen", lambda _self: pytest.fail("it was killed"))

    assert "is not ours: it is not killed" in demo().err
