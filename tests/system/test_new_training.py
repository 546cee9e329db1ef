"""`airfoil new training` on a real platform: a table of classes and one of amounts, from CSV to a gated model."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.sizes import full_only
from tests.tables import write_customers, write_houses

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of its own whose platform runs."""
    root = tmp_path_factory.mktemp("new") / "shop"
    airfoil(root.parent, "init", str(root), "--template", "minimal")
    write_customers(root / "customers.csv")
    write_houses(root / "houses.csv")
    airfoil(root, "new", "dag", "nightly", "--schedule", "@daily")
    airfoil(root, "new", "training", "churn", "--from", "customers.csv", "--target", "churned")
    try:
        airfoil(root, "up")
        yield root
    finally:
        airfoil(root, "down")


def airfoil(folder, *arguments, code=0):
    command = [sys.executable, "-m", "airfoil", *arguments]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert said.returncode == code, said.stdout + said.stderr
    return said.stdout


def test_everything_written_passes_the_check_and_its_own_tests(project):
    write_prices = ("new", "training", "prices", "--from", "houses.csv", "--target", "price")
    airfoil(project, *write_prices, "--no-run")
    assert "nothing to mend" in airfoil(project, "check")
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize(
    ("dag_id", "metric"), [("churn", "accuracy"), pytest.param("prices", "rmse", marks=full_only)]
)
def test_a_run_is_green_and_its_numbers_are_in_mlflow(project, dag_id, metric):
    found = json.loads(airfoil(project, "run", dag_id, "--json"))
    assert found["state"] == "success"
    assert {task["task_id"]: task["state"] for task in found["tasks"]} == dict.fromkeys(
        ("check_data", "train", "beats_guessing", "beats_champion", "register", "promote"), "success"
    )
    runs = airfoil(project, "mlflow", "runs", "list", "--experiment-id", experiment_of(found))
    assert "FINISHED" in runs or found["mlflow_url"]
    log = airfoil(project, "logs", f"{dag_id}.beats_guessing")
    assert f"{metric} is " in log
    assert "the baseline has" in log


def experiment_of(found):
    return found["mlflow_url"].partition("/experiments/")[2].partition("/")[0]


def test_an_equal_model_does_not_become_the_champion(project):
    found = json.loads(airfoil(project, "run", "churn", "--json"))
    states = {task["task_id"]: task["state"] for task in found["tasks"]}
    assert (states["beats_champion"], states["register"], states["promote"]) == (
        "success",
        "skipped",
        "skipped",
    )
    assert "churn@champion (version 1) has" in airfoil(project, "logs", "churn.beats_champion")


def test_a_gate_that_asks_for_too_much_fails_with_its_reason(project):
    airfoil(project, "run", "churn", "--param", "min_gain=0.999", "--json", code=1)
    assert "Rejected: accuracy is" in airfoil(project, "logs", "churn.beats_guessing")


def test_data_that_breaks_its_contract_is_not_trained_on(project):
    text = (project / "customers.csv").read_text(encoding="utf-8")
    (project / "customers.csv").write_text(text.replace("months", "weeks", 1), encoding="utf-8")
    found = json.loads(airfoil(project, "run", "churn", "--json", code=1))
    states = {task["task_id"]: task["state"] for task in found["tasks"]}
    assert states.pop("check_data") == "failed"
    assert set(states.values()) == {"upstream_failed"}
    assert "the column 'months' is missing" in airfoil(project, "logs", "churn.check_data")
