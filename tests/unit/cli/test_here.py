import json
import sys
from pathlib import Path

import pytest

from airfoil.cli import here

pytestmark = pytest.mark.unit


@pytest.fixture
def handed_over(monkeypatch):
    """What this process would be replaced by."""
    seen = []

    def execve(path, command, environment):
        seen.append((path, command, environment))
        raise SystemExit(7)

    monkeypatch.setattr("os.execve", execve)
    return seen


def option(command, name):
    return command[command.index(name) + 1]


def test_the_terminal_is_handed_over_whether_or_not_the_platform_runs(
    airfoil, project, handed_over, monkeypatch
):
    (project.root / "src").mkdir(exist_ok=True)
    monkeypatch.chdir(project.root / "src")

    outcome = airfoil("run", "shop", "--here", "--param", "rows=5", "--date", "2026-11-20", "--pdb")

    assert outcome.code == 7
    ((path, command, environment),) = handed_over
    assert (path, command[:3]) == (sys.executable, [sys.executable, "-m", "airfoil.runtime.here"])
    assert (option(command, "--dag"), option(command, "--date")) == ("shop", "2026-11-20")
    assert json.loads(option(command, "--conf")) == {"rows": 5}
    assert Path(option(command, "--folder")) == project.root / "dags"
    assert Path(option(command, "--private")) == project.run
    assert "--pdb" in command
    assert Path.cwd() == project.root
    assert "--task" not in command
    assert environment["AIRFLOW_HOME"] == str(project.airflow_home)
    assert outcome.out.splitlines() == [
        "Running shop here; nothing is written to the platform's history.",
        "  The platform does not run: what a task asks of MLflow or another service fails.",
    ]


def test_beside_a_platform_that_runs_there_is_nothing_to_warn_of(airfoil, running, handed_over):
    outcome = airfoil("run", "shop", "--here", "--task", "many[3]")

    assert outcome.out == "Running shop.many[3] here; nothing is written to the platform's history.\n"
    command = handed_over[0][1]
    assert (option(command, "--task"), option(command, "--map-index")) == ("many", "3")


def test_a_wrong_date_is_wrong_usage_before_anything_starts(airfoil, project, handed_over):
    assert airfoil("run", "shop", "--here", "--date", "soon").code == 2
    assert handed_over == []


@pytest.mark.parametrize(
    ("task", "arguments"),
    [(None, []), ("train", ["--task", "train"]), ("a.b[0]", ["--task", "a.b", "--map-index", "0"])],
)
def test_how_a_task_is_named(task, arguments):
    assert here.task_arguments(task) == arguments
