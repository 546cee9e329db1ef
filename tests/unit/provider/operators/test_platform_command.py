"""A platform's command as a task: its lines, its failure, its end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.errors import NeighbourError
from airfoil.provider.operators import platform_command
from airfoil.provider.operators.platform_command import PlatformCommandOperator

pytestmark = pytest.mark.unit


@pytest.fixture
def started(monkeypatch):
    """The command line is this Python, which says what it was given; tests change what it does."""
    real, seen = subprocess.Popen, {"code": "import sys; print('one'); print(sys.argv[1:]); print()"}

    def popen(argv, **given):
        seen["argv"], seen["env"] = argv, given["env"]
        return real([sys.executable, "-c", seen["code"], *argv[3:]], **given)

    monkeypatch.setattr(platform_command.subprocess, "Popen", popen)
    monkeypatch.setenv("AIRFLOW__AIRFOIL__PROJECT", "/srv/shop")
    return seen


def test_it_runs_in_the_project_and_returns_the_last_line(started, execute, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    said = execute(PlatformCommandOperator(task_id="backup", command=["backup", "create"]))
    assert said == "['--project', '/srv/shop', 'backup', 'create']"
    assert started["argv"][:3] == [sys.executable, "-m", "airfoil"]
    assert "AIRFLOW__CORE__SQL_ALCHEMY_CONN" not in started["env"]


def test_a_failure_carries_the_commands_own_sentence(started, execute):
    started["code"] = "import sys; print('Error: The disk is full.', file=sys.stderr); sys.exit(1)"
    with pytest.raises(NeighbourError, match=r"airfoil clean work` failed: Error: The disk is full"):
        execute(PlatformCommandOperator(task_id="clean", command=["clean", "work"]))


def test_an_airflow_without_a_project_is_told(started, execute, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__PROJECT", "")
    with pytest.raises(AirflowFailException, match="belongs to no project"):
        execute(PlatformCommandOperator(task_id="clean", command=["clean", "work"]))


def test_a_killed_task_ends_its_command():
    operator = PlatformCommandOperator(task_id="clean", command=["clean", "work"])
    operator.on_kill()  # nothing runs yet
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as operator._process:
        operator.on_kill()
        assert operator._process.returncode != 0


def test_it_survives_serialization():
    with DAG("nightly", schedule=None) as dag:
        PlatformCommandOperator(task_id="clean", command=["clean", "work"])
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("clean")
    assert back.command == ["clean", "work"]
