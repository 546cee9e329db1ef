import os
import subprocess
import sys
from pathlib import Path

import pytest

from airfoil.cli import passthrough

pytestmark = pytest.mark.unit


@pytest.fixture
def replaced(monkeypatch):
    """How the process would have been replaced: (program, arguments, environment)."""
    calls = []

    def execvpe(program, arguments, environment):
        calls.append((Path(program), arguments, environment, Path.cwd()))
        raise SystemExit(7)

    monkeypatch.setattr(os, "execvpe", execvpe)
    return calls


@pytest.mark.parametrize(
    "arguments",
    [
        ("dags", "list", "--output", "json"),
        ("--help",),
        ("-h",),
        ("--version",),
        ("--", "--debug", "--project", "x"),
        ("tasks", "test", "a b", "--project=y", "--debug"),
        (),
    ],
)
def test_arguments_stay_untouched(airfoil, project, replaced, monkeypatch, arguments):
    monkeypatch.chdir(project.dags)

    outcome = airfoil("airflow", *arguments)

    assert outcome.code == 7
    ((program, given, environment, folder),) = replaced
    assert program == Path(sys.executable).parent / "airflow"
    assert given == ["airflow", *arguments]
    assert environment["AIRFLOW_HOME"] == str(project.airflow_home)
    assert environment["PATH"] == os.environ["PATH"]
    assert folder == project.dags


def test_global_options_before_the_tool_are_ours(airfoil, project, tmp_path, replaced, monkeypatch):
    monkeypatch.chdir(tmp_path)

    airfoil("--project", str(project.root), "mlflow", "experiments", "search")

    ((program, given, environment, folder),) = replaced
    assert (program.name, given) == ("mlflow", ["mlflow", "experiments", "search"])
    assert environment["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"
    assert folder == tmp_path


def test_feast_runs_in_its_repository(airfoil, project, replaced):
    (project.root / "features").mkdir()

    airfoil("feast", "apply")

    assert replaced[0][3] == project.root / "features"


def test_feast_without_a_repository(airfoil, project, replaced):
    outcome = airfoil("feast", "apply")

    assert outcome.code == 1
    assert "There is no feature repository" in outcome.err
    assert airfoil("feast", "--help").code == 7
    assert airfoil("feast").code == 7


def test_outside_of_a_project(airfoil, tmp_path, monkeypatch, replaced):
    monkeypatch.chdir(tmp_path)

    outcome = airfoil("airflow", "dags", "list")

    assert (outcome.code, replaced) == (1, [])
    assert "airfoil init DIR" in outcome.err


def test_a_tool_that_is_not_installed(airfoil, project, replaced, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    outcome = airfoil("feast", "apply")

    assert outcome.code == 1
    assert "feast is not installed beside" in outcome.err
    assert "uv pip install 'airfoil[stack]'" in outcome.err


def test_the_tool_takes_over_process_exit_code_and_output(project, tmp_path):
    """With a real process: the tool is a script beside a link to this Python."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    tool = bin_folder / "airflow"
    tool.write_text('#!/bin/sh\necho "$AIRFLOW_HOME|$*|$$"\nexit 5\n')
    tool.chmod(0o755)
    code = (
        f"import sys, os; sys.executable = {str(bin_folder / 'python')!r}\n"
        "print(os.getpid(), flush=True)\n"
        "from airfoil.cli.entry import run_command_line\n"
        "sys.exit(run_command_line(['airflow', 'a b', '--help']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    pid, line = done.stdout.splitlines()
    assert done.returncode == 5
    assert line == f"{project.airflow_home}|a b --help|{pid}"


def test_every_tool_has_its_line_of_help():
    assert set(passthrough.HELP) == set(passthrough.TOOLS)


def test_airflows_command_line_is_refused_beside_a_foreign_airflow(airfoil, project, replaced):
    project.toml.write_text('[airflow]\nurl = "http://airflow:8080"\n')

    outcome = airfoil("airflow", "dags", "list")

    assert outcome.code == 1
    assert "works on a database" in outcome.err
    assert replaced == []
    assert airfoil("mlflow", "--version").code == 7
