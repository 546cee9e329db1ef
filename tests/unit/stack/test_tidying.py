"""Starting the process that tidies up."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from airfoil.errors import ConfigurationError, ServiceAnswerError
from airfoil.settings import load
from airfoil.stack import tidying
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


@pytest.fixture
def shop(tmp_path):
    project = Project(tmp_path)
    project.toml.write_text('[project]\nname = "shop"\n', encoding="utf-8")
    return project, load(tmp_path, {})


@pytest.fixture
def process(monkeypatch):
    """What was started; it answers what `said` holds."""
    seen = SimpleNamespace(argv=[], env={}, said="noise\n" + json.dumps({"runs": 2}) + "\n", code=0)

    def run(argv, env, **_):
        seen.argv, seen.env = argv, env
        return subprocess.CompletedProcess(argv, seen.code, seen.said, "first\nit is locked\n")

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_the_process_is_told_where_things_are_and_answers(shop, process):
    assert tidying.tidy(*shop, {"AIRFLOW_HOME": "/a"}, "mlflow", 30, dry_run=True) == {"runs": 2}
    assert process.argv == [sys.executable, "-m", tidying.MODULE, "mlflow", "--days", "30", "--dry-run"]
    assert process.env["AIRFLOW_HOME"] == "/a"
    assert process.env["MLFLOW_BACKEND_STORE_URI"] == f"sqlite:///{shop[0].mlflow_database}"
    assert process.env["MLFLOW_ARTIFACTS_DESTINATION"] == str(shop[0].artifacts)


def test_a_failure_is_its_last_line(shop, process):
    process.code = 1
    with pytest.raises(ServiceAnswerError, match="ended with code 1: it is locked"):
        tidying.tidy(*shop, {}, "airflow", 90)


def test_what_somebody_else_looks_after_is_refused(shop, process):
    project, _ = shop
    project.toml.write_text(
        '[project]\nname = "shop"\n[mlflow]\nurl = "http://ml.example.com"\n', encoding="utf-8"
    )
    with pytest.raises(ConfigurationError, match=r"MLflow at http://ml\.example\.com is not ours"):
        tidying.tidy(project, load(project.root, {}), {}, "mlflow", 30)
    assert process.argv == []
